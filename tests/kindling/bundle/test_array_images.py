"""Images that are arrays, of any channels, uint8 or float32: a bundle predicts for them as the run.

The source is that of an owner, as docs/extend/ has it: .npy files, with labels in JSON.
"""

import re

import numpy as np
import pandas as pd
import pytest

from kindling import load
from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.cli.command_line import main
from kindling.errors import DataError
from kindling.export.exporter import export
from tests.kindling.images.test_npy_source import NpySource, made

pytestmark = pytest.mark.slow  # whole runs

FORMS = [("float32", 4), ("uint8", 2)]


def write(folder, x):
    """Write images and labels.json as NpySource reads them, and class folders with the same."""
    labels = {}
    for number, image in enumerate(x):
        label, name = ("dark", "bright")[number % 2], f"{number:02}.npy"
        labels[name] = label
        (folder / "classes" / label).mkdir(parents=True, exist_ok=True)
        for file in (folder / name, folder / "classes" / label / name):
            np.save(file, image)
    pd.Series(labels).to_json(folder / "labels.json")
    return folder


@pytest.fixture(scope="module", params=FORMS, ids=lambda form: form[0])
def trained(request, train, tmp_path_factory):
    dtype, channels = request.param
    x = made(dtype, channels)
    folder = write(tmp_path_factory.mktemp("npy"), x)
    source = f"{NpySource.__module__}.{NpySource.__name__}"
    run = train("data=digits", f"data.source={source}", f"+data.path={folder}", "model.width=4")
    return run, folder, x


def test_arrays_and_npy_files_are_predicted_bitwise_as_in_the_run(trained):
    run, folder, x = trained
    model, written = load(run), pd.read_csv(run / "predictions.csv")
    probs = written[["prob_bright", "prob_dark"]].to_numpy()
    rows = [int(name.removesuffix(".npy")) for name in written["row"]]
    files = [folder / name for name in written["row"]]
    for given in (x[rows], files, [*map(str, files)], [file.read_bytes() for file in files]):
        assert np.array_equal(model.predict_proba(given), probs)
    assert model.predict(x[rows]).tolist() == written["prediction"].tolist()
    assert model.predict([]).shape == (0,)
    assert model.inputs([]).dtype == x.dtype


def test_files_are_predicted_and_evaluated_on_the_command_line(trained, tmp_path, capsys):
    run, folder, x = trained
    main(["predict", str(run), str(folder / "classes"), "-o", str(tmp_path / "out.csv")])
    assert len(pd.read_csv(tmp_path / "out.csv")) == len(x)
    main(["evaluate", str(run), str(folder / "classes")])
    assert f"{len(x)} rows" in capsys.readouterr().out


def test_class_folders_of_npy_files_are_an_evaluation_set(trained):
    run, folder, x = trained
    found = read_evaluation_set(folder / "classes", load(run))
    assert len(found.rows) == len(x)
    assert found.truth.tolist() == [0] * 30 + [1] * 30  # bright, then dark


def test_a_float64_array_is_cast_by_every_door(trained, tmp_path, capsys):
    run, folder, x = trained
    wide = write(tmp_path, x.astype(np.float64))
    if x.dtype == np.uint8:
        with pytest.raises(DataError, match=r"got float64 .*; take .astype\(np.uint8\)"):
            load(run).predict(x.astype(np.float64))
        return
    model = load(run)
    assert np.array_equal(model.predict_proba(x.astype(np.float64)), model.predict_proba(x))
    written = []
    for place in (folder, wide):
        main(["predict", str(run), str(place / "classes"), "-o", str(tmp_path / "out.csv")])
        main(["evaluate", str(run), str(place / "classes")])
        said = capsys.readouterr().out.replace(str(place), "")
        written.append((said, pd.read_csv(tmp_path / "out.csv").iloc[:, 1:]))
    assert written[0][0] == written[1][0]
    assert written[0][1].equals(written[1][1])
    with pytest.raises(DataError, match="beyond float32"):
        model.predict(np.full_like(x, 1e300, dtype=np.float64))


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda x: x.astype(np.int32), "got int32 .*; take .astype"),
        (lambda x: x[:, :1], r"got \w+ \(60, 1, 10, 12\)"),
        (lambda x: x[0], "got"),
    ],
)
def test_another_array_is_refused(trained, change, got):
    run, _, x = trained
    wanted = re.escape(f"rows are an array {x.dtype} of (N, {x.shape[1]}, 10, 12)")
    with pytest.raises(DataError, match=f"{wanted}; {got}"):
        load(run).predict(change(x))


@pytest.mark.parametrize("form", [pytest.param("onnx", marks=pytest.mark.slow), "torch"])
def test_such_a_network_is_exported(trained, form):
    run, _, x = trained
    artifact, (agreement,) = export(load(run), form)
    assert artifact.inputs == ("pixels" if form == "onnx" else "x",)
    assert f"{x.dtype} (rows, channels, height, width)".encode() in artifact.content
    assert agreement.largest <= 1e-5
