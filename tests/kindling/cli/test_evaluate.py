"""`kindling evaluate`: the scores of a run again, or those on rows that somebody has labelled."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from sklearn import metrics
from sklearn.datasets import load_digits

from kindling import load
from kindling.cli.command_line import main
from kindling.scoring import Metric
from project.training.metrics import METRICS
from tests.kindling.bundle.damage import put

pytestmark = pytest.mark.slow  # whole runs

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"


@pytest.fixture
def evaluate(capsys):
    """Run the command in this process; return what it printed."""

    def type_in(*words):
        capsys.readouterr()
        main(["evaluate", *map(str, words)])
        return capsys.readouterr().out

    return type_in


@pytest.fixture
def refused(capsys):
    """Return the exit code and what was said."""

    def type_in(*words):
        with pytest.raises(SystemExit) as stop:
            main(["evaluate", *map(str, words)])
        return stop.value.code, capsys.readouterr().err

    return type_in


@pytest.fixture
def penguins():
    return pd.read_csv(PENGUINS)


@pytest.fixture
def copy_of(tmp_path):
    """Copy a run, and change its config.yaml."""

    def make(run, **data):
        folder = shutil.copytree(run, tmp_path / "run")
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["data"] |= data
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        return folder

    return make


@pytest.mark.parametrize("name", ["penguins_run", "weight_run", "digits_run"])
def test_without_a_file_the_scores_are_those_of_the_run(evaluate, request, name):
    run = request.getfixturevalue(name)
    found = json.loads(evaluate(run, "--json"))
    written = json.loads((run / "metrics.json").read_text())["test"]
    assert found["scores"] == pytest.approx(written, abs=1e-6, rel=1e-6)
    assert found["same"] is True
    assert found["rows"] == len(pd.read_csv(run / "predictions.csv"))


def test_a_person_reads_a_table_and_a_sentence(evaluate, penguins_run):
    printed = evaluate(penguins_run)
    assert "balanced_accuracy" in printed
    assert "52 rows: the scores of the run, to a millionth" in printed


def test_other_scores_are_said_to_be_others(evaluate, copy_of, weight_run):
    folder = copy_of(weight_run)
    for file in ("metrics.json", "bundle/metrics.json"):
        assert (folder / file).is_file()
    written = json.loads((folder / "bundle/metrics.json").read_text())
    written["test"]["rmse"] *= 1.001
    put(folder / "bundle", "metrics.json", json.dumps(written).encode())
    assert json.loads(evaluate(folder, "--json"))["same"] is False
    assert "not the scores of the run; was it trained in another" in evaluate(folder)


def test_a_labelled_table_is_scored(evaluate, penguins_run, penguins, tmp_path):
    penguins[["sex", "species", *penguins.columns[1:6]]].assign(year=2008).to_csv(
        tmp_path / "new.csv", index=False
    )
    found = json.loads(evaluate(penguins_run, tmp_path / "new.csv", "--json"))
    prediction = load(penguins_run).predict(penguins.assign(year=2008))
    assert found["rows"] == 344
    assert found["scores"]["accuracy"] == metrics.accuracy_score(penguins.species, prediction)
    assert "same" not in found


def test_how_a_labelled_table_is_written_can_be_typed(evaluate, penguins_run, penguins, tmp_path):
    penguins.to_csv(tmp_path / "new.csv", index=False, sep="/")
    words = [tmp_path / "new.csv", "--csv", "separator=/", "--json"]
    assert json.loads(evaluate(penguins_run, *words))["rows"] == 344


def test_a_labelled_table_may_lie_in_several_files(
    evaluate, refused, penguins_run, penguins, tmp_path
):
    penguins.to_csv(tmp_path / "new.csv", index=False)
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, rows in enumerate(np.array_split(np.arange(344), 3)):
        penguins.iloc[rows].to_csv(folder / f"{number}.csv", index=False)
    whole = evaluate(penguins_run, tmp_path / "new.csv", "--json")
    assert evaluate(penguins_run, folder, "--json") == whole
    assert evaluate(penguins_run, folder / "*.csv", "--json") == whole
    penguins = penguins.astype({"bill_depth_mm": object})
    penguins.loc[7, "bill_depth_mm"] = "deep"
    penguins.head(115).to_csv(folder / "2.csv", index=False)
    code, said = refused(penguins_run, folder)
    assert code == 3
    assert "2.csv holds numbers" in said
    assert "'deep' in row 7" in said


def test_an_option_may_stand_anywhere(evaluate, penguins_run):
    words = ["--json", penguins_run, "--device", "cpu", PENGUINS]
    assert json.loads(evaluate(*words))["rows"] == 344


def test_values_are_scored_in_their_unit(evaluate, weight_run, penguins, tmp_path):
    known = penguins[penguins.body_mass_g.notna()]
    penguins.to_parquet(tmp_path / "new.parquet")
    found = json.loads(evaluate(weight_run, tmp_path / "new.parquet", "--json"))
    prediction = load(weight_run).predict(known)
    assert found["rows"] == 342
    assert found["left_out"] == 2
    expected = metrics.mean_absolute_error(known.body_mass_g, prediction)
    assert found["scores"]["mae"] == pytest.approx(expected)


def test_unknown_labels_are_named_and_counted(refused, penguins_run, penguins, tmp_path):
    penguins.loc[[3, 5, 9], "species"] = ["Emperor", "King", "Emperor"]
    penguins.to_csv(tmp_path / "new.csv", index=False)
    code, said = refused(penguins_run, tmp_path / "new.csv")
    assert code == 3
    assert "every 'species' in" in said
    assert "one of Adelie, Chinstrap, Gentoo" in said
    assert "'Emperor' in 2 rows, 'King' in 1 rows" in said


def test_text_where_a_value_is_needed_is_named(refused, weight_run, penguins, tmp_path):
    penguins = penguins.astype({"body_mass_g": object})
    penguins.loc[7, "body_mass_g"] = "heavy"
    penguins.to_csv(tmp_path / "new.csv", index=False)
    code, said = refused(weight_run, tmp_path / "new.csv")
    assert code == 3
    assert "'heavy' in 1 rows" in said


def test_a_bad_cell_is_named_by_its_row_in_the_file(refused, penguins_run, penguins, tmp_path):
    penguins = penguins.astype({"bill_depth_mm": object})
    penguins.loc[[0, 1], "species"] = None
    penguins.loc[10, "bill_depth_mm"] = "deep"
    penguins.to_csv(tmp_path / "new.csv", index=False)
    assert "'deep' in row 10 (" in refused(penguins_run, tmp_path / "new.csv")[1]


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        ([3, 7], ["3", " 7.0 "]),
        ([0.5, 1.5], ["0.50", "1.5"]),
        ([False, True], ["no", "TRUE"]),
        (["a", "b"], ["a ", "b"]),
    ],
)
def test_labels_are_read_as_in_training_however_they_are_written(
    evaluate, train, table_csv, labels, written
):
    frame = pd.read_csv(table_csv).drop(columns="price")
    file = table_csv.with_suffix(".parquet")
    frame.assign(label=labels * 32).to_parquet(file)
    kinds = ["data.task=classification", "data.target=label"]
    run = train("data=table", f"data.path={file}", *kinds, "trainer.max_epochs=1")
    frame.assign(label=written * 32).to_csv(table_csv, index=False)
    found = [json.loads(evaluate(run, each, "--json"))["scores"] for each in (file, table_csv)]
    assert found[0]["accuracy"] == found[1]["accuracy"]
    assert found[0]["log_loss"] == pytest.approx(found[1]["log_loss"])


@pytest.fixture
def pictures(tmp_path):
    """Write twenty digits as PNG in class folders, and a table that names them."""
    images, y = load_digits(return_X_y=True)
    for number in range(20):
        file = tmp_path / "pictures" / str(y[number]) / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(images[number].reshape(8, 8) * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(file)
    return tmp_path / "pictures"


def test_class_folders_are_scored(evaluate, digits_run, pictures):
    found = json.loads(evaluate(digits_run, pictures, "--json"))
    images, y = load_digits(return_X_y=True)
    pixels = np.rint(images[:20] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    assert found["rows"] == 20
    assert found["scores"]["accuracy"] == (load(digits_run).predict(pixels) == y[:20]).mean()


def test_a_table_of_images_is_scored_like_their_folders(evaluate, digits_run, pictures):
    files = sorted(pictures.rglob("*.png"))
    labels = pd.DataFrame(
        {
            "file": [str(file.relative_to(pictures.parent)) for file in files],
            "label": [file.parent.name for file in files],
        }
    )
    labels.to_csv(pictures.parent / "labels.csv", index=False)
    folders = json.loads(evaluate(digits_run, pictures, "--json"))["scores"]
    table = json.loads(evaluate(digits_run, pictures.parent / "labels.csv", "--json"))["scores"]
    assert table == pytest.approx(folders)


def test_an_unknown_class_folder_is_named(refused, digits_run, pictures):
    (pictures / "3").rename(pictures / "three")
    code, said = refused(digits_run, pictures)
    assert code == 3
    assert "'three' in 2 rows" in said


def test_a_class_is_the_same_however_its_letters_are_composed(evaluate, train, image_folder):
    (image_folder / "red").rename(image_folder / "r\u00f6d")
    run = train("data=images", f"data.path={image_folder}", "trainer.max_epochs=1")
    (image_folder / "r\u00f6d").rename(image_folder / "ro\u0308d")  # as a Mac writes it
    assert json.loads(evaluate(run, image_folder, "--json"))["rows"] == 40


def test_a_changed_file_is_no_longer_the_runs(refused, copy_of, penguins_run, penguins, tmp_path):
    penguins.loc[::2, "species"] = "Gentoo"
    penguins.to_csv(tmp_path / "changed.csv", index=False)
    folder = copy_of(penguins_run, path=str(tmp_path / "changed.csv"))
    code, said = refused(folder)
    assert code == 3
    assert "other labels in: row 0, row 2, row 4, row 6, row 8 and " in said


def test_a_file_that_is_gone_is_said_to_be_gone(refused, copy_of, penguins_run, tmp_path):
    code, said = refused(copy_of(penguins_run, path=str(tmp_path / "gone.csv")))
    assert code == 3
    assert "nothing at" in said
    assert "type a FILE with labelled rows" in said


@pytest.mark.parametrize("target", ["os.mkdir", "tests.mine.data", None, {"_target_": "os.mkdir"}])
def test_a_config_chooses_no_code(refused, copy_of, penguins_run, tmp_path, target):
    folder = copy_of(penguins_run, _target_=target, path=str(tmp_path / "marker"))
    code, said = refused(folder)
    assert code == 2
    assert "type a FILE with labelled rows" in said
    assert not (tmp_path / "marker").exists()


def test_yaml_that_would_build_an_object_is_refused(refused, copy_of, penguins_run, tmp_path):
    folder = copy_of(penguins_run)
    text = f"data: !!python/object/apply:os.mkdir ['{tmp_path}/marker']"
    (folder / "config.yaml").write_text(text)
    code, said = refused(folder)
    assert code == 3
    assert "config.yaml" in said
    assert not (tmp_path / "marker").exists()


def test_a_bundle_alone_needs_a_file(refused, evaluate, penguins_run, tmp_path):
    bundle = shutil.copytree(penguins_run / "bundle", tmp_path / "lent")
    code, said = refused(bundle)
    assert code == 2
    assert "type a FILE with labelled rows" in said
    assert json.loads(evaluate(bundle, PENGUINS, "--json"))["rows"] == 344


@pytest.mark.parametrize(
    ("file", "message"),
    [("nowhere.csv", "nothing at nowhere.csv"), ("{empty}", "scores need rows with a label")],
)
def test_a_file_without_labels_is_refused(refused, penguins_run, penguins, tmp_path, file, message):
    penguins.assign(species=None).to_csv(tmp_path / "empty.csv", index=False)
    code, said = refused(penguins_run, file.format(empty=tmp_path / "empty.csv"))
    assert code == 3
    assert message in said


def test_a_target_that_is_not_there_gets_the_nearest(refused, penguins_run, penguins, tmp_path):
    penguins.rename(columns={"species": "specie"}).to_csv(tmp_path / "new.csv", index=False)
    assert "did you mean 'specie'?" in refused(penguins_run, tmp_path / "new.csv")[1]


def test_own_metrics_are_compared_too_and_nan_is_nan(evaluate, copy_of, penguins_run, monkeypatch):
    types = METRICS[0].problem_types
    own = [
        Metric(
            name=name,
            label=name,
            meaning="",
            direction="max",
            function=function,
            problem_types=types,
        )
        for name, function in (("half", lambda *_: 0.5), ("unknown", lambda *_: math.nan))
    ]
    monkeypatch.setattr("project.training.metrics.METRICS", (*METRICS, *own))
    folder = copy_of(penguins_run)
    written = json.loads((folder / "bundle/metrics.json").read_text())
    written["test"] |= {"half": 0.5, "unknown": None}
    put(folder / "bundle", "metrics.json", json.dumps(written).encode())
    found = json.loads(evaluate(folder, "--json"))
    assert found["same"] is True
    assert found["scores"]["half"] == found["run"]["half"] == 0.5
    assert found["scores"]["unknown"] is None
    assert "52 rows: the scores of the run, to a millionth" in evaluate(folder)
    written["test"]["unknown"] = 0.25
    put(folder / "bundle", "metrics.json", json.dumps(written).encode())
    assert json.loads(evaluate(folder, "--json"))["same"] is False
