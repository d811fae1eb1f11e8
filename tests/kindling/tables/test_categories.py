"""A cell means the same category, however its table has typed it."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.tables.categories import match_categories, to_category

CODES, ZEROS, PRICES = ("1", "2", "30"), ("007", "010", "12"), ("1.50", "2.00", "0.25")
DAYS = ("2024-01-02", "2024-01-03")


def category(cell, categories, dtype=None):
    column = pa.chunked_array([pa.array([cell], dtype)])
    return to_category(column, categories)[0].as_py()


@pytest.mark.parametrize(
    ("cell", "categories", "meant"),
    [
        (3.0, ("3",), "3"),
        (np.float32(3), ("3",), "3"),
        ("3.0", ("3",), "3"),
        (" 3.00 ", ("3",), "3"),
        ("+3", ("3",), "3"),
        (decimal.Decimal("3.00"), ("3",), "3"),
        (3, ("3.0",), "3.0"),
        ("3", ("3.0",), "3.0"),
        ("3.0", ("3", "3.0"), "3.0"),
        (-0.0, ("0",), "0"),
        (7, ZEROS, "007"),
        ("7", ZEROS, "007"),
        (7.0, ZEROS, "007"),
        (1.5, PRICES, "1.50"),
        (0.25, PRICES, "0.25"),
        (True, ("False", "True"), "True"),
        ("TRUE", ("false", "true"), "true"),
        ("False", ("FALSE", "TRUE"), "FALSE"),
        (datetime.date(2024, 1, 2), DAYS, "2024-01-02"),
        (datetime.datetime(2024, 1, 2), DAYS, "2024-01-02"),
        ("2024-01-02 00:00:00", DAYS, "2024-01-02"),
        ("2024-01-02", ("2024-01-02 00:00:00",), "2024-01-02 00:00:00"),
    ],
)
def test_the_category_that_is_meant_is_found(cell, categories, meant):
    assert category(cell, categories) == meant


@pytest.mark.parametrize(
    ("cell", "categories", "said"),
    [
        (3.5, CODES, "3.5"),
        ("4.0", CODES, "4.0"),
        ("1.5", PRICES, "1.5"),  # text: perhaps a version
        ("7", ("007", "07"), "7"),  # either would do
        ("7", ("x7", "7a"), "7"),
        ("1e1", ("10",), "1e1"),
        ("12000", ("12e3",), "12000"),
        (12000.0, ("12e3",), "12000"),
        ("ulm", ("Ulm",), "ulm"),
        ("yes", ("true", "false"), "yes"),
        ("1", ("true", "false"), "1"),
        ("2024-01-02 10:00:00", DAYS, "2024-01-02 10:00:00"),
        ("9" * 5000, CODES, "9" * 5000),
        (12345678901234567.0, ("12345678901234568",), "1.2345678901234568e+16"),
        (12345678901234567, ("12345678901234568",), "12345678901234567"),
    ],
)
def test_what_might_be_another_stays_unknown(cell, categories, said):
    assert category(cell, categories) == said


def test_what_a_cell_means_does_not_depend_on_its_neighbours():
    alone = [category(cell, CODES) for cell in (1.0, 2.5, None, 30.0)]
    together = to_category(pa.chunked_array([[1.0, 2.5, None, 30.0]]), CODES).to_pylist()
    assert alone == together == ["1", "2.5", "", "30"]


def test_a_frame_says_the_same_as_its_file(tmp_path):
    codes = pd.Series([1, None, 30, 2])
    frame = pd.DataFrame(
        {"code": codes, "whole": codes.astype("Int64"), "any": codes.astype(object)}
    )
    frame.to_csv(tmp_path / "new.csv", index=False)
    text = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    for table in (frame, text):
        for name in table:
            cells = pa.chunked_array([pa.array(table[name], from_pandas=True)])
            assert to_category(cells, CODES).to_pylist() == ["1", "", "30", "2"]


def test_most_cells_are_not_looked_at_one_by_one():
    cells = pa.chunked_array([["1", "2"] * 100_000, ["2.0"] * 100_000])
    matched = match_categories(cells, CODES)
    assert matched.value_counts().to_pylist() == [
        {"values": "1", "counts": 100_000},
        {"values": "2", "counts": 200_000},
    ]
