"""Figures and tables of a classification: confusion matrix, calibration, ROC, precision-recall.

All are made of the true classes and the probabilities of the test rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_auc_score, roc_curve

from kindling.bootstrap import wilson
from kindling.calibration import probability_scores
from kindling.formatting import count, number, percent, shorten
from kindling.outputs import Result
from kindling.plotting import (
    BLUE,
    INK,
    MUTED,
    SERIES,
    SHADES,
    WIDTH,
    figure_style,
    new_axes,
)
from kindling.report.components import Chart, Table
from kindling.types import DataSpec

MAX_NAMES = 20  # classes; with more, neither names nor counts can be read
MAX_CURVES = 8  # as many as there are colours
MAX_LEGEND = 4  # lines; more would hide the curves
MAX_LETTERS = 36  # along an axis before the names are turned
NUM_BINS = 10
MAX_CONFUSIONS = 10


def class_charts(spec: DataSpec, result: Result, results: Mapping[str, Any]) -> list[Chart]:
    """Draw what there is to see; curves need rows of the class and rows of others.

    Args:
        spec: describes them.
        result: true classes and probabilities of the test rows.
        results: what metrics.json holds: of the temperature and the threshold, where there are any.
    """
    truth, probs = result.truth, result.prediction
    counts = np.bincount(truth, minlength=spec.num_classes)
    curved = classes_with_curves(spec, counts)
    numbered = ""
    if spec.num_classes > MAX_NAMES:
        numbered = " The classes are numbered from 0, in the order of their names."
    charts = [
        Chart(
            "confusion_matrix",
            "What is taken for what",
            "Down: the true class. Across: the predicted one. On the diagonal it is right; the "
            f"darker a field, the larger its share of the row.{numbered}"
            f"{describe_threshold(spec, results.get('decision'))}",
            draw_confusion(spec, truth, result.code),
        ),
        Chart(
            "calibration",
            "Can the probabilities be believed?",
            "Test rows with about the same probability are put together; the number at a dot says "
            "how many, the thin line how sure the dot is. On the dashed line the network is right "
            "as often as it says; below it, it is too sure."
            f"{describe_calibration(truth, probs, results.get('calibration'))}",
            draw_calibration(spec, truth, probs),
        ),
    ]
    if curved:
        colours = " Colours as in the figure before." if len(curved) > MAX_LEGEND else ""
        which = ""
        if 2 < len(counts) != len(curved):
            which = f" Shown: the {len(curved)} classes with the most test rows."
        charts += [
            Chart(
                "roc",
                "Found against false alarms (ROC)",
                "As the threshold of the probability falls, more rows of the class are found (up) "
                f"and more others are taken for it (across). Dashed: guessing.{which}",
                draw_roc(spec, truth, probs, curved),
            ),
            Chart(
                "precision_recall",
                "Right finds against found (precision-recall)",
                "Up: how many finds are right. Across: how many rows of the class are found. The "
                f"higher to the right, the better.{which}{colours}",
                draw_precision_recall(spec, truth, probs, curved),
            ),
        ]
    return charts


def describe_calibration(
    truth: np.ndarray, probs: np.ndarray, calibration: Mapping[str, float] | None
) -> str:
    """Say by what the logits were divided, and what it has changed on the test rows."""
    if calibration is None:
        return ""
    rows = count(int(calibration["val_rows"]), "val row")
    found = probability_scores(truth, probs)
    loss, error = (
        f"from {number(calibration[f'{name}_before'], 3)} to {number(found[name], 3)}"
        for name in ("log_loss", "ece")
    )
    return (
        f" All logits were divided by {number(calibration['temperature'], 3)}, chosen by the log "
        f"loss of {rows}, whose own scores are therefore a little too good. On test rows the log "
        f"loss went {loss} by this, the calibration error {error}."
    )


def describe_threshold(spec: DataSpec, decision: Mapping[str, float] | None) -> str:
    """Say from where on the second class is decided for."""
    if decision is None:
        return ""
    threshold, rows = number(decision["threshold"], 3), count(int(decision["val_rows"]), "val row")
    return (
        f" {spec.classes[1]} is predicted where its probability is above {threshold}, chosen on "
        f"{rows}."
    )


def classes_with_curves(spec: DataSpec, counts: np.ndarray) -> list[int]:
    """Choose whose curves are drawn: the second of two classes, or the most frequent of many."""
    # A curve needs rows of the class, and rows of others.
    possible = [k for k in range(spec.num_classes) if 0 < counts[k] < counts.sum()]
    if spec.num_classes == 2:
        return [k for k in possible if k == 1]  # the first one's curve says the same
    return sorted(sorted(possible, key=lambda k: -counts[k])[:MAX_CURVES])


@figure_style()
def draw_confusion(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Figure:
    """Draw counts by true (down) and predicted class (across), coloured by the row's share."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_named = spec.num_classes <= MAX_NAMES
    side = max(WIDTH - 0.4, 0.32 * spec.num_classes if is_named else 0)
    figure, axes = new_axes(side + 0.4, side)
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=1, interpolation="nearest")
    axes.set(xlabel=f"predicted {shorten(spec.target)}", ylabel=f"true {shorten(spec.target)}")
    axes.grid(visible=False)
    if not is_named:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(10, integer=True))
        return figure
    names = [shorten(name, 14) for name in spec.classes]
    is_long = max(map(len, names)) * spec.num_classes > MAX_LETTERS
    slant: dict[str, Any] = {"rotation": 45, "ha": "right"} if is_long else {}
    axes.set_xticks(range(spec.num_classes), names, **slant)
    axes.set_yticks(range(spec.num_classes), names)
    for (row, column), amount in np.ndenumerate(counts):
        if amount:  # a 0 in most fields would hide where the mistakes are
            colour = "white" if share[row, column] > 0.5 else INK
            axes.text(column, row, f"{amount}", ha="center", va="center", color=colour, size=8)
    return figure


@figure_style()
def draw_roc(spec: DataSpec, truth: np.ndarray, probs: np.ndarray, curved: list[int]) -> Figure:
    """Draw one curve for each class against all others."""
    figure, axes = new_axes()
    for place, k in enumerate(curved):
        false_alarms, found, _ = roc_curve(truth == k, probs[:, k])
        area = roc_auc_score(truth == k, probs[:, k])
        label = f"{shorten(spec.classes[k], 16)}: area {number(float(area), 3)}"
        axes.plot(false_alarms, found, label=label, color=SERIES[place % len(SERIES)])
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    axes.set(xlabel="false alarms: share of the others", ylabel="found: share of the class")
    axes.legend(loc="lower right")
    return figure


@figure_style()
def draw_precision_recall(
    spec: DataSpec, truth: np.ndarray, probs: np.ndarray, curved: list[int]
) -> Figure:
    """Draw one curve for each class against all others."""
    figure, axes = new_axes()
    for place, k in enumerate(curved):
        right, found, _ = precision_recall_curve(truth == k, probs[:, k])
        axes.step(
            found,
            right,
            where="post",
            label=shorten(spec.classes[k], 16),
            color=SERIES[place % len(SERIES)],
        )
        if len(curved) == 1:  # of several classes each has a line of its own: too many
            base = float((truth == k).mean())
            axes.axhline(base, color=MUTED, linestyle="--", linewidth=1, label="guessing")
    axes.set(xlabel="found: share of the class", ylabel="right: share of the finds", ylim=(0, 1.03))
    if len(curved) <= MAX_LEGEND:
        axes.legend(loc="lower left")
    return figure


def calibration_bins(probs: np.ndarray, is_true: np.ndarray) -> list[tuple[float, float, int]]:
    """Put rows of about the same probability together: mean probability, share, and rows."""
    codes = np.minimum((probs * NUM_BINS).astype(int), NUM_BINS - 1)
    bins = [codes == code for code in np.unique(codes)]
    return [(float(probs[b].mean()), float(is_true[b].mean()), int(b.sum())) for b in bins]


@figure_style()
def draw_calibration(spec: DataSpec, truth: np.ndarray, probs: np.ndarray) -> Figure:
    """Draw how often it came true against the predicted probability, with 95 % intervals."""
    if spec.num_classes == 2:
        predicted, is_true, what = probs[:, 1], truth == 1, f"of {shorten(spec.classes[1])}"
    else:
        # Of many classes one figure is enough: how often is the predicted class right?
        predicted, is_true = probs.max(axis=1), probs.argmax(axis=1) == truth
        what = "of the predicted class"
    figure, axes = new_axes()
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1)
    bins = calibration_bins(predicted, is_true)
    for place, share, amount in bins:
        axes.plot([place, place], wilson(share, amount), color=BLUE, linewidth=1, alpha=0.6)
        beside: dict[str, Any] = {
            "xytext": (4, 4),
            "textcoords": "offset points",
            "size": 7.5,
            "color": MUTED,
        }
        axes.annotate(f"{amount:,}", (place, share), **beside)
    axes.plot([b[0] for b in bins], [b[1] for b in bins], color=BLUE, marker="o", markersize=4)
    axes.set(xlabel=f"probability {what}", ylabel="share that came true")
    axes.set(xlim=(-0.03, 1.1), ylim=(-0.04, 1.1))
    return figure


def class_table(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Table:
    """Score every class on its own, the worst first."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    rows = []
    for k, name in enumerate(spec.classes):
        real, predicted_as, hits = int(counts[k].sum()), int(counts[:, k].sum()), int(counts[k, k])
        f1 = 2 * hits / (real + predicted_as) if real + predicted_as else float("nan")
        cells = (
            name,
            f"{spec.class_counts[k]:,}",
            f"{real:,}",
            percent(hits / real) if real else "-",
            percent(hits / predicted_as) if predicted_as else "-",
            number(f1, 3),
        )
        rows.append((f1 if real else 2.0, cells))  # what was not tested is not the worst
    return Table(
        "Each class on its own, the worst first",
        "Found: how many of its test rows are given this class (recall). Right finds: how many of "
        "the rows that are given this class have it (precision). F1 is a mean of the two; 1 is "
        "best. A dash: no such rows.",
        (spec.target, "train rows", "test rows", "found", "right finds", "F1"),
        [cells for _, cells in sorted(rows, key=lambda row: row[0])],
    )


def confusion_table(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Table | None:
    """List the most frequent mistakes; None without any."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    totals = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:MAX_CONFUSIONS]
    places = [divmod(int(place), spec.num_classes) for place in order]
    rows = [
        (
            spec.classes[real],
            spec.classes[wrong],
            f"{counts[real, wrong]:,}",
            percent(counts[real, wrong] / totals[real]),
        )
        for real, wrong in places
        if counts[real, wrong]
    ]
    caption = f"Of {count(len(truth), 'test row')}, {count(int(counts.sum()), 'is', 'are')} wrong."
    head = ("true", "predicted", "rows", "share of the true class")
    return Table("Most frequent mistakes", caption, head, rows, num_text=2) if rows else None
