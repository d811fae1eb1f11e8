"""The scores of a run: the first cards, the table beside the baselines, each split, and charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindling.bootstrap import MAX_ROWS, NUM_RESAMPLES, Interval
from kindling.formatting import capital, shorten
from kindling.plotting import BLUE, INK, MUTED, WIDTH, figure_style, new_axes
from kindling.report.components import Block, Card, Chart, PageSection, Table
from kindling.scoring import Metric
from kindling.types import SPLITS, DataSpec


@dataclass(frozen=True)
class Scores:
    """How good a run is.

    Args:
        metrics: of the problem type, the primary one first.
        splits: "train", "val" and "test" -> metric's name -> value.
        baselines: model -> metric's name -> value on the test rows; may be empty.
        intervals: metric's name -> its 95 % interval on the test rows, where there is one.
        num_rows: of the test rows.
    """

    metrics: Sequence[Metric]
    splits: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float | None]]
    intervals: Mapping[str, Interval]
    num_rows: int

    @property
    def primary(self) -> Metric:
        return self.metrics[0]

    @property
    def error(self) -> Metric:
        """The first metric that is 0 at best, such as the log loss; else the primary one."""
        errors = [m for m in self.metrics if m.direction == "min" and m.range[0] == 0]
        return errors[0] if errors else self.primary

    @property
    def test(self) -> Mapping[str, float]:
        return self.splits["test"]

    def of_baselines(self, metric: Metric) -> dict[str, float]:
        """Return what is known of the baselines, by the names that a person reads."""
        found = {model: scores.get(metric.name) for model, scores in self.baselines.items()}
        return {model.replace("_", " "): s for model, s in found.items() if s is not None}

    def format_interval(self, metric: Metric) -> str:
        """Write both ends of an interval, and the percent sign once."""
        if metric.name not in self.intervals:
            return "-"
        low, high = (metric.format(end) for end in self.intervals[metric.name])
        return f"{low.removesuffix(' %')} to {high}"


def read_scores(
    results: Mapping[str, Any],
    metrics: Sequence[Metric],
    intervals: Mapping[str, Interval],
    num_rows: int,
) -> Scores:
    """Take the scores out of what metrics.json holds."""
    splits: dict[str, Any] = {split: results[split] for split in SPLITS if split in results}
    return Scores(metrics, splits, results["baselines"], intervals, num_rows)


def score_cards(scores: Scores, results: Mapping[str, Any]) -> list[Card]:
    """Choose the numbers that are looked for first."""
    metric = scores.primary
    has_interval = metric.name in scores.intervals
    note = f"95 % interval {scores.format_interval(metric)}" if has_interval else metric.meaning
    value = metric.format(scores.test[metric.name])
    found = [Card(f"{metric.label} on test rows", value, note)]
    baselines = scores.of_baselines(metric)
    if baselines:
        best = metric.best(baselines)
        found.append(Card("best baseline", metric.format(baselines[best]), best))
    found.append(Card("test rows", f"{scores.num_rows:,}", "not learnt from"))
    trained = f"{results['seconds']:.1f} s"
    note = f"epoch {results['best_epoch']} of {results['epochs']} is the best"
    found.append(Card("trained for", trained, note))
    return found


def score_section(spec: DataSpec, network: str, scores: Scores) -> PageSection:
    """Say how good it is, on the test rows beside the baselines and on every split."""
    # The primary metric, and the first other one whose small values are good: of probabilities it
    # also says how sure the network is where it is wrong.
    others = [m for m in scores.metrics[1:] if m.direction == "min"] or scores.metrics[1:2]
    charts = [
        compare_with_baselines(spec, network, scores, metric)
        for metric in (scores.primary, *others[:1])
        if scores.of_baselines(metric)
    ]
    blocks: list[Block] = [baseline_table(network, scores), *charts, split_table(scores)]
    return PageSection("scores", "How good it is", "", blocks)


def baseline_table(network: str, scores: Scores) -> Table:
    """Set the network beside the baselines, on the test rows."""
    rows = [
        (
            metric.label,
            metric.format(scores.test.get(metric.name)),
            scores.format_interval(metric),
            *(metric.format(baseline.get(metric.name)) for baseline in scores.baselines.values()),
        )
        for metric in scores.metrics
    ]
    # The metrics of counts are resampled so; others are called for fewer, see bootstrap.py.
    few = f", of which about {MAX_ROWS:,} stand for all" if scores.num_rows > MAX_ROWS else ""
    shares = [metric.label for metric in scores.metrics if metric.is_row_share]
    wilson = f"; Wilson's formula for the {' and the '.join(shares)}" if shares else ""
    caption = (
        f"On the {scores.num_rows:,} test rows, which nothing was learnt from. The interval is "
        "where the metric would lie in 95 of 100 cases if other test rows had been drawn "
        f"({NUM_RESAMPLES:,} resamples of the rows{few}{wilson}). A baseline within it may be as "
        "good. A dash: it cannot be told."
    )
    head = ("", network, "95 % interval", *(name.replace("_", " ") for name in scores.baselines))
    return Table("Beside the baselines", caption, head, rows)


def split_table(scores: Scores) -> Table:
    """Set train, val and test beside each other, and explain the metrics."""
    rows = [
        (
            metric.label,
            metric.meaning,
            *(metric.format(split.get(metric.name)) for split in scores.splits.values()),
        )
        for metric in scores.metrics
    ]
    caption = (
        "With the weights of the chosen epoch. Learnt from train, chosen by val, tested on test: "
        "where train is much better than test, the network has learnt rows by heart."
    )
    head = ("", "what it means", *scores.splits)
    return Table("On each split of the data", caption, head, rows, num_text=2)


def compare_with_baselines(spec: DataSpec, network: str, scores: Scores, metric: Metric) -> Chart:
    """Draw one metric of the network and of the baselines."""
    values = {network: scores.test[metric.name], **scores.of_baselines(metric)}
    interval = scores.intervals.get(metric.name)
    better = "right" if metric.direction == "max" else "left"
    return Chart(
        f"comparison_{metric.name}",
        f"{capital(metric.label)} on test rows",
        f"The further to the {better}, the better. The bar is the 95 % interval.",
        draw_comparison(values, interval, axis_label(spec, metric)),
    )


@figure_style()
def draw_comparison(values: Mapping[str, float], interval: Interval | None, label: str) -> Figure:
    """Draw one dot for each model, the network first, with its interval."""
    figure, axes = new_axes(WIDTH, 0.9 + 0.32 * len(values))
    own, *others = values.values()
    if interval is not None:
        axes.plot(interval, [0, 0], color=BLUE, linewidth=5, alpha=0.3, solid_capstyle="butt")
    axes.plot(others, range(1, len(values)), "o", color=MUTED, markersize=6)
    axes.plot([own], [0], "o", color=BLUE, markersize=7)
    axes.axvline(own, color=INK, linewidth=0.6, linestyle=":")
    axes.set_yticks(range(len(values)), [shorten(model) for model in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(label)
    return figure


def axis_label(spec: DataSpec, metric: Metric) -> str:
    """Name a metric and, of a regression, what it is measured on."""
    return f"{metric.label} of {shorten(spec.target)}" if spec.is_regression else metric.label
