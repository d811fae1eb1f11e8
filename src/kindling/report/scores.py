"""The metrics of a run in; tables and a figure that set them beside the baselines out."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindling.formatting import capital, shorten
from kindling.plotting import BLUE, INK, MUTED, WIDTH, figure_style, new_axes
from kindling.report.components import Picture, Table
from kindling.report.intervals import MAX_ROWS, NUM_RESAMPLES, Interval
from kindling.report.metric_words import HEADLINE, metric, write_interval, write_score
from kindling.types import DataSpec

Within = Mapping[str, Interval]


def score_table(name: str, metrics: Mapping[str, Any], within: Within, num_rows: int) -> Table:
    """Set the network beside the baselines, on the test rows."""
    baselines = metrics["baselines"]
    rows = [
        (
            metric(key).label,
            write_score(key, value),
            write_interval(key, within.get(key)),
            *(write_score(key, scores.get(key)) for scores in baselines.values()),
        )
        for key, value in metrics["test"].items()
    ]
    few = f", of which about {MAX_ROWS:,} stand for all" if num_rows > MAX_ROWS else ""
    caption = (
        f"On the {num_rows:,} test rows, which nothing was learnt from. The interval is where the "
        f"metric would lie in 95 of 100 cases if other test rows had been drawn ({NUM_RESAMPLES:,} "
        f"resamples of the rows{few}; Wilson's formula for the accuracy). A baseline within it may "
        "be as good. A dash: it cannot be told."
    )
    head = ("", name, "95 % interval", *(model.replace("_", " ") for model in baselines))
    return Table("Beside the baselines", caption, head, rows)


def stage_table(metrics: Mapping[str, Any]) -> Table:
    """Set the three parts of the data beside each other, and explain the metrics."""
    stages = [stage for stage in ("train", "val", "test") if stage in metrics]
    rows = [
        (
            metric(key).label,
            metric(key).meaning,
            *(write_score(key, metrics[s].get(key)) for s in stages),
        )
        for key in metrics["test"]
    ]
    caption = (
        "With the weights of the chosen epoch. Learnt from train, chosen by val, judged on test: "
        "where train is much better than test, the network has learnt rows by heart."
    )
    head = ("", "what it means", *stages)
    return Table("On each part of the data", caption, head, rows, num_words=2)


def comparisons(
    spec: DataSpec, name: str, metrics: Mapping[str, Any], within: Within
) -> list[Picture]:
    """Draw the metrics that count most for the network and the baselines, where there are any."""
    keys = (HEADLINE[spec.problem_type], "mae" if spec.is_regression else "log_loss")
    pictures = [comparison(spec, key, name, metrics, within) for key in keys]
    return [picture for picture in pictures if picture]


def comparison(
    spec: DataSpec, key: str, name: str, metrics: Mapping[str, Any], within: Within
) -> Picture | None:
    """Draw one metric for the network and the baselines; None without any."""
    scores = {model.replace("_", " "): s.get(key) for model, s in metrics["baselines"].items()}
    known = {model: score for model, score in scores.items() if score is not None}
    if not known:
        return None
    scores = {name: metrics["test"][key], **known}
    figure = draw_comparison(scores, within.get(key), axis_label(spec, key))
    better = "right" if metric(key).is_good_large else "left"
    caption = f"The further to the {better}, the better. The bar is the 95 % interval."
    title = f"{capital(metric(key).label)} on test rows"
    return Picture(f"comparison_{key}", title, caption, figure)


@figure_style()
def draw_comparison(scores: Mapping[str, float], interval: Interval | None, label: str) -> Figure:
    """Draw one dot for each model, the network first, with its interval."""
    names, values = list(scores), list(scores.values())
    figure, axes = new_axes(WIDTH, 0.9 + 0.32 * len(names))
    if interval is not None:
        axes.plot(interval, [0, 0], color=BLUE, linewidth=5, alpha=0.3, solid_capstyle="butt")
    axes.plot(values[1:], range(1, len(names)), "o", color=MUTED, markersize=6)
    axes.plot(values[:1], [0], "o", color=BLUE, markersize=7)
    axes.axvline(values[0], color=INK, linewidth=0.6, linestyle=":")
    axes.set_yticks(range(len(names)), [shorten(model) for model in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(label)
    return figure


def axis_label(spec: DataSpec, key: str) -> str:
    """Name a metric and its unit at an axis."""
    return (
        f"{metric(key).label} of {shorten(spec.target)}"
        if spec.is_regression
        else metric(key).label
    )
