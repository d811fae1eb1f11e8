"""What is read of foreign files equals the truth, or a warning names the column that is in doubt.

Thirty files, always the same; with `-m nightly` three hundred that KINDLING_FUZZ makes new ones.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from kindling.checks.columns import Rows, check_columns
from kindling.errors import DataError
from kindling.tables.csv_dialect import AUTO
from kindling.tables.decimal_sign import evidence_of_file
from kindling.tables.formats import read_table, separator_of
from kindling.tables.inference import Hints, infer_schema
from tests.kindling.foreign_tables import ROWS, foreign_tables

QUIET = {
    "phases": (Phase.generate,),
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


def check(foreign):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "foreign.csv"
        file.write_bytes(foreign.content())
        table = read_table(file)
        shown = evidence_of_file(table.itercolumns(), separator_of(file, AUTO))
    assert set(foreign.truth) <= set(table.column_names)
    schema = infer_schema(table, Hints(file=shown))
    found = check_columns({"train": Rows(table, np.arange(len(table)))}, schema)
    warned = {p.column for p in found if p.severity == "warning"}
    note((foreign.content()[:400], warned))
    try:
        features = schema.cast(table, "foreign.csv")
    except DataError as error:  # cells are pointed at: nothing of it is silent
        assert all(p.column for p in error.problems)  # noqa: PT017
        return
    for column in schema.columns:
        if column.name not in foreign.truth or column.name in warned:
            continue
        truth = foreign.truth[column.name]
        if column.column_type in ("constant", "empty"):
            assert len({str(value) for value in truth} - {"nan"}) <= 1
            continue
        assert column.column_type == foreign.types[column.name], column
        read = features[column.features[0]].tolist()
        if column.column_type == "category":
            assert read == truth
        else:
            assert read == pytest.approx(truth, rel=1e-12, nan_ok=True), column


def test_what_is_drawn_has_rows():
    assert ROWS > 20


@pytest.mark.slow
@settings(max_examples=30, derandomize=True, **QUIET)
@given(foreign_tables())
def test_a_foreign_file_is_read_as_it_was_meant_or_is_in_doubt(foreign):
    check(foreign)


@pytest.mark.nightly
@settings(max_examples=300, derandomize="KINDLING_FUZZ" not in os.environ, **QUIET)
@given(foreign_tables())
def test_many_foreign_files_are_read_as_they_were_meant(foreign):
    check(foreign)
