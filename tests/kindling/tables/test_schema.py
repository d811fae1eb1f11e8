import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.errors import DataError
from kindling.tables.asked_columns import leave_out
from kindling.tables.inference import Hints, infer_schema

RAW = {
    "size": [1.0, 2.5, None, 4.0],
    "town": ["Rom", "Rom", "Rom", None],
    "new": ["true", "false", "true", "false"],
    "when": ["2020-01-01", "2021-02-28", "2021-03-01", "2020-12-31"],
}
SCHEMA = infer_schema(pa.table(RAW))


def test_columns_come_in_the_order_of_the_schema_whatever_the_table_has():
    shuffled = pa.table({name: RAW[name] for name in ("when", "town", "size", "new")})
    more = shuffled.append_column("more", pa.array(range(4)))
    expected = SCHEMA.cast(pa.table(RAW), "t.csv")
    pd.testing.assert_frame_equal(SCHEMA.cast(more, "t.csv"), expected)
    assert list(expected)[:3] == ["size", "town", "new"]
    assert expected.town.tolist() == ["Rom", "Rom", "Rom", ""]


def test_text_and_typed_columns_become_the_same():
    text = {name: [None if c is None else str(c) for c in cells] for name, cells in RAW.items()}
    typed = pa.table(RAW | {"when": pd.to_datetime(RAW["when"]), "new": [True, False, True, False]})
    first, second = (SCHEMA.cast(table, "t") for table in (pa.table(text), typed))
    pd.testing.assert_frame_equal(first, second)


def test_a_date_has_its_parts():
    row = SCHEMA.cast(pa.table(RAW), "t.csv").iloc[1]
    assert row["when (year)"] == 2021
    assert row["when (month)"] == 2
    assert row["when (weekday)"] == 6  # a Sunday
    assert row["when (days since 1970)"] == 18686


def test_absent_columns_are_named_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'sise'") as caught:
        SCHEMA.cast(pa.table({"sise": [1.0]}), "new.csv")
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("name", "cell", "word"),
    [("size", "4O", "numbers"), ("when", "soon", "dates"), ("new", "x", "booleans")],
)
def test_a_cell_that_does_not_fit_is_pointed_at(name, cell, word):
    bad = pa.table(RAW | {name: ["", cell, "", cell]})
    with pytest.raises(DataError, match=f"{name}.*{word}") as caught:
        SCHEMA.cast(bad, "new.csv", np.arange(10, 14))
    assert (
        caught.value.problems[0].got == f"'{cell}' in row 11 (counted from 0), 2 such cells in all"
    )
    assert leave_out(name) in caught.value.problems[0].fix


def cells_of(columns, **cells):
    """Cast one row whose columns are inferred from train rows."""
    schema = infer_schema(pa.table(columns), Hints({"when": "date"} if "when" in columns else {}))
    return schema.cast(pa.table({name: [cell] for name, cell in cells.items()}), "t").iloc[0, 0]


@pytest.mark.parametrize("cell", [True, "True", "TRUE", " true", 1, 1.0, "1.0"])
def test_a_number_that_is_always_0_or_1_may_come_as_a_boolean(cell):
    assert cells_of({"is_new": [0, 1, 1, 0]}, is_new=cell) == 1.0


@pytest.mark.parametrize("cell", [True, "true"])
def test_a_boolean_among_other_numbers_is_refused_however_it_is_typed(cell):
    with pytest.raises(DataError, match=r"size.*holds numbers"):
        cells_of({"size": [0.0, 2.5, 3.0]}, size=cell)


@pytest.mark.parametrize("cell", ["20240131", 20240131, 20240131.0])
def test_a_date_of_digits_may_come_as_a_number(cell):
    days = (np.datetime64("2024-01-31") - np.datetime64("1970-01-01")).astype(int)
    assert cells_of({"when": ["20240101", "20231231", ""]}, when=cell) == days


def test_lists_among_numbers_are_pointed_at():
    with pytest.raises(DataError, match=r"\[1\] in row 0"):
        SCHEMA.cast(pa.table(RAW | {"size": [[1], None, None, None]}), "new.parquet")


def test_every_full_hour_is_its_own_hour_and_far_dates_are_dates():
    hours = pd.date_range("1899-12-30", "2035-01-01", freq="7h")
    columns = pa.table({"when": pa.array(hours)})
    parts = infer_schema(columns).cast(columns, "t")
    assert (parts["when (hour)"] == hours.hour).all()
    assert (parts["when (year)"] == hours.year).all()
    assert (parts["when (weekday)"] == hours.day_of_week).all()
    far = pa.table({"when": ["9998-11-30", "0002-01-01", "2024-02-29"]})
    assert infer_schema(far).cast(far, "t")["when (year)"].tolist() == [9998, 2, 2024]
