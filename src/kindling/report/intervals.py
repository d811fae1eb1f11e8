"""Truth and prediction of the test rows in; for each metric the interval that it may lie in, out.

The rows are drawn again and again, with replacement (Efron, 1979). A resample is not copied: it
is a row of counts, how often each test row was drawn, and all resamples are scored at once. Of
very many rows some stand for all: those say how far a metric strays, not where it is.
"""

from collections.abc import Mapping

import numpy as np

from kindling.types import DataSpec

Interval = tuple[float, float]
NUM_RESAMPLES, MAX_ROWS = 1000, 5000
LEVEL = 0.95
Z = 1.96  # of a normal distribution at that level
FROM_ZERO = ("rmse", "mae", "log_loss")  # errors; all other metrics end at 1


def intervals(
    spec: DataSpec,
    truth: np.ndarray,
    prediction: np.ndarray,
    scores: Mapping[str, float],
    *,
    seed: int,
    max_rows: int = MAX_ROWS,
) -> dict[str, Interval]:
    """Return the 95 % interval of each metric that `score` computes, where there is one.

    Args:
        spec: says which task it is.
        truth: of the test rows.
        prediction: of them: probabilities (N, K), or values (N,).
        scores: what `score` says of all of them.
        seed: keys the drawing.
        max_rows: of more rows, about so many stand for all.
    """
    rng, num_rows = np.random.default_rng(seed), len(truth)
    rows, shares = np.arange(num_rows), np.full(num_rows, 1 / num_rows)
    if num_rows > max_rows:
        rows, shares = thin(strata(spec, truth, prediction, max_rows), max_rows, rng)
    truth, prediction = truth[rows], prediction[rows]
    drawn = rng.multinomial(num_rows, shares, size=NUM_RESAMPLES).astype(np.float64)
    resampled = weighted_scores(spec, truth, prediction, drawn)
    centre = weighted_scores(spec, truth, prediction, num_rows * shares[None])
    found = {
        name: between(name, values - centre[name] + scores[name])
        for name, values in resampled.items()
        if name in scores
    }
    if not spec.is_regression:
        found["accuracy"] = wilson(scores["accuracy"], num_rows)
    return {name: interval for name, interval in found.items() if interval is not None}


def strata(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray, max_rows: int) -> np.ndarray:
    """Sort rows by what decides a metric: each class, right or wrong; or the largest errors."""
    if not spec.is_regression:
        return 2 * truth + (prediction.argmax(axis=1) == truth)
    sizes, place = np.abs(prediction - truth), len(truth) - max_rows // 2
    return (sizes >= np.partition(sizes, place)[place]).astype(np.int64)


def thin(
    kinds: np.ndarray, max_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Keep as many rows of each kind, and all of a rare one; return them and their shares."""
    _, codes, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    quota = max(1, max_rows // len(counts))
    order = rng.permutation(len(kinds))
    order = order[np.argsort(codes[order], kind="stable")]  # kind by kind, each at random
    within = np.arange(len(kinds)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = order[within < quota]
    shares = (counts / np.minimum(counts, quota))[codes[rows]]
    return rows, shares / shares.sum()


def between(name: str, scores: np.ndarray) -> Interval | None:
    """Return the middle 95 % of the resamples; None where they do not differ or are unknown."""
    known = scores[np.isfinite(scores)]
    if len(known) < len(scores) / 2:
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if not low < high:
        return None
    if name in FROM_ZERO:
        return max(0.0, float(low)), float(high)
    return float(low), min(1.0, float(high))


def wilson(share: float, num_rows: int) -> Interval:
    """Return the interval of a share; where all rows are right, resamples would not differ."""
    centre = share + Z**2 / (2 * num_rows)
    reach = Z * np.sqrt(share * (1 - share) / num_rows + (Z / (2 * num_rows)) ** 2)
    scale = 1 + Z**2 / num_rows
    low, high = (centre - reach) / scale, (centre + reach) / scale
    return max(0.0, float(low)), min(1.0, float(high))


def weighted_scores(
    spec: DataSpec, truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Score R resamples, each given by the N counts of its rows: weights (R, N)."""
    if spec.is_regression:
        return _score_values(truth, prediction, weights)
    return _score_classes(truth, prediction, weights)


def _score_values(
    truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    error, total = prediction - truth, weights.sum(axis=1)
    centred = truth - truth.mean()  # else the squares of large numbers lose their digits
    squares = weights @ error**2
    spread = weights @ centred**2 - (weights @ centred) ** 2 / total
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one row has no spread
        r2 = np.where(spread > 1e-12 * (weights @ centred**2), 1 - squares / spread, np.nan)
    return {
        "rmse": np.sqrt(squares / total),
        "mae": weights @ np.abs(error) / total,
        "r2": r2,
    }


def _score_classes(
    truth: np.ndarray, probs: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    num_classes, total = probs.shape[1], weights.sum(axis=1)
    one_hot, predicted = np.eye(num_classes)[truth], np.eye(num_classes)[probs.argmax(axis=1)]
    hits = weights @ (one_hot * predicted)  # (R, N) @ (N, K) -> (R, K)
    real, said = weights @ one_hot, weights @ predicted
    is_tested = one_hot.any(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a class may be missing from a resample
        recall = np.where(real > 0, hits / real, np.nan)
        f1 = np.where(real + said > 0, 2 * hits / (real + said), np.nan)
    clipped = np.clip(probs, np.finfo(probs.dtype).eps, 1)
    surprise = -np.log(clipped[np.arange(len(truth)), truth])
    scores = {
        "accuracy": hits.sum(axis=1) / total,
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "macro_f1": np.nanmean(f1, axis=1),
        "log_loss": weights @ surprise / total,
    }
    if num_classes == 2 and is_tested.all():
        scores["roc_auc"] = _auc(truth, probs[:, 1], weights)
    return scores


def _auc(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return how often a row of class 1 has a higher score than one of class 0; a tie is half."""
    order = np.argsort(score, kind="stable")
    starts = np.unique(score[order], return_index=True)[1]
    ones = np.add.reduceat((weights * truth)[:, order], starts, axis=1)
    zeros = np.add.reduceat((weights * (1 - truth))[:, order], starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros / 2
    pairs = ones.sum(axis=1) * zeros.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, (ones * below).sum(axis=1) / pairs, np.nan)
