"""Figures of a regression: predicted against true values, residuals, and how large errors are."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindling.formatting import number, shorten
from kindling.plotting import BLUE, INK, ORANGE, figure_style, new_axes
from kindling.report.components import Chart
from kindling.types import DataSpec

MAX_POINTS, MAX_VECTORS = 5000, 300  # rows that are drawn; as shapes rather than as pixels


def regression_charts(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> list[Chart]:
    """Draw predictions against the truth, and what is left over."""
    some = ""
    error = prediction - truth
    low, high = np.quantile(error, [0.05, 0.95])
    rows = np.arange(len(truth))
    # Evenly through the file, the same in every report; the quantiles are those of all rows.
    if len(truth) > MAX_POINTS:
        rows = np.linspace(0, len(truth) - 1, MAX_POINTS).astype(int)
        some = f" Shown: {MAX_POINTS:,} of {len(truth):,} test rows."
    truth, prediction = truth[rows], prediction[rows]
    return [
        Chart(
            "predicted_vs_true",
            "Predicted and true values",
            f"Each dot is a test row; on the line the prediction is the truth.{some}",
            draw_values(spec, truth, prediction),
        ),
        Chart(
            "residuals",
            "Errors by prediction",
            "Up: prediction minus truth; above 0 it was too high. The dots should lie around 0 "
            f"everywhere; a bend or a funnel shows what the network has not learnt.{some}",
            draw_residuals(spec, truth, prediction),
        ),
        Chart(
            "errors",
            "How large the errors are",
            f"How many test rows have which error (prediction minus truth). Nine of ten lie "
            f"between {number(float(low))} and {number(float(high))} (dashed).",
            draw_errors(spec, error, float(low), float(high)),
        ),
    ]


@figure_style()
def draw_values(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> Figure:
    """Draw predicted against true values in the target's unit; a perfect model is the line."""
    figure, axes = new_axes()
    _dots(axes, truth, prediction)
    axes.axline((float(truth.mean()),) * 2, slope=1, color=INK, linewidth=1)
    both = np.concatenate([truth, prediction])
    margin = 0.03 * (float(np.ptp(both)) or 1.0)  # also where all values are the same
    limits = (float(both.min()) - margin, float(both.max()) + margin)
    target = shorten(spec.target)
    axes.set(xlabel=f"true {target}", ylabel=f"predicted {target}", xlim=limits, ylim=limits)
    return figure


@figure_style()
def draw_residuals(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> Figure:
    """Draw prediction minus truth against the prediction."""
    figure, axes = new_axes()
    _dots(axes, prediction, prediction - truth)
    axes.axhline(0, color=INK, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set(xlabel=f"predicted {shorten(spec.target)}", ylabel="prediction minus truth")
    return figure


@figure_style()
def draw_errors(spec: DataSpec, error: np.ndarray, low: float, high: float) -> Figure:
    """Draw how often errors of each size happen, and where the middle nine of ten lie."""
    figure, axes = new_axes()
    # The square root of the rows: bins of few rows would only show noise.
    axes.hist(error, bins=max(5, min(40, int(len(error) ** 0.5))), color=BLUE)
    for edge in (low, high):
        axes.axvline(edge, color=ORANGE, linestyle="--", linewidth=1.2)
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel=f"error of {shorten(spec.target)}", ylabel="test rows")
    return figure


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    is_many = len(x) > MAX_VECTORS  # 5,000 dots as SVG would be 1 MB in the page
    axes.scatter(
        x, y, s=9, alpha=0.45 if is_many else 0.8, linewidths=0, color=BLUE, rasterized=is_many
    )
