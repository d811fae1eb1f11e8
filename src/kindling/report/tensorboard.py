"""A finished page in; its figures, HPARAMS and what else TensorBoard can show of a run out."""

from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from kindling.plotting import figure_style
from kindling.report.components import Gallery, Page, Picture
from kindling.report.network_probe import NetworkProbe
from kindling.report.report_data import ReportData

SETTINGS = ("name", "seed", "data", "model", "optimizer", "schedule", "task", "trainer")
MAX_CURVES, MAX_POINTS, MAX_NUMBERS, THUMB_PX = 10, 500, 2**16, 24


def write_board(
    cfg: DictConfig,
    report_data: ReportData,
    probe: NetworkProbe,
    trainer: Trainer,
    metrics: Mapping[str, Any],
    page: Page,
) -> None:
    """Write to every TensorBoard logger of the run; without any, nothing."""
    final = {
        f"final/{stage}_{k}": v for stage in ("val", "test") for k, v in metrics[stage].items()
    }
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    settings = {key: plain[key] for key in SETTINGS}
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            board, step = logger.experiment, trainer.global_step
            yaml = OmegaConf.to_yaml(cfg, resolve=True)
            board.add_text("config", "```yaml\n" + yaml + "```")
            add_pictures(board, page, step)
            if not report_data.spec.is_regression:
                add_precision_recall(board, report_data, step)
            add_rows(board, report_data, probe, step)
            logger.log_hyperparams(settings, final)
            logger.save()


def add_pictures(board: SummaryWriter, page: Page, step: int) -> None:
    """Add every figure and gallery of the page."""
    for section in page.sections:
        for block in section.blocks:
            tag = f"{section.name}/{block.name}" if isinstance(block, Picture | Gallery) else ""
            if isinstance(block, Picture):
                with figure_style():
                    board.add_figure(tag, block.figure, step)
            elif isinstance(block, Gallery):
                board.add_images(tag, block.pixels, step)


def add_precision_recall(board: SummaryWriter, report_data: ReportData, step: int) -> None:
    """Add one interactive curve for each class, of the most frequent ones."""
    truth, probs, classes = report_data.truth, report_data.prediction, report_data.spec.classes
    counts = np.bincount(truth, minlength=len(classes))
    for k in np.argsort(-counts, kind="stable")[:MAX_CURVES]:
        if counts[k]:
            board.add_pr_curve(f"precision_recall/{classes[k]}", truth == k, probs[:, k], step)


def add_rows(board: SummaryWriter, report_data: ReportData, probe: NetworkProbe, step: int) -> None:
    """Add some rows as the last layer sees them, to the projector; images with a thumbnail."""
    seen = probe.last_input(report_data.x[:MAX_POINTS])
    if seen is None or len(seen) < 2:
        return
    seen = seen[: max(2, MAX_NUMBERS // seen.shape[1])]  # written as text, one by one
    thumbs = None
    if report_data.spec.image_shape is not None:
        small = F.interpolate(
            report_data.x[: len(seen)].float() / 255, (THUMB_PX, THUMB_PX), mode="area"
        )
        thumbs = small.expand(-1, 3, -1, -1)
    with redirect_stdout(None):  # it prints where the run was tested before
        board.add_embedding(
            torch.from_numpy(seen),
            labels_of(report_data, slice(len(seen))),
            thumbs,
            step,
            "test_rows",
            metadata_header=["row", "true", "predicted"],
        )


def labels_of(report_data: ReportData, some: slice) -> list[list[str]]:
    """Name each row, its truth and its prediction: the colours of the projector."""
    spec, truth, prediction = (
        report_data.spec,
        report_data.truth[some],
        report_data.prediction[some],
    )
    if spec.is_regression:
        words = [[f"{value:.5g}" for value in values] for values in (truth, prediction)]
    else:
        codes = (truth, prediction.argmax(axis=1))
        words = [[spec.classes[code] for code in values] for values in codes]
    columns = ([str(name) for name in report_data.names[some]], *words)
    # The file has a line for each row and a tab between cells.
    return [[" ".join(cell.split()) or "-" for cell in row] for row in zip(*columns, strict=True)]
