"""Truth and prediction of the test rows in; for each metric the interval that it may lie in, out.

The rows are drawn again and again, with replacement (Efron, 1979). A resample is not copied: it
is a row of counts, how often each test row was drawn, and all resamples are scored at once. Of
very many rows some stand for all: those say how far a metric strays, not where it is.
"""

from collections.abc import Mapping

import numpy as np

from kindling.metrics import metrics_for
from kindling.registry import METRICS, load
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
    metrics = metrics_for(load(METRICS), spec.problem_type)
    fast = [metric for metric in metrics if metric.resampled is not None]
    resampled = {m.name: m.resampled(truth, prediction, drawn) for m in fast}  # type: ignore[misc]
    shares = num_rows * shares[None]
    centre = {m.name: m.resampled(truth, prediction, shares) for m in fast}  # type: ignore[misc]
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
