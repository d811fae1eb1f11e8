"""What a metric is: its name, function, label, direction, range and problem types are one entry.

A project registers its own (see `kindling.registry`). The table at the end of a run, metrics.json,
TensorBoard, the report with its intervals, `kindling compare` and `monitor=` read them from there.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from torch import Tensor

from kindling.formatting import number, percent, printable
from kindling.types import DataSpec, ProblemType

Direction = Literal["max", "min"]


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """What can be said of a metric's values without computing one; metrics.json keeps it.

    Args:
        name: as in metrics.json, such as "macro_f1".
        label: as a person reads it, such as "macro F1".
        meaning: what it says, in a few words.
        direction: "max" where a large value is good, "min" where a small one is.
        range: the smallest and the largest value that it can take; None where there is no end.
        is_share: whether it is written in percent.
        digits: that are worth reading.
    """

    name: str
    label: str
    meaning: str
    direction: Direction
    range: tuple[float | None, float | None] = (None, None)
    is_share: bool = False
    digits: int = 3

    def is_better(self, value: float, other: float) -> bool:
        """Say whether a value is better than another one; nan is not."""
        return value > other if self.direction == "max" else value < other

    def best(self, scores: Mapping[str, float]) -> str:
        """Return the name of the best score."""
        choose = max if self.direction == "max" else min
        return choose(scores, key=lambda name: scores[name])

    def format(self, value: float | None) -> str:
        """Write a value for a person: a share in percent, anything else with a few digits."""
        if value is None or not math.isfinite(value):
            return "-"
        return percent(value) if self.is_share else number(value, self.digits)


@dataclass(frozen=True, kw_only=True)
class Metric(MetricInfo):
    """A number that says how good predictions are.

    Args:
        function: (truth, prediction) -> value; nan where the rows cannot tell. Classes: int64
            codes (N,) and float64 probabilities (N, K); regression: float64 values (N,) of both,
            in the target's own unit.
        problem_types: that it is for; the first metric of a type is its primary one.
        every_epoch: whether it is computed for train and val after each epoch, logged, and may be
            the monitor.
        per_row: (outputs (B, K) or (B, 1), targets (B,), spec) -> (B,), on any device: numbers
            whose mean over all rows is the value, so that an epoch keeps running sums only.
            Without it, an epoch keeps its outputs and calls `function`.
        of_mean: what becomes of that mean, such as the square root.
        resampled: (truth, prediction, weights (R, N)) -> (R,): the values of R resamples at once,
            for the report's interval; see `kindling.bootstrap`, which has some. Without it,
            `function` is called for each of fewer resamples, and may answer those that cannot tell
            with nan or a ValueError.
        has_interval: False where its resamples say something else than its rows: those of the
            expected calibration error are larger.
        is_row_share: whether it is a share of the rows, k of N: its interval is then Wilson's,
            which holds also where all rows are right.
        of_decision: whether it looks at classes that are decided for, not at how likely they are:
            where there is a threshold, it is given 1 for the class decided for and 0 for others.
    """

    function: Callable[[np.ndarray, np.ndarray], float]
    problem_types: tuple[ProblemType, ...]
    every_epoch: bool = False
    per_row: Callable[[Tensor, Tensor, DataSpec], Tensor] | None = None
    of_mean: Callable[[float], float] = float
    resampled: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray] | None = None
    has_interval: bool = True
    is_row_share: bool = False
    of_decision: bool = False


def metrics_for(metrics: Iterable[Metric], problem_type: ProblemType) -> tuple[Metric, ...]:
    """Return those of a problem type, the primary one first."""
    return tuple(metric for metric in metrics if problem_type in metric.problem_types)


def score(
    metrics: Iterable[Metric],
    truth: np.ndarray,
    prediction: np.ndarray,
    threshold: float | None = None,
) -> dict[str, float]:
    """Compute every metric; see `Metric` for the arrays, and `decide` for the threshold."""
    decided = as_decided(prediction, threshold)
    return {
        metric.name: float(metric.function(truth, decided if metric.of_decision else prediction))
        for metric in metrics
    }


def decide(probs: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Return int64 codes (N,): the most likely class, or the second of two above a threshold.

    Args:
        probs: (N, K).
        threshold: of the second class's probability; None decides for the most likely class.
    """
    return (probs / limits_of(threshold, probs.shape[1])).argmax(axis=1)


def limits_of(threshold: float | None, num_classes: int) -> np.ndarray:
    """Return what probabilities are divided by before the largest is taken: float64 (K,)."""
    return np.ones(num_classes) if threshold is None else np.array([1 - threshold, threshold])


def as_decided(prediction: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return what a metric of decisions is given: 1.0 for the class decided for, else 0.0."""
    if threshold is None:
        return prediction
    return np.eye(prediction.shape[1])[decide(prediction, threshold)]


def logged_names(metrics: Iterable[Metric]) -> list[str]:
    """Return what is logged once an epoch, such as val/loss: what a monitor can look at."""
    names = ("loss", *(metric.name for metric in metrics if metric.every_epoch))
    return [f"{split}/{name}" for split in ("train", "val") for name in names]


def infos_to_json(metrics: Iterable[MetricInfo]) -> dict[str, dict[str, Any]]:
    """Return what metrics.json says of the metrics, by name."""
    names = [field.name for field in fields(MetricInfo)]
    return {m.name: {name: getattr(m, name) for name in names} for m in metrics}


def info_from_json(name: str, found: Any) -> MetricInfo:
    """Read what `infos_to_json` wrote; of anything else the name is all that is known."""
    # A run folder may be anybody's: what is of another type than it should be is left out.
    known: Mapping[str, Any] = found if isinstance(found, dict) else {}
    ends, digits = known.get("range"), known.get("digits")
    ends = ends if isinstance(ends, list) and len(ends) == 2 else [None, None]
    low, high = (end if isinstance(end, int | float) else None for end in ends)
    return MetricInfo(
        name=name,
        label=printable(str(known.get("label") or name.replace("_", " "))),
        meaning=printable(str(known.get("meaning", ""))),
        direction="min" if known.get("direction") == "min" else "max",
        range=(low, high),
        is_share=known.get("is_share") is True,
        digits=min(max(digits, 1), 9) if isinstance(digits, int) else 3,
    )
