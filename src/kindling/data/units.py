"""Rows, groups of rows or moments in; the stage (0 train, 1 val, 2 test) or fold of each row out.

`fractions` are the shares of val and test; where one is 0, that stage is given by the user.
"""

from collections.abc import Sequence

import numpy as np

TRAIN, VAL, TEST = 0, 1, 2


def row_stages(
    classes: np.ndarray, fractions: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw rows one by one, as many of each class as its share; each class keeps one for train."""
    order = rng.permutation(len(classes))
    rank, counts, codes = _rank_in_class(classes[order])
    stages = np.zeros(len(classes), dtype=np.int8)
    used = np.zeros_like(counts)
    for stage, fraction in zip((VAL, TEST), fractions, strict=True):
        share = np.minimum(_share(counts, fraction), np.maximum(counts - 1 - used, 0))
        taken = (rank >= used[codes]) & (rank < (used + share)[codes])
        stages[order[taken]] = stage
        used += share
    return stages


def row_folds(classes: np.ndarray, num_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal the rows of one class after the other: each fold gets its share of every class."""
    order = rng.permutation(len(classes))
    by_class = order[np.argsort(_small(classes[order]), kind="stable")]
    folds = np.empty(len(classes), dtype=np.int64)
    folds[by_class] = np.arange(len(classes)) % num_folds
    return folds


def group_stages(
    classes: np.ndarray, groups: np.ndarray, fractions: Sequence[float], rng: np.random.Generator
) -> np.ndarray:
    """Draw whole groups until val and test have their share of the rows of each class.

    A group counts for the class that most of its rows have. Which groups are drawn does not
    depend on their size, so that val and test hold groups like those of train.
    """
    place, codes = _group_places(classes, groups, rng)
    val, test = fractions
    stages = np.where(place < val, VAL, np.where(place < val + test, TEST, TRAIN))
    order = np.argsort(place, kind="stable")
    for stage, fraction in zip((VAL, TEST), fractions, strict=True):
        if fraction > 0 and not (stages == stage).any() and (stages == TRAIN).sum() > 1:
            stages[next(group for group in order if stages[group] == TRAIN)] = stage
    return stages[codes]


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


def time_stages(times: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Take the latest rows for test and the ones before for val; a moment is never torn apart."""
    moments, codes, counts = np.unique(times, return_inverse=True, return_counts=True)
    later = 1 - (np.cumsum(counts) - counts / 2) / max(len(times), 1)  # share of rows behind it
    val, test = fractions
    stages = np.where(later < test, TEST, np.where(later < test + val, VAL, TRAIN))
    if test > 0 and len(moments) > 1 and not (stages == TEST).any():
        stages[-1] = TEST  # the last moment has more rows than were asked for
    if val > 0 and not (stages == VAL).any() and (stages == TRAIN).sum() > 1:
        stages[np.flatnonzero(stages == TRAIN)[-1]] = VAL
    return stages[codes]


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
