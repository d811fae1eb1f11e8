"""Split rows into train, val and test: at random, stratified, by group, by time or into folds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kindling.errors import DataError, Problem
from kindling.rng import derive_seed
from kindling.types import SPLITS, Split

SplitRows = dict[Split, np.ndarray]
TRAIN, VAL, TEST = 0, 1, 2  # how the functions below number the splits
NO_GROUP = ""  # the value of a row that belongs to no group


def split_rows(
    num_rows: int,
    labels: np.ndarray | None,
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    given: Mapping[Split, np.ndarray],
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
    fold: int | None = None,
    num_folds: int = 5,
) -> SplitRows:
    """Give every row one split, drawn by the seed; a val or test set that the user gave is kept.

    Args:
        num_rows: N, all rows of the source.
        labels: int64 class codes (N,) to stratify by, or None.
        val_fraction: share of the rows that are not given, in (0, 1).
        test_fraction: likewise.
        seed: another seed, another split.
        given: row indices of a val or test set of the user's own.
        groups: (N,) values: rows with the same one stay together, NO_GROUP is alone; or None.
        times: float64 (N,): the test rows are the latest, the val rows the next; or None.
        fold: test is this one of num_folds parts of the rows that are not given, from 0; or None.
        num_folds: parts, at least 2.

    Returns:
        Sorted int64 row indices per split: disjoint, together all N rows. Every class keeps at
        least one row for train where rows are split one by one.

    Raises:
        DataError: a split would be empty, a row or a group would lie in two because of what is
            given, or two ways to split exclude each other.
    """
    refuse_contradictions(given, groups, times, fold)
    refuse_shared(given)
    classes = np.zeros(num_rows, np.int64) if labels is None else labels
    members = None if groups is None else group_codes(groups)
    # Given rows first: neither a fold nor a draw may take a row that the user has placed.
    free = rows_not_in(given, num_rows)
    if fold is not None:
        rng = np.random.default_rng(derive_seed(seed, "folds"))
        folds = (
            random_folds(classes[free], num_folds, rng)
            if members is None
            else group_folds(classes[free], members[free], num_folds, rng)
        )
        given = {**given, "test": free[folds == fold]}
        free = rows_not_in(given, num_rows)
    fractions = [
        0.0 if split in given else fraction
        for split, fraction in (("val", val_fraction), ("test", test_fraction))
    ]
    rng = np.random.default_rng(derive_seed(seed, "split"))
    if times is not None:
        numbers = time_split(times[free], fractions)
    elif members is not None:
        refuse_torn_groups(members, given, free)
        numbers = group_split(classes[free], members[free], fractions, rng)
    else:
        numbers = random_split(classes[free], fractions, rng)
    rows = {split: free[numbers == number] for number, split in enumerate(SPLITS)}
    rows |= {split: np.sort(some) for split, some in given.items()}
    refuse_empty(rows, num_rows)
    whole = np.bincount(np.concatenate(list(rows.values())), minlength=num_rows)
    assert (whole == 1).all(), "every row must lie in one split"
    return rows


def rows_not_in(given: Mapping[Split, np.ndarray], num_rows: int) -> np.ndarray:
    """Return the rows whose split nobody has fixed."""
    is_free = np.ones(num_rows, dtype=bool)
    for rows in given.values():
        is_free[rows] = False
    return np.flatnonzero(is_free)


def group_codes(groups: np.ndarray) -> np.ndarray:
    """Number the groups: int64 (N,), equal where the values are; a row without one is alone."""
    return np.where(
        groups == NO_GROUP, len(groups) + np.arange(len(groups)), pd.factorize(groups)[0]
    )


def refuse_contradictions(
    given: Mapping[Split, np.ndarray],
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


def refuse_shared(given: Mapping[Split, np.ndarray]) -> None:
    """Raise a DataError where the user has given a row to two sets, or twice to one."""
    rows = np.sort(np.concatenate([np.empty(0, np.int64), *given.values()]))
    shared = rows[1:][rows[1:] == rows[:-1]]
    if len(shared):
        got = f"{len(shared):,} rows twice in {' and '.join(given)}, such as row {shared[0]}"
        fix = "give sets that share no row"
        raise DataError(Problem("a row must lie in one split", got, fix, "D309"))


def refuse_torn_groups(
    groups: np.ndarray, given: Mapping[Split, np.ndarray], free: np.ndarray
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
                problems.append(Problem("a group must lie in one split", got, fix, "D303"))
    if problems:
        raise DataError(*problems)


def refuse_empty(found: SplitRows, num_rows: int) -> None:
    """Raise a DataError that lists the splits without a row."""
    problems = [
        Problem(
            f"{split} needs at least one row",
            f"{num_rows} rows in all",
            f"give more rows or change data.{split}_fraction"
            if split != "train"
            else "give more rows, or smaller data.val_fraction and data.test_fraction",
            "D301",
        )
        for split, rows in found.items()
        if len(rows) == 0
    ]
    if problems:
        raise DataError(*problems)


def random_split(
    classes: np.ndarray, fractions: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw rows one by one, as many of each class as its share; each class keeps one for train."""
    # A row's place among those of its class, in random order, decides: exact shares of each class.
    order = rng.permutation(len(classes))
    rank, counts, codes = _rank_in_class(classes[order])
    numbers = np.zeros(len(classes), dtype=np.int8)
    used = np.zeros_like(counts)
    for number, fraction in zip((VAL, TEST), fractions, strict=True):
        share = np.minimum(_share(counts, fraction), np.maximum(counts - 1 - used, 0))
        taken = (rank >= used[codes]) & (rank < (used + share)[codes])
        numbers[order[taken]] = number
        used += share
    return numbers


def random_folds(classes: np.ndarray, num_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the rows of one class after the other: each fold gets its share of every class."""
    order = rng.permutation(len(classes))
    by_class = order[np.argsort(_small(classes[order]), kind="stable")]
    folds = np.empty(len(classes), dtype=np.int64)
    folds[by_class] = np.arange(len(classes)) % num_folds
    return folds


def group_split(
    classes: np.ndarray, groups: np.ndarray, fractions: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw whole groups until val and test have their share of the rows of each class.

    A group counts for the class that most of its rows have. Which groups are drawn does not
    depend on their size, so that val and test hold groups like those of train.
    """
    place, codes = _group_places(classes, groups, rng)
    val, test = fractions
    numbers = np.where(place < val, VAL, np.where(place < val + test, TEST, TRAIN))
    # With few groups a share may hold the middle of none: it then gets the next one in line.
    order = np.argsort(place, kind="stable")
    for number, fraction in zip((VAL, TEST), fractions, strict=True):
        if fraction > 0 and not (numbers == number).any() and (numbers == TRAIN).sum() > 1:
            numbers[next(group for group in order if numbers[group] == TRAIN)] = number
    return numbers[codes]


def group_folds(
    classes: np.ndarray, groups: np.ndarray, num_folds: int, rng: np.random.Generator
) -> np.ndarray:
    """Deal whole groups: each fold gets about its share of the rows of every class."""
    place, codes = _group_places(classes, groups, rng)
    folds = (place * num_folds).astype(np.int64)
    if len(np.unique(folds)) < num_folds:  # few groups: one after the other
        rank = np.argsort(np.argsort(place, kind="stable"), kind="stable")
        folds = rank * num_folds // len(place)
    return folds[codes]


def time_split(times: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Take the latest rows for test and the ones before for val; a moment is never torn apart."""
    # By moments and not by rows: two rows of one moment may tell of each other.
    moments, codes, counts = np.unique(times, return_inverse=True, return_counts=True)
    later = 1 - (np.cumsum(counts) - counts / 2) / max(len(times), 1)  # share of rows behind it
    val, test = fractions
    numbers = np.where(later < test, TEST, np.where(later < test + val, VAL, TRAIN))
    if test > 0 and len(moments) > 1 and not (numbers == TEST).any():
        numbers[-1] = TEST  # the last moment has more rows than were asked for
    if val > 0 and not (numbers == VAL).any() and (numbers == TRAIN).sum() > 1:
        numbers[np.flatnonzero(numbers == TRAIN)[-1]] = VAL
    return numbers[codes]


def _group_places(
    classes: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Line the groups of each class up at random.

    Returns:
        float64 (G,): where the middle of each group lies in its line, from 0 to 1; and int64
        (N,): the group of each row, counted from 0.
    """
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order, majority = rng.permutation(len(sizes)), _majority(classes, codes)
    # One line for each class, its groups at random one behind the other, each as long as its rows.
    by_class = order[np.argsort(majority[order], kind="stable")]
    majority = majority[by_class]
    end = np.cumsum(sizes[by_class])
    line_start = np.zeros(len(sizes))
    first = np.flatnonzero(np.diff(majority, prepend=-1))
    line_start[first] = end[first] - sizes[by_class][first]
    line_start = np.maximum.accumulate(line_start)
    lengths = np.bincount(majority, weights=sizes[by_class])[majority]
    place = np.empty(len(sizes))
    place[by_class] = (end - sizes[by_class] / 2 - line_start) / lengths
    return place, codes


def _majority(classes: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the most frequent class of each group: int64 (G,)."""
    num_classes = int(classes.max(initial=0)) + 1
    pairs, counts = np.unique(codes * num_classes + classes, return_counts=True)
    order = np.lexsort((-counts, pairs // num_classes))
    first = np.flatnonzero(np.diff(pairs[order] // num_classes, prepend=-1))
    return pairs[order][first] % num_classes


def _rank_in_class(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the rows of each class from 0 in the order given; also return counts and codes."""
    counts = np.bincount(classes)
    by_class = np.argsort(_small(classes), kind="stable")
    rank = np.empty(len(classes), dtype=np.int64)
    rank[by_class] = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts, classes


def _small(classes: np.ndarray) -> np.ndarray:
    """Return the codes in as few bits as they need: NumPy sorts 16 bits in one pass."""
    return classes.astype(np.uint16) if classes.max(initial=0) < 2**16 else classes


def _share(counts: np.ndarray, fraction: float) -> np.ndarray:
    """Round each class's share so that neither a class nor the sum is off by more than one row."""
    return np.diff(np.rint(np.cumsum(counts) * fraction), prepend=0).astype(np.int64)
