"""Train rows as the network gets them in; columns that give the target away out."""

import numpy as np

from kindling.errors import Problem
from project.data.datamodule import DataModule

MAX_ROWS, MIN_ROWS = 20_000, 50
PERFECT = 0.999
BINS = 50


def leak_findings(data: DataModule) -> list[Problem]:
    """Warn of every typed column that tells the target nearly perfectly on its own."""
    rows = data.split["train"][:MAX_ROWS]
    if len(rows) < MIN_ROWS:
        return []
    x, y, spec = data.x[rows].numpy(), data.y[rows].numpy(), data.spec
    found = []
    for k, name in enumerate((*spec.numbers, *spec.categories)):
        column, is_code = x[:, k], k >= len(spec.numbers)
        if spec.is_regression:
            share = explained_variance(column, y) if is_code else agreement(column, y)
        else:
            share = explained_classes(column if is_code else binned(column), y)
        if share >= PERFECT:
            rule = f"no column should give {spec.target!r} away"
            got = f"{name!r} alone explains {share:.1%} of it"
            fix = f"data.ignore=[{name}] unless it is known before {spec.target!r} is"
            found.append(Problem(rule, got, fix, "D209"))
    return found


def binned(column: np.ndarray) -> np.ndarray:
    """Return codes of at most BINS ranges with about as many rows each."""
    edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, column, side="right")


def explained_classes(codes: np.ndarray, y: np.ndarray) -> float:
    """Return by how much the most frequent class of each code beats that of all rows, 0 to 1.

    Every code is charged one row: a code for each row would know every label by heart.
    """
    _, codes = np.unique(codes, return_inverse=True)
    counts = np.zeros((codes.max() + 1, y.max() + 1))
    np.add.at(counts, (codes, y), 1)
    right = counts.max(axis=1).sum() - len(counts)
    guess = counts.sum(axis=0).max() - 1
    return (
        float((right - guess) / (len(y) - len(counts) - guess))
        if len(y) - len(counts) > guess
        else 0.0
    )


def explained_variance(codes: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the variance that lies between levels, each charged one row."""
    _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    means = np.bincount(codes, weights=y) / counts
    within = np.sum((y - means[codes]) ** 2) / max(len(y) - len(counts), 1)
    return float(1 - within / max(y.var(), 1e-12))


def agreement(column: np.ndarray, y: np.ndarray) -> float:
    """Return how well two numbers order the rows alike, whichever way round: 0 to 1."""
    ranks = [np.unique(values, return_inverse=True)[1].astype(float) for values in (column, y)]
    if any(rank.max() == 0 for rank in ranks):
        return 0.0
    return abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))
