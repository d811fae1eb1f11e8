"""The bootstrap: 95 % confidence intervals of metrics, from resamples of the test rows.

The rows are drawn again and again, with replacement (Efron, 1979). For a metric that has a
function for it, such as `accuracy` below, a resample is not copied: it is a row of counts, how
often each test row was drawn, and all resamples are scored at once. Any other metric is called
for each of fewer, smaller resamples.
"""

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.stats import binomtest

from kindling.scoring import Metric, MetricInfo, as_decided
from kindling.types import DataSpec

Interval = tuple[float, float]
NUM_RESAMPLES, MAX_ROWS = 1000, 5000  # 0.1 s for a metric of counts, on one core
NUM_CALLS, MAX_ROWS_OF_CALL = 200, 2000  # 1 s for a metric that takes 5 ms
LEVEL = 0.95


def intervals(
    metrics: Iterable[Metric],
    spec: DataSpec,
    truth: np.ndarray,
    prediction: np.ndarray,
    scores: Mapping[str, float],
    *,
    seed: int,
    threshold: float | None = None,
    max_rows: int = MAX_ROWS,
) -> dict[str, Interval]:
    """Return the 95 % interval of each metric by its name, where there is one.

    Args:
        metrics: those that `scores` holds.
        spec: says whether there are classes or values.
        truth: class codes (N,), or values (N,).
        prediction: probabilities (N, K), or values (N,).
        scores: the metrics of all N rows.
        seed: of the drawing.
        threshold: see `kindling.scoring.decide`.
        max_rows: of more rows, about so many stand for all.
    """
    rng, num_rows = np.random.default_rng(seed), len(truth)
    decided = as_decided(prediction, threshold)
    rows, shares = np.arange(num_rows), np.full(num_rows, 1 / num_rows)
    if num_rows > max_rows:
        rows, shares = thin(strata(spec, truth, decided, max_rows), max_rows, rng)
    weights = rng.multinomial(num_rows, shares, size=NUM_RESAMPLES).astype(np.float64)
    found = {}
    for metric in metrics:
        score = scores.get(metric.name)
        if score is None or not np.isfinite(score) or not metric.has_interval:
            continue
        if metric.is_row_share:
            found[metric.name] = wilson(score, num_rows)
            continue
        given = decided if metric.of_decision else prediction
        if metric.resampled is not None:
            some = truth[rows], given[rows]
            values = metric.resampled(*some, weights)
            # Rows that stand for all say how far a metric strays, not where it is.
            changes = values - metric.resampled(*some, num_rows * shares[None])
        else:
            changes = call_on_resamples(metric, truth, given, seed) - score
            changes *= np.sqrt(min(1, MAX_ROWS_OF_CALL / num_rows))  # as if all rows were drawn
        interval = between(metric, score + changes)
        if interval is not None:
            found[metric.name] = interval
    return found


def call_on_resamples(
    metric: Metric, truth: np.ndarray, prediction: np.ndarray, seed: int
) -> np.ndarray:
    """Return what a metric says of each resample; nan where its rows cannot tell."""
    rng = np.random.default_rng(seed)
    size = min(len(truth), MAX_ROWS_OF_CALL)
    values = np.full(NUM_CALLS, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class that a resample lacks, 200 times
        for number in range(NUM_CALLS):
            rows = rng.integers(len(truth), size=size)
            try:
                values[number] = metric.function(truth[rows], prediction[rows])
            except ValueError:  # as scikit-learn says it of a resample of one class
                continue
    return values


def strata(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray, max_rows: int) -> np.ndarray:
    """Sort rows by what decides a metric: each class, right or wrong; or the largest errors."""
    if not spec.is_regression:
        return 2 * truth + (prediction.argmax(axis=1) == truth)
    sizes, place = np.abs(prediction - truth), len(truth) - max_rows // 2
    return (sizes >= np.partition(sizes, place)[place]).astype(np.int64)


def thin(
    stratum: np.ndarray, max_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Keep as many rows of each stratum, and all of a rare one; return them and their shares."""
    _, codes, counts = np.unique(stratum, return_inverse=True, return_counts=True)
    quota = max(1, max_rows // len(counts))
    order = rng.permutation(len(stratum))
    order = order[np.argsort(codes[order], kind="stable")]  # one by one, each at random
    within = np.arange(len(stratum)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = order[within < quota]
    shares = (counts / np.minimum(counts, quota))[codes[rows]]
    return rows, shares / shares.sum()


def between(metric: MetricInfo, scores: np.ndarray) -> Interval | None:
    """Return the middle 95 % of the resamples; None where they do not differ or are unknown."""
    known = scores[np.isfinite(scores)]
    if len(known) < len(scores) / 2:
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if not low < high:
        return None
    least, most = metric.range
    low, high = float(low), float(high)
    return low if least is None else max(low, least), high if most is None else min(high, most)


def wilson(share: float, num_rows: int) -> Interval:
    """Return Wilson's interval of a share of rows; where all are right, resamples do not differ."""
    found = binomtest(round(share * num_rows), num_rows).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


# What follows scores many resamples at once. Each takes truth (N,), prediction (N, K) or (N,), and
# weights (R, N): how often each of R resamples has drawn each row. It returns (R,): what
# scikit-learn says of the rows so repeated.


def rmse(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the root mean squared error of each resample."""
    return np.sqrt(weights @ (values - truth) ** 2 / weights.sum(axis=1))


def mae(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean absolute error of each resample."""
    return weights @ np.abs(values - truth) / weights.sum(axis=1)


def r2(truth: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of the variance of each resample that is explained."""
    centred = truth - truth.mean()  # else the squares of large numbers lose their digits
    squares, largest = weights @ (values - truth) ** 2, weights @ centred**2
    variance = largest - (weights @ centred) ** 2 / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one row has none
        return np.where(variance > 1e-12 * largest, 1 - squares / variance, np.nan)


def accuracy(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the share of right rows of each resample."""
    return weights @ (probs.argmax(axis=1) == truth) / weights.sum(axis=1)


def balanced_accuracy(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean recall of the classes that a resample has."""
    right, real, _ = _counts(truth, probs, weights)
    with np.errstate(divide="ignore", invalid="ignore"):  # a class may be missing from a resample
        return np.nanmean(np.where(real > 0, right / real, np.nan), axis=1)


def macro_f1(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean F1 of the classes of each resample."""
    right, real, predicted = _counts(truth, probs, weights)
    total = real + predicted
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nanmean(np.where(total > 0, 2 * right / total, np.nan), axis=1)


def log_loss(truth: np.ndarray, probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean of -log of the true class's probability of each resample."""
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
    """Count the rows (R, K) of each class that are right, true, and predicted."""
    classes = np.eye(probs.shape[1])
    one_hot, predicted = classes[truth], classes[probs.argmax(axis=1)]
    return weights @ (one_hot * predicted), weights @ one_hot, weights @ predicted
