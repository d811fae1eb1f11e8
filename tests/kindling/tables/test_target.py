import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.tables.target import infer_task, read_target


@pytest.mark.parametrize(
    ("values", "is_regression", "reason"),
    [
        (["a", "b"], False, "holds labels"),
        ([True, False], False, "holds labels"),
        ([0, 1, 1], False, "2 distinct whole numbers"),
        ([1.0, 2.0], False, "2 distinct whole numbers"),
        ([1.5, 2.5], True, "2 distinct numbers"),
        (list(range(21)), True, "21 distinct numbers"),
    ],
)
def test_task_follows_the_target_and_says_why(values, is_regression, reason):
    target = read_target(pa.chunked_array([pa.array(values)]))
    decided, why = infer_task(target.rename("y"), "auto")
    assert decided is is_regression
    assert reason in why


def test_the_user_can_overrule():
    assert infer_task(pd.Series([1, 2], name="y"), "regression") == (True, "data.task=regression")


def test_a_quantity_may_have_zeros_in_front_many_digits_or_commas():
    def read(*cells, task="regression"):
        return read_target(pa.chunked_array([pa.array(cells)]), task).tolist()

    assert read("007", str(2**60), "") == [7, 2**60, pytest.approx(np.nan, nan_ok=True)]
    assert read("0,5", "1.234,5") == [0.5, 1234.5]
    assert read(*(10**17 + k for k in range(21)), task="auto")[0] == 1e17


def test_durations_and_times_are_quantities():
    for kind in (pa.duration("ms"), pa.time32("ms")):
        assert read_target(pa.chunked_array([pa.array([1500], kind)])).tolist() == [1.5]


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan", "N/A", "?", "unknown"])
def test_labels_are_the_users_and_empty_cells_alone_are_missing(word):
    cells = pa.chunked_array([pa.array(["Insomnia", word, "", None, " Apnea"])])
    assert read_target(cells).tolist() == ["Insomnia", word, None, None, "Apnea"]
    named = read_target(cells, missing=[word])
    assert named.tolist() == ["Insomnia", None, None, None, "Apnea"]


@pytest.mark.parametrize("word", ["NA", "n/a", "?"])
def test_a_marker_among_numbers_is_missing_unless_classes_are_asked_for(word):
    cells = pa.chunked_array([pa.array(["0", word, "1", "0"])])
    assert read_target(cells).isna().tolist() == [False, True, False, False]
    assert read_target(cells, "classification").tolist() == ["0", word, "1", "0"]


def test_words_among_many_numbers_are_missing_quantities():
    cells = pa.chunked_array([pa.array([*map(str, range(50)), "unknown", "-"])])
    assert read_target(cells).isna().tolist() == [*[False] * 50, True, True]
