"""Files of other programs and countries get by every door the answers of the rows in training.

Fifteen files with the slow tests; three hundred in the nightly ones, which
KINDLING_FUZZ makes new ones. What cells mean is known of each file, see `foreign_tables`.
"""

import functools
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from kindling.bundle.bundle import write_bundle
from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.bundle.model_config import model_config_of
from kindling.checks.columns import check_columns, take_sample
from kindling.errors import DataError
from kindling.tables.source import TableSource
from project.data.datamodule import DataModule
from project.models.mlp import MLP
from tests.kindling.doors import doors
from tests.kindling.foreign_tables import EPOCH, foreign_tables
from tests.kindling.serve.asking import Asked

QUIET = {
    "phases": (Phase.generate,),
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}
FEW = 4  # rows of a new file, which show less of how it is written than the train rows did
LOADING = {
    "batch_size": "auto", "eval_batch_size": 64, "val_fraction": 0.15, "test_fraction": 0.15,
    "drop_last": False, "num_workers": 0, "seed": 0,
}  # fmt: skip


def read_data(file, target):
    task = "classification" if target == "word" else "regression"
    source = TableSource(str(file), target, task=task, drop_missing_target=True)
    data = DataModule(source, **LOADING)
    data.setup()
    return data


def save(data, folder):
    """Write a bundle as a run does, of a network that was not trained."""
    torch.manual_seed(0)
    network = MLP(data.spec, width=16)
    write_bundle(
        folder, model_config=model_config_of(functools.partial(MLP, width=16), network, data.spec),
        network=network, spec=data.spec, schema=data.schema, preprocessor=data.preprocessor,
        batch_size=64, metrics={},
    )  # fmt: skip
    return folder


def as_pandas_reads(foreign, rows, kept):
    """Return the file as `read_csv` types it, and the text of columns that it reads otherwise."""
    text = io.StringIO(foreign.text(rows))
    frame = pd.read_csv(text, sep=foreign.separator, skiprows=len(foreign.titles))
    for name, cells in foreign.cells(rows).items():
        truth = [foreign.truth[name][row] for row in rows] if name in foreign.truth else cells
        if name in kept or (name in frame and not is_read_as_meant(frame[name], truth)):
            frame[name] = cells
    return frame


def is_read_as_meant(column, truth):
    """Say whether numbers of pandas are the very ones; text is as it was in the file."""
    if not pd.api.types.is_numeric_dtype(column):
        return True
    if isinstance(truth[0], str):  # such as 01067
        return [str(value) for value in column] == truth
    return np.allclose(column.astype(float), truth, equal_nan=True)


def as_meant(foreign, rows, model, kept):
    """Return the truth: floats and moments, where they have no zone."""
    columns = foreign.cells(rows)
    for column in model.schema.used:
        if column.name in kept or column.column_type == "category":
            continue
        truth = pd.Series([foreign.truth[column.name][row] for row in rows])
        if column.column_type == "boolean":
            columns[column.name] = truth.map({1: True, 0: False})
        elif column.column_type == "number":
            columns[column.name] = truth
        elif not column.zones:
            columns[column.name] = EPOCH + pd.to_timedelta((truth * 86400).round(), unit="s")
    return pd.DataFrame(columns)


def by_every_door(foreign, rows, model, asked, folder, kept):
    """Return what each door says of these rows; `kept` are columns whose text has two readings."""
    cells = foreign.cells(rows)
    file = folder / "new.csv"
    file.write_bytes(foreign.content(rows))
    meant = as_meant(foreign, rows, model, kept)
    typed = {name: [*cells] for name, cells in meant.select_dtypes("number").items()}
    return {
        "predict new.csv": doors.by_file(lambda *_: file)(model, cells, folder),
        "evaluate": model.scores(read_evaluation_set(file, model).rows),
        "text": model.scores(pd.DataFrame(cells, dtype=object)),
        "read_csv": model.scores(as_pandas_reads(foreign, rows, kept)),
        "what is meant": model.scores(meant),
        "predict new.parquet": doors.by_file(doors.write_parquet)(model, cells, folder),
        "JSON": doors.served(doors.ask_json)(asked, cells),
        "JSON of numbers": doors.served(doors.ask_json)(asked, cells | typed),
        "an upload": doors.served(lambda asked, _: asked.file(file.read_bytes()))(asked, cells),
        "the exported program": doors.exported(model, cells),
    }


def check_meaning(foreign, data, kept):
    """Hold what was read of the train file against what is meant."""
    (table,), rows = data.raw.x, data.raw.names
    features = data.schema.cast(table.take(np.arange(len(rows))), table.file)
    meant = {name: [truth[row] for row in rows] for name, truth in foreign.truth.items()}
    target = data.raw.y.tolist()
    expected = meant[data.raw.target]
    if not data.raw.hints.target.is_doubtful:  # which the plan says
        right = pytest.approx(expected, rel=1e-12) if data.spec.is_regression else expected
        assert target == right
    for column in data.schema.used:
        if column.name in kept:
            continue
        read = features[column.features[0]].tolist()
        assert column.column_type == foreign.types[column.name], column
        if column.column_type == "category":
            assert read == meant[column.name]
        else:
            assert read == pytest.approx(meant[column.name], rel=1e-12, nan_ok=True), column


def check(foreign, target, seed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.csv").write_bytes(foreign.content())
        note((target, foreign.content()[:400]))
        try:
            data = read_data(folder / "train.csv", target)
        except DataError as error:  # cells are pointed at: nothing of it is silent
            assert all(p.column for p in error.problems)  # noqa: PT017
            return error
        found = check_columns(take_sample(data), data.schema)
        kept = {p.column for p in found if p.severity == "warning"}
        check_meaning(foreign, data, kept)
        asked = Asked(save(data, folder / "bundle"))
        model = asked.model
        expected = model.read(model.outputs(data.x.numpy()))
        near = 1e-6 * data.spec.target_scale  # of 1 for classes: a mean of large values cancels out
        few = np.sort(np.random.default_rng(seed).choice(len(expected), FEW, replace=False))
        for some in (np.arange(len(expected)), few, few[:1]):
            rows = data.raw.names[some].tolist()
            answers = by_every_door(foreign, rows, model, asked, folder, kept)
            for door, answer in answers.items():
                assert not isinstance(answer, frozenset), f"{door}: {answer}"
                assert answer == pytest.approx(expected[some], rel=1e-5, abs=near), (door, rows)
    return None


files = given(foreign_tables(), st.sampled_from(["word", "amount 0"]), st.integers(0, 2**32 - 1))


@pytest.mark.slow
@settings(max_examples=15, derandomize=True, **QUIET)
@files
def test_foreign_rows_get_one_answer(foreign, target, seed):
    check(foreign, target, seed)


@pytest.mark.nightly
@settings(max_examples=300, derandomize="KINDLING_FUZZ" not in os.environ, **QUIET)
@files
def test_many_foreign_rows_get_one_answer(foreign, target, seed):
    check(foreign, target, seed)
