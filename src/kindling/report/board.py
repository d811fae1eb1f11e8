"""A finished run in; its settings, final numbers and figure in TensorBoard out."""

from typing import Any

from lightning import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from kindling.data.datamodule import DataModule
from kindling.report.figures import draw_result
from kindling.task.supervised import Task

SETTINGS = ("name", "seed", "data", "model", "optimizer", "schedule", "task", "trainer")


def write_board(
    cfg: DictConfig, data: DataModule, task: Task, trainer: Trainer, metrics: dict[str, Any]
) -> None:
    """Add the configuration as text, HPARAMS with the final metrics, and the test figure."""
    name, figure = draw_result(data.spec, task.results["test"])
    final = {
        f"final/{stage}_{k}": v for stage in ("val", "test") for k, v in metrics[stage].items()
    }
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    settings = {key: plain[key] for key in SETTINGS}
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            yaml = OmegaConf.to_yaml(cfg, resolve=True)
            logger.experiment.add_text("config", "```yaml\n" + yaml + "```")
            logger.experiment.add_figure(f"test/{name}", figure, trainer.global_step)
            logger.log_hyperparams(settings, final)
            logger.save()
