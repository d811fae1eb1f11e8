"""A trained and tested run in; report.html and what TensorBoard shows beside the curves out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lightning import Trainer
from omegaconf import DictConfig, OmegaConf

from kindling.errors import Problem
from kindling.report import sections
from kindling.report.components import Page
from kindling.report.curves import read_curves
from kindling.report.findings import find, sentence
from kindling.report.intervals import intervals
from kindling.report.network_probe import NetworkProbe
from kindling.report.page import write_page
from kindling.report.report_data import ReportData, look_at
from kindling.report.tensorboard import write_board
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask


def write_report(
    cfg: DictConfig,
    data: DataModule,
    task: SupervisedTask,
    trainer: Trainer,
    metrics: Mapping[str, Any],
    plan: Mapping[str, str],
) -> Path:
    """Write RUN/report.html and the same figures to TensorBoard; return the file.

    Args:
        cfg: what was asked for.
        data: holds the test rows.
        task: holds the network and what it said of them.
        trainer: has the loggers.
        metrics: what metrics.json holds.
        plan: the lines that were shown before the training.
    """
    for logger in trainer.loggers:
        logger.save()  # the curves are read from the files
    report_data, probe = look_at(data, task), NetworkProbe(task.network, data.spec)
    codes = {problem.code for problem in data.findings} | {"checks"}  # these are told in full
    plan = {name: line for name, line in plan.items() if name not in codes}
    page = tell(cfg, report_data, probe, metrics, plan, data.raw.notes, data.findings)
    file = Path(cfg.run_dir) / "report.html"
    write_page(file, page)
    write_board(cfg, report_data, probe, trainer, metrics, page)
    return file


def tell(
    cfg: DictConfig,
    report_data: ReportData,
    probe: NetworkProbe,
    metrics: Mapping[str, Any],
    plan: Mapping[str, str],
    notes: Sequence[str],
    problems: Sequence[Problem],
) -> Page:
    """Put the page together; what the checks of the data warn of comes before all else."""
    spec, result, run = report_data.spec, report_data.result, Path(cfg.run_dir)
    within = intervals(spec, result.truth, result.prediction, metrics["test"], seed=cfg.seed)
    model, num_rows = type(probe.network).__name__, len(result.truth)
    closer = (
        sections.picture_section(report_data, probe)
        if spec.image_shape
        else sections.column_section(report_data, probe, cfg.seed)
    )
    return Page(
        title=f"{cfg.name}: {model} predicts {spec.target}",
        subtitle=f"run {run.name}, report of {datetime.now():%Y-%m-%d %H:%M}",
        cards=sections.cards(spec, metrics, within, num_rows),
        findings=[
            *(sentence(p) for p in problems if p.severity != "info"),
            *find(spec, result.truth, metrics, within, cfg.trainer.max_epochs),
        ],
        sections=[
            sections.plan_section(plan, [*notes, *map(sentence, problems)]),
            sections.score_section(spec, model, metrics, within, num_rows),
            sections.training_section(spec, read_curves(run, spec, metrics["epochs"]), metrics),
            sections.test_section(report_data),
            closer,
            sections.weak_section(report_data),
            sections.repeat_section(run, OmegaConf.to_yaml(cfg, resolve=True)),
        ],
    )
