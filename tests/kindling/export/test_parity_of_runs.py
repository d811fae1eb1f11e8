"""Finished runs, exported and opened in plain onnxruntime in another process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits

from kindling import load
from kindling.export.exporter import CheckedRows, export
from kindling.tables.formats import read_table

pytestmark = pytest.mark.slow  # whole runs, each exported and asked in a process of its own
ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
OUTSIDE = Path(__file__).with_name("outside.py")


def ask_outside(content, feed, folder):
    """Write an ONNX file and ask it in a process that has no Kindling."""
    file, rows, answer = (folder / name for name in ("model.onnx", "rows.npz", "answer.npz"))
    file.write_bytes(content)
    arrays = [x.astype(str) if x.dtype == object else x for x in feed.values()]
    numbered = {str(number): array for number, array in enumerate(arrays)}
    np.savez(rows, names=np.array(list(feed)), **numbered)
    subprocess.run([sys.executable, OUTSIDE, file, rows, answer], check=True)
    with np.load(answer) as given:
        return {str(name): given[str(number)] for number, name in enumerate(given["names"])}


def feed_of(model, table):
    """Type raw rows by hand: what a stranger has to do."""
    typed = model.schema.cast(table, "rows")
    return {c.name: typed[c.features[0]].to_numpy().reshape(-1, 1) for c in model.schema.used}


def with_gaps_and_unknown_levels(table):
    """Empty every fifth cell, and put a level that nobody knows into every seventh text."""
    columns = {}
    for shift, name in enumerate(table.column_names):
        cells = table.column(name).to_pylist()
        cells[shift % 5 :: 5] = [None] * len(cells[shift % 5 :: 5])
        columns[name] = pa.array(cells)
        if pa.types.is_string(columns[name].type) and not _are_numbers(cells):
            cells[shift % 7 :: 7] = ["\N{SNOWMAN} unknown"] * len(cells[shift % 7 :: 7])
            columns[name] = pa.array(cells)
    return pa.table(columns)


def _are_numbers(cells):
    known = [cell for cell in cells if cell not in (None, "", "NA")]
    return all(cell.replace(".", "", 1).lstrip("-").isdigit() for cell in known)


def agreement_on(model, table, folder, read=with_gaps_and_unknown_levels):
    """Compare on a table as it is and with gaps; return the largest difference."""
    tables = [table, read(table)]
    artifact, agreements = export(model, rows=[CheckedRows(rows, "a table") for rows in tables])
    assert [agreement.num_rows for agreement in agreements[:2]] == [len(table)] * 2
    rows = pa.concat_tables(tables, promote_options="permissive")
    said = ask_outside(artifact.content, feed_of(model, rows), folder)
    return largest_difference(model, rows, said)


def largest_difference(model, rows, said):
    """Hold what was said outside against `Model.predict`; of values in standard deviations."""
    if model.spec.is_regression:
        return np.abs(said["value"] - model.predict(rows)).max() / model.spec.target_scale
    probs = model.predict_proba(rows)
    clear = np.diff(np.sort(probs, axis=1)[:, -2:])[:, 0] > 1e-5  # no toss-up
    assert clear.mean() > 0.99
    assert (said["label"] == model.predict(rows).astype(said["label"].dtype))[clear].all()
    return np.abs(said["probabilities"] - probs).max()


@pytest.mark.parametrize("name", ["penguins_run", "weight_run"])
def test_penguins_agree(name, request, tmp_path):
    model = load(request.getfixturevalue(name))
    table = read_table(ROOT / "data" / "penguins.csv")
    assert agreement_on(model, table, tmp_path) <= 1e-5


def test_credit_agrees(train, tmp_path):
    model = load(train("experiment=credit", "trainer.max_epochs=1"))
    assert agreement_on(model, read_table(ROOT / "data" / "credit.csv"), tmp_path) <= 1e-5


def test_digits_agree(digits_run, tmp_path):
    model = load(digits_run)
    pixels = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)[:, None]
    artifact, _ = export(model, rows=[CheckedRows(pixels, "digits")])
    said = ask_outside(artifact.content, {"pixels": pixels}, tmp_path)
    assert said["label"].dtype == np.int64
    assert largest_difference(model, pixels, said) <= 1e-5


def shared(name):
    """Return a data set that lies beside the checkout on the machines where Kindling is made."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs {name}, which is not part of the project: no {folder}")
    return folder


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "target", "ignore"), [("ames", "price", "[Order,PID]"), ("adult", "income", "[]")]
)
def test_larger_tables_agree(name, target, ignore, train, tmp_path):
    folder = shared(name)
    files = {part: folder / f"{part}.parquet" for part in ("train", "test")}
    model = load(
        train(
            "data=table",
            f"data.path={files['train']}",
            f"data.test_path={files['test']}",
            f"data.target={target}",
            f"data.ignore={ignore}",
        )
    )
    assert agreement_on(model, read_table(files["test"]), tmp_path) <= 1e-5


@pytest.mark.nightly
def test_colour_images_agree(train, tmp_path):
    folder = shared("sign_digits")
    model = load(train("data=images", f"data.path={folder}", "trainer.max_epochs=1"))
    files = sorted((folder / "test").rglob("*.jpg"))
    artifact, _ = export(model, rows=[CheckedRows(files, "sign digits")])
    said = ask_outside(artifact.content, {"pixels": model.inputs(files)}, tmp_path)
    assert largest_difference(model, files, said) <= 1e-5
