import itertools

import numpy as np
import pytest

from kindling.errors import DataError
from project.data.splits import split_rows


def split(num_rows=100, labels=None, *, seed=0, val=0.15, test=0.15, given=None):
    return split_rows(
        num_rows, labels, val_fraction=val, test_fraction=test, seed=seed, given=given or {}
    )


@pytest.mark.parametrize("num_rows", [3, 10, 101, 5000])
def test_split_is_disjoint_and_covers_all_rows(num_rows):
    joined = np.concatenate(list(split(num_rows, val=0.3, test=0.3).values()))
    assert sorted(joined) == list(range(num_rows))


def test_sizes_are_the_fractions_asked_for():
    sizes = {name: len(rows) for name, rows in split(1000).items()}
    assert sizes == {"train": 700, "val": 150, "test": 150}


def test_the_seed_and_nothing_else_decides():
    np.random.default_rng(9).random()
    for name in ("train", "val", "test"):
        assert (split(seed=0)[name] == split(seed=0)[name]).all()
    assert (split(seed=0)["test"] != split(seed=1)["test"]).any()


def test_every_stage_has_each_class_in_its_share():
    labels = np.repeat([0, 1, 2], [700, 250, 50])
    for rows in split(1000, labels).values():
        share = [np.mean(labels[rows] == label) for label in range(3)]
        assert share == pytest.approx([0.7, 0.25, 0.05], abs=0.01)


def test_a_rare_class_keeps_a_row_for_train():
    labels = np.repeat([0, 1, 2], [97, 2, 1])
    for seed in range(20):
        assert set(labels[split(100, labels, seed=seed)["train"]]) == {0, 1, 2}


def test_a_given_test_set_is_kept_as_it_is():
    given = np.arange(80, 100)
    parts = split(100, given={"test": given})
    assert (parts["test"] == given).all()
    assert len(parts["val"]) == 12  # 15 % of the other 80
    assert len(parts["train"]) == 68


def test_a_fold_leaves_a_given_val_set_alone():
    given, tested = np.arange(80, 100), []
    for fold in range(5):
        fractions = {"val_fraction": 0.15, "test_fraction": 0.15}
        parts = split_rows(100, None, seed=0, given={"val": given}, fold=fold, **fractions)
        assert (parts["val"] == given).all()
        assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
        tested += parts["test"].tolist()
    assert sorted(tested) == list(range(80))


def test_too_few_rows_are_refused():
    with pytest.raises(DataError, match="val needs at least one row"):
        split(3)


# Groups

GROUPS = np.random.default_rng(0).integers(0, 200, 3000).astype(str)


def by_group(seed=0, labels=None, groups=GROUPS, **more):
    more = {"val_fraction": 0.15, "test_fraction": 0.15, "given": {}, **more}
    return split_rows(len(groups), labels, seed=seed, groups=groups, **more)


def test_a_group_lies_in_one_stage_and_every_row_in_some():
    parts = by_group()
    assert sorted(np.concatenate(list(parts.values()))) == list(range(3000))
    sides = [set(GROUPS[rows]) for rows in parts.values()]
    assert len(set().union(*sides)) == sum(map(len, sides))


def test_groups_come_near_the_fractions_and_to_the_share_of_each_class():
    labels = (GROUPS.astype(int) % 4 == 0).astype(np.int64)  # a quarter of the groups
    for rows in list(by_group(labels=labels).values())[1:]:
        assert len(rows) == pytest.approx(450, abs=30)
        assert labels[rows].mean() == pytest.approx(labels.mean(), abs=0.03)


def test_large_groups_are_drawn_as_often_as_small_ones():
    groups = np.repeat(np.arange(100), np.arange(1, 101)).astype(str)
    sizes = [len(set(groups[by_group(seed, groups=groups)["test"]])) for seed in range(50)]
    assert np.mean(sizes) == pytest.approx(15, abs=1)


def test_three_groups_are_enough():
    parts = by_group(groups=np.array(list("aaabbc")))
    assert [len(rows) > 0 for rows in parts.values()] == [True] * 3


def test_a_group_in_a_given_set_and_elsewhere_is_refused():
    with pytest.raises(DataError, match=r"1 groups in test and in the other rows.*row 5"):
        by_group(groups=np.array(list("aabbcc")), given={"test": np.array([5])})


# Time


def by_time(times, **more):
    more = {"val_fraction": 0.15, "test_fraction": 0.15, "given": {}, **more}
    return split_rows(len(times), None, seed=0, times=times, **more)


def test_test_is_the_latest_and_val_the_next():
    times = np.random.default_rng(0).permutation(1000).astype(float)
    train, val, test = (times[rows] for rows in by_time(times).values())
    assert train.max() < val.min()
    assert val.max() < test.min()
    assert [len(part) for part in (train, val, test)] == [700, 150, 150]


def test_rows_of_one_moment_stay_together():
    times = np.repeat(np.arange(10.0), 30)
    parts = by_time(times)
    for one, other in (("train", "val"), ("val", "test"), ("train", "test")):
        assert not set(times[parts[one]]) & set(times[parts[other]])


def test_a_given_test_set_leaves_the_latest_of_the_rest_for_val():
    parts = by_time(np.arange(100.0), given={"test": np.arange(50)})
    assert parts["val"].tolist() == list(range(93, 100))
    assert parts["train"].tolist() == list(range(50, 93))


# Folds


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_folds_are_disjoint_cover_all_rows_and_are_alike(groups):
    labels = np.random.default_rng(1).integers(0, 3, 3000)
    tests = [
        split_rows(
            3000,
            labels,
            val_fraction=0.15,
            test_fraction=0.15,
            seed=0,
            given={},
            groups=groups,
            fold=fold,
        )["test"]
        for fold in range(5)
    ]
    assert sorted(np.concatenate(tests)) == list(range(3000))
    if groups is None:
        assert {len(rows) for rows in tests} == {600}
        assert all(
            abs(np.bincount(labels[rows])[0] - (labels == 0).sum() / 5) < 2 for rows in tests
        )
    else:
        assert all(450 < len(rows) < 750 for rows in tests)
        assert sum(len(set(groups[rows])) for rows in tests) == 200


def test_what_excludes_each_other_is_refused():
    with pytest.raises(DataError, match="folds mix the past with the future"):
        by_time(np.arange(100.0), fold=0)
    with pytest.raises(DataError, match="a fold is the test set"):
        split_rows(
            9,
            None,
            val_fraction=0.2,
            test_fraction=0.2,
            seed=0,
            given={"test": np.arange(2)},
            fold=0,
        )


# Whatever is combined

WAYS = list(
    itertools.product(
        ("", "val", "test", "val test"),  # given
        (None, 0, 3),  # fold
        ("", "group", "time"),
        (False, True),  # labels
        range(3),  # seed
    )
)


@pytest.mark.parametrize(("names", "fold", "by", "has_labels", "seed"), WAYS)
def test_splits_are_disjoint_and_cover_all_rows_whatever_is_combined(
    names, fold, by, has_labels, seed
):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 40, 300).astype(str)
    groups[rng.random(300) < 0.1] = ""  # alone
    parts = np.array_split(rng.permutation(40).astype(str), 5)  # whole groups in each
    own = dict(zip(names.split(), parts, strict=False))
    given = {name: np.flatnonzero(np.isin(groups, part)) for name, part in own.items()}
    words = {
        "val_fraction": 0.2,
        "test_fraction": 0.2,
        "seed": seed,
        "given": given,
        "fold": fold,
        "groups": groups if by == "group" else None,
        "times": rng.random(300) if by == "time" else None,
    }
    labels = rng.integers(0, 3, 300) if has_labels else None
    if fold is not None and ("test" in given or by == "time"):
        with pytest.raises(DataError, match="leave one of them out"):
            split_rows(300, labels, **words)
        return
    found = split_rows(300, labels, **words)
    assert sorted(np.concatenate(list(found.values()))) == list(range(300))
    assert all(len(rows) for rows in found.values())
    for name, rows in given.items():
        assert (found[name] == rows).all()
    if by == "group":
        sides = [set(groups[rows]) - {""} for rows in found.values()]
        assert len(set().union(*sides)) == sum(map(len, sides))


@pytest.mark.parametrize(
    "given",
    [
        {"val": np.array([1, 2, 3]), "test": np.array([3, 4])},
        {"val": np.array([1, 2, 2])},
        {"test": np.array([7, 7])},
    ],
)
def test_a_row_that_is_given_twice_is_refused(given):
    with pytest.raises(DataError, match="a row must lie in one split"):
        split(20, given=given)
