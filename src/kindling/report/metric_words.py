"""Words for metrics in the report."""

import math
from dataclasses import dataclass

from kindling.formatting import number, percent


@dataclass(frozen=True)
class Metric:
    """How a metric is called, what it means, and how it is written."""

    label: str
    meaning: str
    is_share: bool = False
    is_good_large: bool = True
    digits: int = 3  # that are worth reading


HEADLINE = {"binary": "accuracy", "multiclass": "accuracy", "regression": "rmse"}
METRICS = {
    "accuracy": Metric("accuracy", "share of rows whose class is right", is_share=True),
    "balanced_accuracy": Metric(
        "balanced accuracy", "share of right rows in each class, then their mean", is_share=True
    ),
    "macro_f1": Metric(
        "macro F1",
        "per class, a mean of how many are found and how many finds are right; 1 is best",
    ),
    "log_loss": Metric(
        "log loss", "how far the probabilities are from the truth; 0 is best", is_good_large=False
    ),
    "roc_auc": Metric(
        "ROC AUC", "how often two rows of different classes are put in the right order; 1 is best"
    ),
    "rmse": Metric(
        "RMSE", "typical error, large ones counted more; 0 is best", is_good_large=False, digits=4
    ),
    "mae": Metric("MAE", "mean size of an error; 0 is best", is_good_large=False, digits=4),
    "r2": Metric("R2", "share of the differences between rows that is explained; 1 is best"),
}


def metric(name: str) -> Metric:
    """Return the words for a metric; one that is not known keeps its name."""
    return METRICS.get(name, Metric(name.replace("_", " "), ""))


def write_score(name: str, value: float | None) -> str:
    """Write a metric's value: a share in percent, anything else with a few digits."""
    if value is None or not math.isfinite(value):
        return "-"
    words = metric(name)
    return percent(value) if words.is_share else number(value, words.digits)


def write_interval(name: str, interval: tuple[float, float] | None) -> str:
    """Write both ends of an interval, and the percent sign once."""
    if interval is None:
        return "-"
    low, high = (write_score(name, end) for end in interval)
    return f"{low.removesuffix(' %')} to {high}"
