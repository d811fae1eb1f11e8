"""Truth and prediction of the test rows in, a figure out."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from kindling.task.result import Result
from kindling.types import DataSpec

MAX_NAMED = 20  # classes; with more, neither names nor counts can be read


def draw_result(spec: DataSpec, result: Result) -> tuple[str, Figure]:
    """Return the name and the figure that suit the task."""
    if spec.is_regression:
        return "predicted_vs_true", draw_values(spec, result.truth, result.prediction)
    predicted = result.prediction.argmax(axis=1)
    return "confusion_matrix", draw_confusion(spec, result.truth, predicted)


def draw_confusion(spec: DataSpec, truth: np.ndarray, predicted: np.ndarray) -> Figure:
    """Draw counts by true (down) and predicted class (across), coloured by the row's share."""
    counts = confusion_matrix(truth, predicted, labels=range(spec.num_classes))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 3 + 0.35 * min(spec.num_classes, MAX_NAMED)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, label="share of the true class")
    axes.set(xlabel=f"predicted {spec.target}", ylabel=f"true {spec.target}")
    if spec.num_classes <= MAX_NAMED:
        axes.set_xticks(range(spec.num_classes), spec.classes, rotation=45, ha="right")
        axes.set_yticks(range(spec.num_classes), spec.classes)
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    return figure


def draw_values(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> Figure:
    """Draw predicted against true values in the target's unit; a perfect model is the line."""
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.scatter(truth, prediction, s=8, alpha=0.5, linewidths=0)
    axes.axline((truth.mean(), truth.mean()), slope=1, color="grey", linewidth=1)
    axes.set(xlabel=f"true {spec.target}", ylabel=f"predicted {spec.target}")
    return figure
