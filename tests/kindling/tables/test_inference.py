import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.errors import DataError
from kindling.tables.inference import Hints, infer_schema

RNG = np.random.default_rng(0)
ONES = ["a", "b", "c"] * 10


def infer(cells, **asked):
    (column,) = infer_schema(pa.table({"c": pa.array(cells)}), Hints(asked)).columns
    return column


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None, 3.0], "number"),
        (["1", "2", None], "number"),
        (["1,234", " 7 ", "?"], "number"),
        (["0,5", "1,25"], "number"),
        ([*map(str, range(9)), "oh"], "number"),
        ([True, False, True], "boolean"),
        (["True", "", "false"], "boolean"),
        (["a", "b", None], "category"),
        (["1", "b", "c"], "category"),
        (["007", "010", "100"], "category"),
        (["2020-01-01", "2021-05-05"], "date"),
        (["31.12.2020", "01.02.2021"], "date"),
        (pd.to_datetime(["2020-01-01", None, "2021-05-05"]), "date"),
        ([None, None, None], "empty"),
        (["", "NA", "?"], "empty"),
        ([3, 3, 3], "constant"),
        (["x", "x"], "constant"),
        (range(100, 200), "id"),
        ([f"u{i:03}" for i in range(50)], "id"),
        ([f"words of a long text number {i}" for i in range(50)], "text"),
        ([[1], [2, 3]], "text"),
        (RNG.integers(0, 10**6, 50), "number"),
    ],
)
def test_column_type_follows_the_cells(cells, kind):
    assert infer(cells).column_type == kind


def test_whole_numbers_that_all_differ_are_an_id_where_the_name_says_so():
    numbers = RNG.permutation(10**6)[:50]
    kinds = {
        name: infer_schema(pa.table({name: numbers})).columns[0].column_type
        for name in ("customer_id", "PID", "orderNumber", "paid", "area")
    }
    assert kinds == {
        **dict.fromkeys(("customer_id", "PID", "orderNumber"), "id"),
        **dict.fromkeys(("paid", "area"), "number"),
    }


def test_the_user_has_the_last_word():
    assert infer([1, 2], c="category").categories == ()
    assert infer(range(100), c="number").column_type == "number"
    with pytest.raises(DataError, match="choose from number, boolean, category, date"):
        infer([1, 2], c="text")


def test_what_is_left_out_has_no_features_and_says_why():
    column = infer(range(100))
    assert (column.features, column.why) == ((), "100 values in 100 rows")


def test_gaps_get_a_column_of_their_own_unless_they_are_rare():
    assert infer([1.0, 2.0, None, None, None]).features == ("c", "c is missing")
    assert infer([1.0, 2.0, None, None]).features == ("c",)


def test_rare_categories_are_pooled():
    column = infer([*ONES, "d", "d"])
    assert column.categories == ("a", "b", "c")
    assert "1 rare categories pooled" in column.why


def test_a_date_becomes_parts_with_an_hour_only_where_there_is_one():
    assert len(infer(["2020-01-01", "2021-05-05"]).features) == 4
    assert infer(["2020-01-01 10:00", "2021-05-05 11:30"]).features[-1] == "c (hour)"


def test_names_of_made_columns_do_not_take_those_of_others():
    gaps = [1.0, 2.0, None, None, None]
    schema = infer_schema(pa.table({"c": gaps, "c is missing": range(5)}))
    features = [name for column in schema.columns for name in column.features]
    assert len(set(features)) == len(features) == 3


def test_ranges_are_those_of_the_train_rows():
    column = infer([3, 1, None, 2])
    assert (column.low, column.high, column.num_missing, column.is_whole) == (1, 3, 1, True)


def test_three_decimals_behind_a_comma_are_no_thousands():
    column = infer(["0,785", "1,234", "2,500"] * 10)
    assert (column.decimal, column.low, column.high) == (",", 0.785, 2.5)
