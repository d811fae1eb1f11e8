"""Compose the page of a run from its sections, write RUN/report.html, and feed TensorBoard."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lightning import Trainer
from omegaconf import DictConfig, OmegaConf

from kindling.bootstrap import intervals
from kindling.contract import DescribedData, DescribedTask
from kindling.files import write_atomically
from kindling.report.classification import class_charts
from kindling.report.components import Block, Page, PageSection, Sentences, Table, Text, render
from kindling.report.curves import curve_section, read_curves
from kindling.report.findings import find, sentence_of
from kindling.report.importance import importance_section
from kindling.report.occlusion import image_section
from kindling.report.regression import regression_charts
from kindling.report.report_data import ReportData, TrainedNetwork, read_report_data
from kindling.report.scores import Scores, read_scores, score_cards, score_section
from kindling.report.tensorboard import write_tensorboard
from kindling.report.weak_spots import weak_section
from kindling.runs import ENVIRONMENT_FILE, OVERRIDES_FILE, REPORT_FILE


def write_report(
    cfg: DictConfig,
    data: DescribedData,
    task: DescribedTask,
    trainer: Trainer,
    results: Mapping[str, Any],
    plan: Mapping[str, str],
) -> Path:
    """Write the report of a trained and tested run; return the file.

    Args:
        cfg: what was asked for.
        data: the data module, which holds the test rows.
        task: the LightningModule: network, metrics, and predictions of the test rows.
        trainer: has the loggers.
        results: what metrics.json holds.
        plan: the lines that were shown before the training.
    """
    for logger in trainer.loggers:
        logger.save()  # the curves are read from the files
    report_data = read_report_data(data, task.results["test"])
    network = TrainedNetwork(task.network, data.spec, report_data.result.temperature)
    test = report_data.result
    given = (task.metrics, data.spec, test.truth, test.prediction, results["test"])
    within = intervals(*given, seed=cfg.seed, threshold=test.threshold)
    scores = read_scores(results, task.metrics, within, len(test.truth))
    page = make_page(cfg, data, report_data, network, scores, results, plan)
    file = Path(cfg.run_dir) / REPORT_FILE
    # What is not valid text, such as half of a surrogate pair in a file's name, becomes a ?.
    write_atomically(file, render(page).encode("utf-8", errors="replace"))
    write_tensorboard(cfg, report_data, network, trainer, scores, page)
    return file


def make_page(
    cfg: DictConfig,
    data: DescribedData,
    report_data: ReportData,
    network: TrainedNetwork,
    scores: Scores,
    results: Mapping[str, Any],
    plan: Mapping[str, str],
) -> Page:
    """Put the page together; what the checks of the data warn of comes before all else."""
    spec, truth, run = report_data.spec, report_data.result.truth, Path(cfg.run_dir)
    codes = {problem.code for problem in data.findings} | {"checks"}  # these are told in full
    plan = {name: line for name, line in plan.items() if name not in codes}
    notes = [*data.raw.notes, *map(sentence_of, data.findings)]
    curves = read_curves(run, scores.metrics, results["epochs"])
    measured = tuple({m.name: m for m in (scores.error, scores.primary)}.values())
    closer = (
        image_section(report_data, network)
        if report_data.has_images
        else importance_section(report_data, network, measured, cfg.seed)
    )
    return Page(
        title=f"{cfg.name}: {network.name} predicts {spec.target}",
        subtitle=f"run {run.name}, report of {datetime.now():%Y-%m-%d %H:%M}",
        cards=score_cards(scores, results),
        findings=[
            *(sentence_of(problem) for problem in data.findings if problem.severity != "info"),
            *find(spec, truth, scores, results, cfg.trainer.max_epochs),
        ],
        sections=[
            plan_section(plan, notes),
            score_section(spec, network.name, scores),
            curve_section(spec, scores.metrics, curves, results["best_epoch"]),
            prediction_section(report_data, results),
            closer,
            weak_section(report_data),
            repeat_section(run, OmegaConf.to_yaml(cfg, resolve=True)),
        ],
    )


def plan_section(plan: Mapping[str, str], notes: Sequence[str]) -> PageSection:
    """Say what was trained on what, and what was noticed in the data."""
    blocks: list[Block] = [Table("", "", (), list(plan.items()), num_text=2)]
    if notes:
        blocks.append(Sentences("Noticed in the data", notes))
    return PageSection("plan", "What was trained on what", "", blocks)


def prediction_section(data: ReportData, results: Mapping[str, Any]) -> PageSection:
    """Show the predictions of all test rows."""
    spec, result = data.spec, data.result
    if spec.is_regression:
        charts = regression_charts(spec, result.truth, result.prediction)
    else:
        charts = class_charts(spec, result, results)
    return PageSection("test", "What it predicts for the test rows", "", charts)


def repeat_section(run: Path, config: str) -> PageSection:
    """Say how to do it again, and with what it was done."""
    blocks: list[Block] = []
    command = run / OVERRIDES_FILE
    if command.is_file():
        blocks.append(Text("The command", command.read_text(encoding="utf-8").strip()))
    environment = run / ENVIRONMENT_FILE
    if environment.is_file():
        known = json.loads(environment.read_text(encoding="utf-8"))
        known |= known.pop("packages", {})
        rows = [(k.replace("_", " "), str(v)) for k, v in known.items() if v is not None]
        blocks.append(Table("Where it ran", "", (), rows, num_text=2, num_shown=40))
    blocks.append(Text("All settings", config, is_folded=True))
    return PageSection("repeat", "How to do it again", "", blocks)
