"""What is known of a run in; the parts of its page, in the order in which they are read, out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kindling.report.class_tables import class_table, confusion_table
from kindling.report.classes import class_pictures
from kindling.report.curves import Curves, draw_curves
from kindling.report.gallery import mistakes
from kindling.report.importance import draw_importance, effort, permutation_importance
from kindling.report.intervals import Interval
from kindling.report.occlusion import maps
from kindling.report.parts import Block, Card, Lines, Picture, Section, Table, Text
from kindling.report.probe import Probe
from kindling.report.scores import axis_label, comparisons, score_table, stage_table
from kindling.report.slices import MIN_ROWS
from kindling.report.subject import Subject
from kindling.report.values import value_pictures
from kindling.report.weakness import error_table, importance_table, looked_at, slice_table
from kindling.report.words import capital, count, metric, write_interval, write_score
from kindling.task.metrics import HEADLINE
from kindling.types import DataSpec


def cards(
    spec: DataSpec, metrics: Mapping[str, Any], within: Mapping[str, Interval], num_rows: int
) -> list[Card]:
    """Choose the numbers that are looked for first."""
    key = HEADLINE[spec.task]
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
    best, key = metrics["best_epoch"], HEADLINE[spec.task]
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


def test_section(subject: Subject) -> Section:
    """Show what was said of the test rows."""
    spec, truth, prediction = subject.spec, subject.result.truth, subject.result.prediction
    draw = value_pictures if spec.is_regression else class_pictures
    return Section("test", "What it says of the test rows", "", [*draw(spec, truth, prediction)])


def weak_section(subject: Subject) -> Section:
    """Show where it is wrong."""
    blocks: list[Block | None] = []
    if not subject.spec.is_regression:
        spec, truth = subject.spec, subject.result.truth
        predicted = subject.result.prediction.argmax(axis=1)
        blocks += [class_table(spec, truth, predicted), confusion_table(spec, truth, predicted)]
    worst = slice_table(subject)
    blocks.append(worst)
    if subject.spec.image_shape is None:
        blocks.append(error_table(subject))
    intro = "" if worst else "No group of rows is worse than chance alone would make it."
    if len(subject.looked) <= MIN_ROWS:
        intro = "Too few test rows to tell groups of them apart."
    intro += looked_at(subject)
    return Section("weak", "Where it is weak", intro, [block for block in blocks if block])


def column_section(subject: Subject, probe: Probe, seed: int) -> Section:
    """Show which columns it leans on."""
    repeats, num_rows = effort(probe.cost(subject.x), len(subject.places), len(subject.x))
    title = "Which columns it leans on"
    if num_rows == 0:
        intro = "Left out: asking this network often enough would take too long."
        return Section("columns", title, intro, [])
    some = np.random.default_rng(seed).permutation(len(subject.x))[:num_rows]
    found = permutation_importance(
        probe,
        subject.spec,
        subject.x[some],
        subject.truth[some],
        subject.places,
        repeats=repeats,
        seed=seed,
    )
    measure = "RMSE" if subject.spec.is_regression else "log loss"
    varies = ", the thin line how much that varies" if repeats > 1 else ""
    caption = (
        f"Each column is shuffled among {count(num_rows, 'test row')}, {count(repeats, 'time')}; "
        f"the bar says by how much the {measure} rises{varies}. About 0: not needed. Of columns "
        "that say the same, each may look unimportant."
    )
    figure = draw_importance(found, f"rise of the {measure}")
    picture = Picture("importance", "Most important columns", caption, figure)
    return Section("columns", title, "", [picture, importance_table(subject, found)])


def picture_section(subject: Subject, probe: Probe) -> Section:
    """Show the worst mistakes, and what the network looks at."""
    worst, seen = mistakes(subject), maps(probe, subject, probe.cost(subject.x))
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
