"""Learning curves: loss and metrics of every epoch, read from TensorBoard's or CSV files and drawn.

From the files, not from memory: a resumed run then shows the epochs before it stopped, too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kindling.formatting import capital
from kindling.plotting import BLUE, MUTED, ORANGE, figure_style, label_log_axis, new_axes
from kindling.report.components import Chart, PageSection
from kindling.report.scores import axis_label
from kindling.runs import TENSORBOARD_FOLDER
from kindling.scoring import Metric, logged_names
from kindling.types import DataSpec

Curves = Mapping[str, Mapping[float, float]]  # name, such as val/loss -> epoch, from 1 -> value
Steps = dict[str, dict[int, float]]  # name -> optimizer step -> value
WIDE = 30  # times the smallest value: from here on a curve is read better on a logarithmic scale


def curve_section(
    spec: DataSpec, metrics: Sequence[Metric], curves: Curves, best_epoch: int
) -> PageSection:
    """Show how the training went, if a logger wrote it down."""
    title = "How the training went"
    if not curves:
        intro = "No curves: neither logger=tensorboard nor logger=csv wrote them down."
        return PageSection("training", title, intro, [])
    caption = (
        f"Train rows are learnt from, val rows are not. Dashed: epoch {best_epoch}, whose weights "
        "were kept. Where val turns up while train still falls, rows are learnt by heart."
    )
    charts = [Chart("loss", "Loss", caption, draw_curves(curves, "loss", "loss", best_epoch))]
    for metric in metrics:
        if metric.every_epoch:
            figure = draw_curves(curves, metric.name, axis_label(spec, metric), best_epoch)
            caption = f"{capital(metric.meaning)}."
            charts.append(Chart(metric.name, capital(metric.label), caption, figure))
    return PageSection("training", title, "", charts)


def read_curves(run: Path, metrics: Sequence[Metric], num_epochs: int) -> Curves:
    """Return the curves of a run folder; empty where no logger wrote files that can be read."""
    names = logged_names(metrics)
    csv = run / "csv" / "metrics.csv"
    steps = read_events(run / TENSORBOARD_FOLDER, names) or read_csv(csv, names)
    return by_epoch(steps, num_epochs)


def read_events(folder: Path, names: list[str]) -> Steps:
    """Read TensorBoard's files, the oldest first: a step that was repeated has its last value."""
    found: Steps = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        events = EventAccumulator(str(file), size_guidance={"scalars": 0}).Reload()
        for name in set(events.Tags()["scalars"]) & set(names):
            values = {point.step: point.value for point in events.Scalars(name)}
            found.setdefault(name, {}).update(values)
    return found


def read_csv(file: Path, names: list[str]) -> Steps:
    """Read the file of Lightning's CSV logger."""
    if not file.is_file():
        return {}
    table = pd.read_csv(file).set_index("step")
    return {name: table[name].dropna().to_dict() for name in names if name in table}


def by_epoch(steps: Steps, num_epochs: int) -> Curves:
    """Count in epochs: train/loss is written once at the end of each, the last one of them last."""
    ends = sorted(steps.get("train/loss", {}))
    if not ends:
        return {}
    epochs = np.arange(num_epochs - len(ends), num_epochs + 1)
    places = [-1, *ends]  # steps count from 0
    return {
        name: {float(np.interp(step, places, epochs)): y for step, y in sorted(values.items())}
        for name, values in steps.items()
    }


@figure_style()
def draw_curves(curves: Curves, name: str, label: str, best_epoch: int) -> Figure:
    """Draw one quantity of train and val rows over the epochs; the chosen epoch is marked."""
    figure, axes = new_axes()
    lowest, highest = np.inf, -np.inf
    for split, colour in (("train", ORANGE), ("val", BLUE)):
        points = sorted(curves.get(f"{split}/{name}", {}).items())
        if points:
            epochs, values = zip(*points, strict=True)
            marker = "o" if len(points) < 10 else ""
            axes.plot(epochs, values, color=colour, marker=marker, markersize=3, label=split)
            lowest, highest = min(lowest, *values), max(highest, *values)
    axes.axvline(best_epoch, color=MUTED, linestyle="--", linewidth=1, label=f"epoch {best_epoch}")
    if 0 < lowest * WIDE < highest:
        axes.set_yscale("log")
        label_log_axis(axes.yaxis)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch", ylabel=label)
    axes.legend()
    return figure
