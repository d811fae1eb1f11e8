"""Choose the threshold from which on the second of two classes is predicted (scoring.decide).

Where one class is rare, the most likely class is seldom it. A threshold that makes a chosen metric
best on the val rows finds more of it, at the price of false alarms; probabilities stay as they are.
"""

from collections.abc import Iterable

import numpy as np

from kindling.errors import ConfigError, Problem
from kindling.formatting import first_few
from kindling.scoring import Metric, as_decided
from kindling.types import DataSpec

MOST_THRESHOLDS = 200  # that are tried: a finer one would only fit the val rows
DIGITS = 6  # of a threshold, which stays between 0 and 1 when it is rounded


def metric_to_decide_by(
    metrics: Iterable[Metric], spec: DataSpec, name: str | None
) -> Metric | None:
    """Find the metric for which the threshold is to be chosen; None where none is asked for.

    Raises:
        ConfigError: there are not two classes, or no threshold changes that metric.
    """
    if name is None:
        return None
    known = {metric.name: metric for metric in metrics if metric.of_decision}
    rule = "task.threshold must name a metric of decisions between two classes"
    if spec.problem_type != "binary":
        kind = "values" if spec.is_regression else f"{spec.num_classes} classes"
        raise ConfigError(Problem(rule, f"{name} for {kind}", "leave it out"))
    if name not in known:
        raise ConfigError(Problem(rule, name, f"one of {first_few(sorted(known))}"))
    return known[name]


def fit_threshold(metric: Metric, truth: np.ndarray, probs: np.ndarray) -> float:
    """Choose from which probability on the second class is decided for.

    Args:
        metric: is to be best.
        truth: class codes (N,) of rows that were not learnt from.
        probs: their probabilities (N, 2), after a temperature.

    Returns:
        In (0, 1); of several that are equally good the one nearest to 1/2.
    """
    levels = np.unique(probs[:, 1])
    if len(levels) > MOST_THRESHOLDS:
        levels = np.quantile(levels, np.linspace(0, 1, MOST_THRESHOLDS))
    between = (levels[:-1] + levels[1:]) / 2
    between = between.round(DIGITS)
    tried = np.concatenate([[0.5], between[(between > 0) & (between < 1)]])
    scores = np.array([metric.function(truth, as_decided(probs, t)) for t in tried])
    scores = np.where(np.isfinite(scores), scores, -np.inf if metric.direction == "max" else np.inf)
    best = scores.max() if metric.direction == "max" else scores.min()
    as_good = tried[scores == best]
    return float(as_good[np.abs(as_good - 0.5).argmin()])
