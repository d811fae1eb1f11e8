"""What is known of a run in; the parts of its page, in the order in which they are read, out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kindling.formatting import capital, count
from kindling.report.class_tables import class_table, confusion_table
from kindling.report.classes import class_pictures
from kindling.report.components import Block, Card, Lines, Picture, Section, Table, Text
from kindling.report.curves import Curves, draw_curves
from kindling.report.gallery import mistakes
from kindling.report.importance import draw_importance, effort, permutation_importance
from kindling.report.intervals import Interval
from kindling.report.metric_words import HEADLINE, metric, write_interval, write_score
from kindling.report.network_probe import NetworkProbe
from kindling.report.occlusion import maps
from kindling.report.report_data import ReportData
from kindling.report.scores import axis_label, comparisons, score_table, stage_table
from kindling.report.slices import MIN_ROWS
from kindling.report.values import value_pictures
from kindling.report.weakness import error_table, importance_table, looked_at, slice_table
from kindling.types import DataSpec


def cards(
    spec: DataSpec, metrics: Mapping[str, Any], within: Mapping[str, Interval], num_rows: int
) -> list[Card]:
    """Choose the numbers that are looked for first."""
    key = HEADLINE[spec.problem_type]
    words, interval = metric(key), within.get(key)
    note = f"95 % interval {write_interval(key, interval)}" if interval else words.meaning
    found = [Card(f"{words.label} on test rows", write_score(key, metrics["test"][key]), note)]
    scores = {model: s[key] for model, s in metrics["baselines"].items() if key in s}
    if scores:
        best = (max if words.is_good_large else min)(scores, key=lambda model: scores[model])
        found.append(Card("best baseline", write_score(key, scores[best]), best.replace("_", " ")))
    found.append(Card("test rows", f"{num_rows:,}", "not learnt from"))
    epochs = f"epoch {metrics['best_epoch']} of {metrics['epochs']} is the best"
    found.append(Card("trained for", f"{metrics['seconds']:.1f} s", epochs))
    return found


def plan_section(plan: Mapping[str, str], notes: Sequence[str]) -> Section:
    """Say what was trained on what, and what was noticed in the data."""
    rows = [(name, line) for name, line in plan.items()]
    blocks: list[Block] = [Table("", "", (), rows, num_words=2)]
    if notes:
        blocks.append(Lines("Noticed in the data", notes))
    return Section("plan", "What was trained on what", "", blocks)


def score_section(
    spec: DataSpec,
    model: str,
    metrics: Mapping[str, Any],
    within: Mapping[str, Interval],
    num_rows: int,
) -> Section:
    """Say how good it is."""
    pictures = comparisons(spec, model, metrics, within)
    first = score_table(model, metrics, within, num_rows)
    blocks: list[Block] = [first, *pictures, stage_table(metrics)]
    return Section("scores", "How good it is", "", blocks)


def training_section(spec: DataSpec, curves: Curves, metrics: Mapping[str, Any]) -> Section:
    """Show how the training went, if a logger wrote it down."""
    if not curves:
        intro = "No curves: neither logger=tensorboard nor logger=csv wrote them down."
        return Section("training", "How the training went", intro, [])
    best, key = metrics["best_epoch"], HEADLINE[spec.problem_type]
    caption = (
        f"Train rows are learnt from, val rows are not. Dashed: epoch {best}, whose weights were "
        "kept. Where val turns up while train still falls, rows are learnt by heart."
    )
    metric_caption = f"{capital(metric(key).meaning)}."
    label = axis_label(spec, key)
    pictures: list[Block] = [
        Picture("loss", "Loss", caption, draw_curves(curves, "loss", "loss", best)),
        Picture(
            key, capital(metric(key).label), metric_caption, draw_curves(curves, key, label, best)
        ),
    ]
    return Section("training", "How the training went", "", pictures)


def test_section(report_data: ReportData) -> Section:
    """Show what was said of the test rows."""
    spec, truth, prediction = (
        report_data.spec,
        report_data.result.truth,
        report_data.result.prediction,
    )
    draw = value_pictures if spec.is_regression else class_pictures
    return Section("test", "What it says of the test rows", "", [*draw(spec, truth, prediction)])


def weak_section(report_data: ReportData) -> Section:
    """Show where it is wrong."""
    blocks: list[Block | None] = []
    if not report_data.spec.is_regression:
        spec, truth = report_data.spec, report_data.result.truth
        predicted = report_data.result.prediction.argmax(axis=1)
        blocks += [class_table(spec, truth, predicted), confusion_table(spec, truth, predicted)]
    worst = slice_table(report_data)
    blocks.append(worst)
    if report_data.spec.image_shape is None:
        blocks.append(error_table(report_data))
    intro = "" if worst else "No group of rows is worse than chance alone would make it."
    if len(report_data.looked) <= MIN_ROWS:
        intro = "Too few test rows to tell groups of them apart."
    intro += looked_at(report_data)
    return Section("weak", "Where it is weak", intro, [block for block in blocks if block])


def column_section(report_data: ReportData, probe: NetworkProbe, seed: int) -> Section:
    """Show which columns it leans on."""
    repeats, num_rows = effort(
        probe.cost(report_data.x), len(report_data.places), len(report_data.x)
    )
    title = "Which columns it leans on"
    if num_rows == 0:
        intro = "Left out: asking this network often enough would take too long."
        return Section("columns", title, intro, [])
    some = np.random.default_rng(seed).permutation(len(report_data.x))[:num_rows]
    found = permutation_importance(
        probe,
        report_data.spec,
        report_data.x[some],
        report_data.truth[some],
        report_data.places,
        repeats=repeats,
        seed=seed,
    )
    measure = "RMSE" if report_data.spec.is_regression else "log loss"
    varies = ", the thin line how much that varies" if repeats > 1 else ""
    caption = (
        f"Each column is shuffled among {count(num_rows, 'test row')}, {count(repeats, 'time')}; "
        f"the bar says by how much the {measure} rises{varies}. About 0: not needed. Of columns "
        "that say the same, each may look unimportant."
    )
    figure = draw_importance(found, f"rise of the {measure}")
    picture = Picture("importance", "Most important columns", caption, figure)
    return Section("columns", title, "", [picture, importance_table(report_data, found)])


def picture_section(report_data: ReportData, probe: NetworkProbe) -> Section:
    """Show the worst mistakes, and what the network looks at."""
    worst, seen = mistakes(report_data), maps(probe, report_data, probe.cost(report_data.x))
    blocks: list[Block] = [worst] if seen is None else [worst, seen]
    return Section("images", "Images it is wrong about, and what it looks at", "", blocks)


def repeat_section(run: Path, config: str) -> Section:
    """Say how to do it again, and with what it was done."""
    blocks: list[Block] = []
    command = run / "overrides.txt"
    if command.is_file():
        blocks.append(Text("The command", command.read_text(encoding="utf-8").strip()))
    environment = run / "environment.json"
    if environment.is_file():
        known = json.loads(environment.read_text(encoding="utf-8"))
        known |= known.pop("packages", {})
        rows = [
            (name.replace("_", " "), str(value))
            for name, value in known.items()
            if value is not None
        ]
        blocks.append(Table("Where it ran", "", (), rows, num_words=2, num_shown=40))
    blocks.append(Text("All settings", config, is_folded=True))
    return Section("repeat", "How to do it again", "", blocks)
