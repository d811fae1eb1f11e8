import numpy as np
import pytest

from kindling.data.split import split_rows
from kindling.errors import DataError


def split(num_rows=100, labels=None, *, seed=0, val=0.15, test=0.15, given=None):
    return split_rows(
        num_rows, labels, val_fraction=val, test_fraction=test, seed=seed, given=given or {}
    )


@pytest.mark.parametrize("num_rows", [3, 10, 101, 5000])
def test_split_is_disjoint_and_covers_all_rows(num_rows):
    joined = np.concatenate(list(split(num_rows, val=0.3, test=0.3).values()))
    assert sorted(joined) == list(range(num_rows))


def test_sizes_are_the_fractions_asked_for():
    sizes = {stage: len(rows) for stage, rows in split(1000).items()}
    assert sizes == {"train": 700, "val": 150, "test": 150}


def test_the_seed_and_nothing_else_decides():
    np.random.default_rng(9).random()
    for stage in ("train", "val", "test"):
        assert (split(seed=0)[stage] == split(seed=0)[stage]).all()
    assert (split(seed=0)["test"] != split(seed=1)["test"]).any()


def test_every_stage_has_each_class_in_its_share():
    labels = np.array(["a"] * 700 + ["b"] * 250 + ["c"] * 50)
    for rows in split(1000, labels).values():
        share = [np.mean(labels[rows] == name) for name in "abc"]
        assert share == pytest.approx([0.7, 0.25, 0.05], abs=0.01)


def test_a_rare_class_keeps_a_row_for_train():
    labels = np.array(["a"] * 97 + ["b"] * 2 + ["c"])
    for seed in range(20):
        assert set(labels[split(100, labels, seed=seed)["train"]]) == {"a", "b", "c"}


def test_a_given_test_set_is_kept_as_it_is():
    given = np.arange(80, 100)
    parts = split(100, given={"test": given})
    assert (parts["test"] == given).all()
    assert len(parts["val"]) == 12  # 15 % of the other 80
    assert len(parts["train"]) == 68


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="val needs at least one row"):
        split(3)
