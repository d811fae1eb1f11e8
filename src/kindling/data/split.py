"""Number of rows, labels and a seed in; disjoint row indices of train, val and test out."""

from collections.abc import Mapping

import numpy as np

from kindling.data.units import group_folds, group_stages, row_folds, row_stages, time_stages
from kindling.errors import DataError, Problem
from kindling.keyed import key
from kindling.types import STAGES, Stage

Split = dict[Stage, np.ndarray]
MAX_NAMED = 5  # groups that a message names


def split_rows(
    num_rows: int,
    labels: np.ndarray | None,
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    given: Mapping[Stage, np.ndarray],
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
    fold: int | None = None,
    num_folds: int = 5,
) -> Split:
    """Give every row one stage, keyed by the seed; a val or test set that the user gave is kept.

    Args:
        num_rows: N, all rows of the source.
        labels: int64 class codes (N,) to stratify by, or None.
        val_fraction: share of the rows that are not given, in (0, 1).
        test_fraction: likewise.
        seed: another seed, another split.
        given: row indices of a val or test set of the user's own.
        groups: int64 codes (N,): rows with the same one stay together; or None.
        times: float64 (N,): the test rows are the latest, the val rows the next; or None.
        fold: test is this one of num_folds parts of all rows, counted from 0; or None.
        num_folds: parts, at least 2.

    Returns:
        Sorted int64 row indices per stage: disjoint, together all N rows. Every class keeps at
        least one row for train where rows are split one by one.

    Raises:
        DataError: a stage would be empty, a group would be torn apart by what is given, or
            two ways to split exclude each other.
    """
    refuse_contradictions(given, groups, times, fold)
    classes = np.zeros(num_rows, np.int64) if labels is None else labels
    if fold is not None:
        rng = np.random.default_rng(key(seed, "folds"))
        folds = (
            row_folds(classes, num_folds, rng)
            if groups is None
            else group_folds(classes, groups, num_folds, rng)
        )
        given = {**given, "test": np.flatnonzero(folds == fold)}
    is_free = np.ones(num_rows, dtype=bool)
    for rows in given.values():
        is_free[rows] = False
    free = np.flatnonzero(is_free)
    fractions = [
        0.0 if stage in given else fraction
        for stage, fraction in (("val", val_fraction), ("test", test_fraction))
    ]
    if times is not None:
        stages = time_stages(times[free], fractions)
    elif groups is not None:
        refuse_torn_groups(groups, given, free)
        rng = np.random.default_rng(key(seed, "split"))
        stages = group_stages(classes[free], groups[free], fractions, rng)
    else:
        stages = row_stages(classes[free], fractions, np.random.default_rng(key(seed, "split")))
    split = {stage: free[stages == number] for number, stage in enumerate(STAGES)}
    split |= {stage: np.sort(rows) for stage, rows in given.items()}
    refuse_empty(split, num_rows)
    return split


def refuse_contradictions(
    given: Mapping[Stage, np.ndarray],
    groups: np.ndarray | None,
    times: np.ndarray | None,
    fold: int | None,
) -> None:
    """Raise a DataError where two ways to split were asked for that exclude each other."""
    problems = []
    if fold is not None and times is not None:
        rule = "folds mix the past with the future, which data.time is to prevent"
        problems.append(Problem(rule, "data.fold and data.time", "leave one of them out", "D302"))
    if groups is not None and times is not None:
        rule = "rows are split by group or by time"
        problems.append(Problem(rule, "data.group and data.time", "leave one of them out", "D302"))
    if fold is not None and "test" in given:
        rule = "a fold is the test set"
        got = "data.fold and a test set of its own"
        problems.append(Problem(rule, got, "leave one of them out", "D302"))
    if problems:
        raise DataError(*problems)


def refuse_torn_groups(
    groups: np.ndarray, given: Mapping[Stage, np.ndarray], free: np.ndarray
) -> None:
    """Raise a DataError where a group has rows in a given set and elsewhere."""
    parts = [*given.items(), ("the other rows", free)]
    problems = []
    for number, (name, rows) in enumerate(parts):
        for other, others in parts[number + 1 :]:
            torn = np.intersect1d(groups[rows], groups[others])
            if len(torn):
                row = int(rows[np.isin(groups[rows], torn)][0])
                got = f"{len(torn):,} groups in {name} and in {other}, such as that of row {row}"
                fix = "give files that share no group, or leave data.group out"
                problems.append(Problem("a group must lie in one stage", got, fix, "D303"))
    if problems:
        raise DataError(*problems)


def refuse_empty(split: Split, num_rows: int) -> None:
    """Raise a DataError that lists the stages without a row."""
    problems = [
        Problem(
            f"{stage} needs at least one row",
            f"{num_rows} rows in all",
            f"give more rows or change data.{stage}_fraction"
            if stage != "train"
            else "give more rows, or smaller data.val_fraction and data.test_fraction",
            "D301",
        )
        for stage, rows in split.items()
        if len(rows) == 0
    ]
    if problems:
        raise DataError(*problems)
