import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.tables import column_types
from kindling.tables.categories import to_category
from kindling.tables.date_text import DateStyle


def column(*cells, kind=None):
    return pa.chunked_array([pa.array(cells, kind)])


def test_text_and_numbers_say_the_same():
    assert column_types.to_number(column(" 7 ", "1.5", "-2e3")).to_pylist() == [7, 1.5, -2000]
    assert column_types.to_number(column(7, None)).to_pylist() == [7, None]


@pytest.mark.parametrize("marker", ["", "NA", "?", " nan ", "-"])
def test_markers_of_missing_numbers_are_missing(marker):
    assert column_types.to_number(column(marker, "1")).to_pylist() == [None, 1]


def test_infinity_counts_as_missing():
    assert column_types.to_number(column(1.0, np.inf)).to_pylist() == [1, None]
    assert column_types.to_number(column("1", "-inf")).to_pylist() == [1, None]


def test_a_code_read_as_a_category_loses_no_digit_and_gains_no_decimal():
    assert to_category(column(7.0, None, 12.0)).to_pylist() == ["7", "", "12"]
    words = column("007", " a ", "NA", "")
    assert to_category(words).to_pylist() == ["007", "a", "NA", ""]
    assert to_category(words, missing=["NA"]).to_pylist() == ["007", "a", "", ""]
    assert to_category(words, empty="NA").to_pylist() == ["007", "a", "NA", "NA"]


@pytest.mark.parametrize("cell", ["1.0", "1", " TRUE ", "yes", "1.", 1.0, 1, True, "+1"])
def test_a_boolean_is_true_however_it_is_typed(cell):
    assert column_types.to_boolean(column(cell, None)).to_pylist() == [1, None]


@pytest.mark.parametrize("cell", ["0.5", "2", 2, 0.5, "1.0x"])
def test_what_is_neither_true_nor_false_is_nothing(cell):
    assert column_types.to_boolean(column(cell, None)).to_pylist() == [None, None]


def test_a_boolean_with_gaps_becomes_zero_one_and_nothing():
    assert column_types.to_boolean(column(True, None, False)).to_pylist() == [1, None, 0]
    assert column_types.to_boolean(column("TRUE", "", "no", "perhaps")).to_pylist() == [
        1,
        None,
        0,
        None,
    ]
    assert column_types.to_boolean(column(1, 0, 7)).to_pylist() == [1, 0, None]


def test_a_date_counts_days():
    dates = pd.Series(pd.to_datetime(["1970-01-01 00:00", None, "1970-01-03 12:00"]))
    assert column_types.to_days(pa.chunked_array([pa.array(dates)]), DateStyle()).to_pylist() == [
        0,
        None,
        2.5,
    ]
    style = DateStyle("%d.%m.%Y")
    assert column_types.to_days(column("03.01.1970", "x"), style).to_pylist() == [2, None]


def test_whole_numbers_are_those_that_lose_nothing_as_float64():
    assert column_types.is_whole(column(1.0, None, -3.0))
    assert not column_types.is_whole(column(1.5))
    assert not column_types.is_whole(column(2.0**53 + 2))
