"""Permutation importance: how much worse the network becomes without each column.

A column is shuffled among the rows, so that it looks as ever and says nothing (Breiman, 2001).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from kindling.formatting import count, number, percent, shorten
from kindling.plotting import BLUE, INK, WIDTH, figure_style, new_axes
from kindling.report.components import Chart, PageSection, Table
from kindling.report.report_data import ReportData, TrainedNetwork
from kindling.rng import make_generator
from kindling.scoring import Metric

MAX_REPEATS, MAX_ROWS, MIN_ROWS = 5, 2000, 30
BUDGET = 1e10  # multiplications and additions: a second or less on one core
BUDGET_ROWS = 300_000  # each costs something beside them
MAX_BARS = 15


@dataclass(frozen=True)
class Importance:
    """What shuffling one column did, over all repeats.

    Args:
        column: its name in the user's table.
        losses: by how much each metric becomes worse, in the mean; negative where it is better.
        std: standard deviation of the first of these between the repeats; nan of a single one.
    """

    column: str
    losses: tuple[float, ...]
    std: float


def importance_section(
    data: ReportData, network: TrainedNetwork, metrics: Sequence[Metric], seed: int
) -> PageSection:
    """Show which columns it leans on, by the metrics; the first one orders them."""
    repeats, num_rows = effort(network.cost(data.x), len(data.features), len(data.x))
    title = "Which columns it leans on"
    if num_rows == 0:
        intro = "Left out: asking this network often enough would take too long."
        return PageSection("columns", title, intro, [])
    # Any rows, not the first ones: a file may be sorted by the target.
    some = np.random.default_rng(seed).permutation(len(data.x))[:num_rows]
    found = permutation_importance(
        network.predict,
        metrics,
        data.x[some],
        data.truth[some],
        data.features,
        repeats=repeats,
        seed=seed,
    )
    varies = ", the thin line how much that varies" if repeats > 1 else ""
    change = f"{metrics[0].label} {change_of(metrics[0])}"
    caption = (
        f"Each column is shuffled among {count(num_rows, 'test row')}, {count(repeats, 'time')}; "
        f"the bar says by how much the {change}{varies}. About 0: not needed. Of columns that say "
        "the same, each may look unimportant."
    )
    figure = draw_importance(found, f"{change} by")
    chart = Chart("importance", "Most important columns", caption, figure)
    return PageSection("columns", title, "", [chart, importance_table(found, metrics)])


def change_of(metric: Metric) -> str:
    """Say what a metric does where the network becomes worse."""
    return "rises" if metric.direction == "min" else "falls"


def effort(cost: float, num_columns: int, num_rows: int) -> tuple[int, int]:
    """Choose repeats and rows that keep to the budget; 0 rows where even a few are too many."""
    affordable = int(min(BUDGET / cost, BUDGET_ROWS) / max(num_columns, 1))  # rows of each column
    rows = min(num_rows, MAX_ROWS, affordable)
    if rows < min(MIN_ROWS, num_rows):
        return 0, 0
    return max(1, min(MAX_REPEATS, affordable // rows)), rows


def permutation_importance(
    predict: Callable[[Tensor], np.ndarray],
    metrics: Sequence[Metric],
    x: Tensor,
    truth: np.ndarray,
    features: Mapping[str, list[int]],
    *,
    repeats: int,
    seed: int,
) -> list[Importance]:
    """Shuffle every column in turn; return them, the most important first.

    Args:
        predict: returns probabilities (N, K), or values (N,), for rows.
        metrics: what is measured.
        x: float32 (N, F + C).
        truth: class codes (N,) or values (N,) of these rows.
        features: where in x each of the user's columns is: a date has several places.
        repeats: how often each is shuffled.
        seed: of the shuffling.
    """
    before = measure(metrics, truth, predict(x))
    signs = np.array([1 if metric.direction == "min" else -1 for metric in metrics])
    found = []
    for position, (column, places) in enumerate(features.items()):
        losses = np.empty((repeats, len(metrics)))
        for repeat in range(repeats):
            generator = make_generator(seed, "report", position, repeat)
            order = torch.randperm(len(x), generator=generator)
            # All places of a column move together: a date's day must fit to its month.
            shuffled = x.clone()
            shuffled[:, places] = x[order][:, places]
            losses[repeat] = signs * (measure(metrics, truth, predict(shuffled)) - before)
        std = float(losses[:, 0].std()) if repeats > 1 else float("nan")
        found.append(Importance(column, tuple(losses.mean(axis=0).tolist()), std))
    return sorted(found, key=lambda item: -item.losses[0])


def measure(metrics: Sequence[Metric], truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Compute the metrics, each as fast as it can be: this is called hundreds of times."""
    once = np.ones((1, len(truth)))
    return np.array(
        [
            m.function(truth, prediction)
            if m.resampled is None
            else m.resampled(truth, prediction, once)[0]
            for m in metrics
        ],
        dtype=np.float64,
    )


@figure_style()
def draw_importance(found: list[Importance], label: str) -> Figure:
    """Draw the most important columns as bars, each with its standard deviation."""
    bars = found[:MAX_BARS][::-1]
    figure, axes = new_axes(WIDTH, 0.9 + 0.24 * len(bars))
    places, losses, stds = np.arange(len(bars)), [b.losses[0] for b in bars], [b.std for b in bars]
    axes.barh(places, losses, xerr=stds, color=BLUE, height=0.7, ecolor=INK, capsize=2)
    axes.set_yticks(places, [shorten(bar.column) for bar in bars])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    return figure


def importance_table(found: list[Importance], metrics: Sequence[Metric]) -> Table:
    """List all columns with what shuffling them did."""
    first, *others = metrics
    changes = [f"{metric.label} {change_of(metric)} by" for metric in metrics]
    rows = [
        (
            item.column,
            write_change(first, item.losses[0]),
            number(item.std, 2),
            *(write_change(*pair) for pair in zip(others, item.losses[1:], strict=True)),
        )
        for item in found
    ]
    head = ("column", changes[0], "give or take", *changes[1:])
    return Table("All columns", "", head, rows, num_shown=12, is_wide=False)


def write_change(metric: Metric, change: float) -> str:
    """Write a change: a share in percent, anything else with 3 digits."""
    return percent(change) if metric.is_share else number(change, 3)
