import numpy as np
import pandas as pd
import pytest

from kindling.data.kinds import infer_kinds, type_columns


def kinds_of(**columns):
    return infer_kinds(pd.DataFrame(columns), {})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None, 3.0], "number"),
        (["1", "2", None], "number"),
        ([True, False, True], "boolean"),
        ([True, None, False], "boolean"),
        (["a", "b", None], "category"),
        (["1", "b", "c"], "category"),
        (pd.to_datetime(["2020-01-01", None, "2021-05-05"]), "number"),
        ([None, None, None], "category"),
    ],
)
def test_kind_follows_the_cells(cells, kind):
    assert kinds_of(column=cells) == {"column": kind}


def test_the_user_has_the_last_word():
    assert infer_kinds(pd.DataFrame({"zip": [1, 2]}), {"zip": "category"}) == {"zip": "category"}


def typed(cells, kind):
    table, problems = type_columns(pd.DataFrame({"c": cells}), {"c": kind}, "file.csv")
    return table["c"].tolist(), problems


def test_a_code_read_as_a_category_loses_no_digit_and_gains_no_decimal():
    assert typed([7.0, None, 12.0], "category")[0] == ["7", "", "12"]


def test_a_boolean_with_gaps_becomes_zero_one_and_nan():
    assert np.array_equal(typed([True, None, False], "boolean")[0], [1, np.nan, 0], equal_nan=True)


def test_infinity_counts_as_missing():
    assert np.isnan(typed([1.0, np.inf], "number")[0][1])


def test_a_date_counts_days():
    assert typed(pd.to_datetime(["1970-01-01", "1970-01-03"]), "number")[0] == [0.0, 2.0]


def test_text_among_numbers_is_pointed_at():
    _, problems = typed([*map(str, range(20)), "4O"], "number")
    assert "'4O' in row 20" in problems[0].got
    assert "data.ignore=[c]" in problems[0].fix
