import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.errors import DataError
from kindling.outputs import in_unit
from kindling.tables.target import read_target, to_target
from kindling.types import DataSpec
from project.data.preprocessing import TargetEncoder, choose_transform


@pytest.mark.parametrize(
    ("cells", "kind", "classes"),
    [
        (["b", "a"], "text", ("a", "b")),
        (["10", "9"], "integer", ("9", "10")),
        ([1.5, 0.5], "number", ("0.5", "1.5")),
        ([True, False], "boolean", ("False", "True")),
        (["true", "false"], "text", ("false", "true")),
        (["7", "007"], "text", ("007", "7")),
        ([2**60, 2**60 + 1], "text", (str(2**60), str(2**60 + 1))),
        ([str(2**60), str(2**60 + 1)], "text", (str(2**60), str(2**60 + 1))),
    ],
)
def test_labels_stay_what_they_were_in_the_users_words(cells, kind, classes):
    y = to_target(read_target(pa.chunked_array([pa.array(cells)])), is_regression=False)
    described = TargetEncoder("y", False).fit(y).describe()
    assert (described["label_kind"], described["classes"]) == (kind, classes)


def test_whole_labels_sort_as_numbers():
    y = to_target(pd.Series([10, 9, 2.0]), is_regression=False)
    assert TargetEncoder("y", False).fit(y).describe()["classes"] == (
        "2",
        "9",
        "10",
    )


def test_classes_are_int64_codes_and_counted():
    y = np.array(["b", "a", "b"], dtype=object)
    encoder = TargetEncoder("y", False).fit(y)
    assert encoder.transform(y).tolist() == [1, 0, 1]
    assert encoder.transform(y).dtype == np.int64
    assert encoder.describe()["class_counts"] == (1, 2)


def test_values_are_standardised_float32():
    y = np.array([10.0, 20.0, 30.0])
    encoder = TargetEncoder("y", True).fit(y)
    z = encoder.transform(y)
    assert z.dtype == np.float32
    assert z.mean() == pytest.approx(0)
    assert z.std() == pytest.approx(1)
    assert encoder.describe()["target_mean"] == 20.0


def test_one_class_only_is_refused():
    with pytest.raises(DataError, match=r"at least two values.*only 'a'"):
        TargetEncoder("y", False).fit(np.array(["a", "a"], dtype=object))


def test_a_label_without_train_rows_is_named():
    encoder = TargetEncoder("y", False).fit(np.array(["a", "b"], dtype=object))
    with pytest.raises(DataError, match="'c' only in val or test"):
        encoder.transform(np.array(["a", "c"], dtype=object))


def test_a_long_tail_is_learnt_as_a_logarithm_where_that_helps():
    normal = np.random.default_rng(0).normal(size=(300, 1))
    tailed = np.exp(1.5 * normal + 6)
    split = dict(zip(("train", "val", "test"), np.split(np.arange(300), [200, 250]), strict=True))
    assert choose_transform(normal, tailed[:, 0], split) == "log1p"
    assert choose_transform(tailed, tailed[:, 0], split) == "none"  # a line does it
    assert choose_transform(normal, normal[:, 0], split) == "none"  # no tail, and below 0


def test_a_logarithm_is_undone_in_the_users_unit():
    y = np.array([0.0, 9.0, 99.0])
    encoder = TargetEncoder("y", True, "log1p").fit(y)
    spec = DataSpec(**encoder.describe())
    assert in_unit(spec, encoder.transform(y)) == pytest.approx(y, abs=1e-4)
