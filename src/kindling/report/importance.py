"""A network and test rows in; how much worse it becomes without each column, out.

A column is shuffled among the rows, so that it looks as ever and says nothing (Breiman, 2001).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from kindling.formatting import shorten
from kindling.plotting import BLUE, INK, WIDTH, figure_style, new_axes
from kindling.rng import make_generator
from kindling.types import DataSpec

MAX_REPEATS, MAX_ROWS, MIN_ROWS = 5, 2000, 30
BUDGET = 1e10  # multiplications and additions: a second or less on one core
BUDGET_ROWS = 300_000  # each costs something beside them
MAX_BARS = 15


@dataclass(frozen=True)
class Importance:
    """What shuffling one column did, over all repeats.

    Args:
        column: its name in the user's table.
        rise: mean rise of the log loss, or of the RMSE in the target's unit.
        spread: standard deviation of the rise between the repeats; nan of a single one.
        fall: mean fall of the accuracy; 0 for values.
    """

    column: str
    rise: float
    spread: float
    fall: float


def effort(cost: float, num_columns: int, num_rows: int) -> tuple[int, int]:
    """Choose repeats and rows that keep to the budget; 0 rows where even a few are too many."""
    asked = int(min(BUDGET / cost, BUDGET_ROWS) / max(num_columns, 1))  # rows for each column
    rows = min(num_rows, MAX_ROWS, asked)
    if rows < min(MIN_ROWS, num_rows):
        return 0, 0
    return max(1, min(MAX_REPEATS, asked // rows)), rows


def permutation_importance(
    ask: Callable[[Tensor], np.ndarray],
    spec: DataSpec,
    x: Tensor,
    truth: np.ndarray,
    columns: Mapping[str, list[int]],
    *,
    repeats: int,
    seed: int,
) -> list[Importance]:
    """Shuffle every column in turn; return them, the most important first.

    Args:
        ask: returns probabilities (N, K), or values (N,), for rows.
        spec: says which task it is.
        x: float32 (N, F + C).
        truth: of these rows.
        columns: where in x each of the user's columns is: a date has several places.
        repeats: how often each is shuffled.
        seed: keys the shuffling.
    """
    plain_loss, plain_right = _judge(spec, truth, ask(x))
    found = []
    for number, (column, places) in enumerate(columns.items()):
        rises, falls = [], []
        for repeat in range(repeats):
            order = torch.randperm(len(x), generator=make_generator(seed, "report", number, repeat))
            shuffled = x.clone()
            shuffled[:, places] = x[order][:, places]
            loss, right = _judge(spec, truth, ask(shuffled))
            rises.append(loss - plain_loss)
            falls.append(plain_right - right)
        mean, spread = float(np.mean(rises)), float(np.std(rises)) if repeats > 1 else float("nan")
        found.append(Importance(column, mean, spread, float(np.mean(falls))))
    return sorted(found, key=lambda item: -item.rise)


def _judge(spec: DataSpec, truth: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """Return log loss and accuracy, or RMSE and 0."""
    if spec.is_regression:
        return float(np.sqrt(np.mean((prediction - truth) ** 2))), 0.0
    chosen = prediction[np.arange(len(truth)), truth]
    surprise = -np.log(np.maximum(chosen, np.finfo(np.float64).eps))
    return float(surprise.mean()), float((prediction.argmax(axis=1) == truth).mean())


@figure_style()
def draw_importance(found: list[Importance], label: str) -> Figure:
    """Draw the most important columns as bars, each with its spread."""
    shown = found[:MAX_BARS][::-1]
    figure, axes = new_axes(WIDTH, 0.9 + 0.24 * len(shown))
    places, rises = np.arange(len(shown)), [item.rise for item in shown]
    spreads = [item.spread for item in shown]
    axes.barh(places, rises, xerr=spreads, color=BLUE, height=0.7, ecolor=INK, capsize=2)
    axes.set_yticks(places, [shorten(item.column) for item in shown])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    return figure
