"""Numbers and the names of metrics in, what a person reads out."""

import math
from dataclasses import dataclass


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


def percent(share: float) -> str:
    """Write a share with one decimal; 100 % means all, and 0 % none."""
    text = f"{100 * share:.1f}"
    if (text == "100.0" and share < 1) or (text == "0.0" and share > 0):
        text = ">99.9" if share > 0.5 else "<0.1"
    return f"{text.removesuffix('.0') if share in (0, 1) else text} %"


def number(value: float, digits: int = 4) -> str:
    """Write a number with so many digits that count."""
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 < size < 9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def quantity(value: float) -> str:
    """Write a value of the user's own data: whole where it is, else with a few digits."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def count(amount: int, word: str, plural: str = "") -> str:
    """Write an amount and its word: 1 row, 2 rows."""
    return f"{amount:,} {word if amount == 1 else plural or word + 's'}"


def capital(words: str) -> str:
    """Let a sentence or a title begin with a capital letter."""
    return words[:1].upper() + words[1:]


def shorten(name: str, most: int = 22) -> str:
    """Make a name fit into a figure: one line, not too long, and not hidden by matplotlib."""
    name = " ".join(str(name).split()) or "(empty)"
    name = name if len(name) <= most else name[: most - 3] + "..."
    return f" {name}" if name.startswith("_") else name
