"""Number of rows, labels and a seed in; disjoint row indices of train, val and test out."""

from collections.abc import Mapping

import numpy as np

from kindling.errors import DataError, Problem
from kindling.keyed import key
from kindling.types import STAGES, Stage

Split = dict[Stage, np.ndarray]


def split_rows(
    num_rows: int,
    labels: np.ndarray | None,
    *,
    val_fraction: float,
    test_fraction: float,
    seed: int,
    given: Mapping[Stage, np.ndarray],
) -> Split:
    """Give every row one stage, keyed by the seed; a val or test set that the user gave is kept.

    Args:
        num_rows: N, all rows of the source.
        labels: N class labels to stratify by, or None.
        val_fraction: share of the rows that are not given, in (0, 1).
        test_fraction: likewise.
        seed: another seed, another split.
        given: row indices of a val or test set of the user's own.

    Returns:
        Sorted int64 row indices per stage: disjoint, together all N rows. Every class keeps at
        least one row for train.

    Raises:
        DataError: a stage would be empty.
    """
    fixed = np.concatenate([np.array([], dtype=np.int64), *given.values()])
    free = np.setdiff1d(np.arange(num_rows), fixed)
    order = np.random.default_rng(key(seed, "split")).permutation(free)
    rank, counts, codes = _rank_in_class(labels[order] if labels is not None else free * 0)
    split: Split = {}
    used = np.zeros_like(counts)
    fractions: dict[Stage, float] = {"val": val_fraction, "test": test_fraction}
    for stage, fraction in fractions.items():
        if stage in given:
            split[stage] = np.sort(given[stage])
            continue
        share = np.minimum(_share(counts, fraction), np.maximum(counts - 1 - used, 0))
        taken = (rank >= used[codes]) & (rank < (used + share)[codes])
        split[stage], used = np.sort(order[taken]), used + share
    split["train"] = np.sort(order[rank >= used[codes]])
    _refuse_empty(split, num_rows)
    return {stage: split[stage] for stage in STAGES}


def _rank_in_class(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the rows of each class from 0 in the order given; also return counts and codes."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_class = np.argsort(codes, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rank, counts, codes


def _share(counts: np.ndarray, fraction: float) -> np.ndarray:
    """Round each class's share so that neither a class nor the sum is off by more than one row."""
    return np.diff(np.rint(np.cumsum(counts) * fraction), prepend=0).astype(np.int64)


def _refuse_empty(split: Split, num_rows: int) -> None:
    problems = [
        Problem(
            f"{stage} needs at least one row",
            f"{num_rows} rows in all",
            f"give more rows or change data.{stage}_fraction"
            if stage != "train"
            else "give more rows, or smaller data.val_fraction and data.test_fraction",
        )
        for stage, rows in split.items()
        if len(rows) == 0
    ]
    if problems:
        raise DataError(*problems)
