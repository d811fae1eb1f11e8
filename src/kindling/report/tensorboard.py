"""TensorBoard: the figures of the report, HPARAMS, precision-recall curves and the projector."""

from contextlib import redirect_stdout

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from kindling.formatting import printable
from kindling.plotting import figure_style
from kindling.report.components import Chart, Gallery, Page
from kindling.report.report_data import ReportData, TrainedNetwork
from kindling.report.scores import Scores
from kindling.trainer.loggers import hyper_parameters

MAX_CURVES, MAX_POINTS, MAX_NUMBERS, THUMBNAIL_PX = 10, 500, 2**16, 24


def write_tensorboard(
    cfg: DictConfig,
    data: ReportData,
    network: TrainedNetwork,
    trainer: Trainer,
    scores: Scores,
    page: Page,
) -> None:
    """Write to every TensorBoard logger of the run; without any, nothing."""
    final = {
        f"final/{split}_{name}": value
        for split in ("val", "test")
        for name, value in scores.splits.get(split, {}).items()
    }
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            writer, step = logger.experiment, trainer.global_step
            yaml = OmegaConf.to_yaml(cfg, resolve=True)
            writer.add_text("config", "```yaml\n" + printable(yaml, keep="\n") + "```")
            add_figures(writer, page, step)
            if not data.spec.is_regression:
                add_precision_recall(writer, data, step)
            add_embedding(writer, data, network, step)
            logger.log_hyperparams(hyper_parameters(cfg), final)
            logger.save()


def add_figures(writer: SummaryWriter, page: Page, step: int) -> None:
    """Add every figure and gallery of the page."""
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                with figure_style():
                    writer.add_figure(f"{section.name}/{block.name}", block.figure, step)
            elif isinstance(block, Gallery):
                writer.add_images(f"{section.name}/{block.name}", block.pixels, step)


def add_precision_recall(writer: SummaryWriter, data: ReportData, step: int) -> None:
    """Add one interactive curve for each class, of the most frequent ones."""
    truth, probs, classes = data.truth, data.prediction, data.spec.classes
    counts = np.bincount(truth, minlength=len(classes))
    for k in np.argsort(-counts, kind="stable")[:MAX_CURVES]:
        if counts[k]:
            writer.add_pr_curve(
                f"precision_recall/{printable(classes[k])}", truth == k, probs[:, k], step
            )


def add_embedding(
    writer: SummaryWriter, data: ReportData, network: TrainedNetwork, step: int
) -> None:
    """Add some rows as the last layer sees them, to the projector; images with a thumbnail."""
    points = network.embed(data.x[:MAX_POINTS])
    if points is None or len(points) < 2:
        return
    points = points[: max(2, MAX_NUMBERS // points.shape[1])]  # written as text, one by one
    thumbnails = None
    if data.has_images and not data.why_no_images:
        size = (THUMBNAIL_PX, THUMBNAIL_PX)
        seen = torch.from_numpy(data.pictures(slice(len(points))))
        small = F.interpolate(seen.float() / 255, size, mode="area")
        thumbnails = small.expand(-1, 3, -1, -1)
    with redirect_stdout(None):  # it prints where the run was tested before
        writer.add_embedding(
            torch.from_numpy(points),
            label_rows(data, len(points)),
            thumbnails,
            step,
            "test_rows",
            metadata_header=["row", "true", "predicted"],
        )


def label_rows(data: ReportData, num_rows: int) -> list[list[str]]:
    """Name the first rows, their truth and their prediction: the colours of the projector."""
    truth, prediction = data.truth[:num_rows], data.prediction[:num_rows]
    if data.spec.is_regression:
        labels = [[f"{value:.5g}" for value in values] for values in (truth, prediction)]
    else:
        codes = (truth, data.code[:num_rows])
        labels = [[data.spec.classes[code] for code in values] for values in codes]
    columns = ([str(name) for name in data.sample_ids[:num_rows]], *labels)
    # The file has a line for each row and a tab between cells.
    return [
        [printable(" ".join(cell.split())) or "-" for cell in row]
        for row in zip(*columns, strict=True)
    ]
