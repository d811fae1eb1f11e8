"""`kindling export` as a person types it; here, beside the runs that it needs."""

import json
import re
import shutil
from pathlib import Path

import onnxruntime
import pandas as pd
import pytest
from PIL import Image

from kindling.cli.command_line import make_parser
from kindling.cli.export import add_arguments, run
from kindling.errors import ConfigError, DataError

pytestmark = pytest.mark.slow  # whole exports

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"


def type_in(*words):
    parser = make_parser("kindling export", "")
    add_arguments(parser)
    run(parser.parse_args([str(word) for word in words]))


def test_what_was_written_and_compared_is_said(penguins_run, tmp_path, capfd):
    file = tmp_path / "model.onnx"
    type_in(penguins_run, "-o", file, "--check", PENGUINS)
    out, err = capfd.readouterr()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["file"].startswith(f"{file}, 0.")
    assert lines["inputs"].startswith("7 columns: island, bill_length_mm, ")
    assert lines["outputs"] == "label, probabilities"
    edges = "256 rows of gaps, unknown categories and extremes; "
    edges += "256 rows of cells as text, in other spellings"
    assert lines["checked"] == f"344 rows of {PENGUINS}; {edges}"
    assert lines["result"].startswith("largest difference ")
    assert err == ""
    onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def test_without_other_rows_the_test_set_of_the_run_is_compared(penguins_run, tmp_path, capsys):
    type_in(penguins_run, "-o", tmp_path / "model.onnx", "--network-only", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["checks"][0]["source"] == "the run's test set"
    assert [check["num_rows"] for check in found["checks"]] == [52, 256, 256]


def test_a_bundle_by_itself_is_exported_and_what_was_not_compared_is_said(
    penguins_run, tmp_path, capsys
):
    shutil.copytree(penguins_run / "bundle", tmp_path / "bundle")
    type_in(tmp_path / "bundle", "-o", tmp_path / "model.pt2", "--format", "torch")
    said = capsys.readouterr().out
    assert re.search(r"not the run's test set \(no config.yaml in .*\); --check FILE", said)


def test_the_same_comes_as_json(digits_run, tmp_path, capsys):
    image = tmp_path / "images" / "one" / "grey.png"
    image.parent.mkdir(parents=True)
    Image.new("L", (8, 8), 77).save(image)
    file = tmp_path / "model.pt2"
    type_in(
        digits_run, "-o", file, "--format", "torch", "--check", tmp_path / "images", image, "--json"
    )
    found = json.loads(capsys.readouterr().out)
    assert found["bytes"] == file.stat().st_size
    assert (found["inputs"], found["outputs"]) == (["x"], ["y"])
    assert [check["num_rows"] for check in found["checks"]] == [2, 33]
    assert max(check["largest"] for check in found["checks"]) <= 1e-5


@pytest.mark.slow
def test_a_file_that_cannot_be_read_leaves_the_old_export_alone(penguins_run, tmp_path):
    file, rows = tmp_path / "model.onnx", tmp_path / "rows.csv"
    file.write_text("the old one")
    pd.read_csv(PENGUINS).drop(columns="sex").to_csv(rows, index=False)
    with pytest.raises(DataError, match="a column 'sex' must be in"):
        type_in(penguins_run, "-o", file, "--check", rows)
    assert file.read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "rows.csv"]


def test_a_folder_that_is_not_there_is_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(ConfigError, match=r"got no folder .*away; type mkdir -p"):
        type_in("no run at all", "-o", tmp_path / "away" / "model.onnx")
    with pytest.raises(ConfigError, match=r"which is a folder; type -o .*model\.onnx"):
        type_in("no run at all", "-o", tmp_path)


def test_a_folder_without_images_is_refused(digits_run, tmp_path):
    with pytest.raises(DataError, match="got no images in"):
        type_in(digits_run, "-o", tmp_path / "model.onnx", "--check", tmp_path)
