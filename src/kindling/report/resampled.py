"""Metrics of many resamples at once, in NumPy: a resample is a row of counts, not a copy of rows.

Each function takes truth (N,), prediction (N, K) or (N,), and weights (R, N): how often each of R
resamples has drawn each row. It returns (R,): what scikit-learn says of the rows so repeated.
"""

import numpy as np


def rmse(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(weights @ (values - truth) ** 2 / weights.sum(axis=1))


def mae(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ np.abs(values - truth) / weights.sum(axis=1)


def r2(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    centred = truth - truth.mean()  # else the squares of large numbers lose their digits
    squares, largest = weights @ (values - truth) ** 2, weights @ centred**2
    spread = largest - (weights @ centred) ** 2 / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one row has no spread
        return np.where(spread > 1e-12 * largest, 1 - squares / spread, np.nan)


def accuracy(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ (probs.argmax(axis=1) == truth) / weights.sum(axis=1)


def balanced_accuracy(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    hits, real, _ = _counts(truth, probs, weights)
    with np.errstate(divide="ignore", invalid="ignore"):  # a class may be missing from a resample
        return np.nanmean(np.where(real > 0, hits / real, np.nan), axis=1)


def macro_f1(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    hits, real, said = _counts(truth, probs, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nanmean(np.where(real + said > 0, 2 * hits / (real + said), np.nan), axis=1)


def log_loss(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    of_truth = np.clip(probs, np.finfo(probs.dtype).eps, 1)[np.arange(len(truth)), truth]
    return weights @ -np.log(of_truth) / weights.sum(axis=1)


def roc_auc(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Count how often a row of class 1 has a higher score than one of class 0; a tie is half."""
    order = np.argsort(probs[:, 1], kind="stable")
    starts = np.unique(probs[order, 1], return_index=True)[1]
    ones = np.add.reduceat((weights * truth)[:, order], starts, axis=1)
    zeros = np.add.reduceat((weights * (1 - truth))[:, order], starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros / 2
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, (ones * below).sum(axis=1) / pairs, np.nan)


def _counts(
    truth: np.ndarray, probs: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the rows (R, K) of each class that are found, are there, and are said to be there."""
    classes = np.eye(probs.shape[1])
    one_hot, predicted = classes[truth], classes[probs.argmax(axis=1)]
    return weights @ (one_hot * predicted), weights @ one_hot, weights @ predicted
