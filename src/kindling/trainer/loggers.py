"""Lightning's loggers: which settings of a run they are told, and where they have its curves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from omegaconf import DictConfig, OmegaConf

from kindling.formatting import short_path
from kindling.runs import RUNS

# Sections of the configuration that HPARAMS of TensorBoard and its like show.
SETTINGS = ("name", "seed", "data", "model", "optimizer", "scheduler", "task", "trainer")
WITHIN_RUN = (TensorBoardLogger, CSVLogger)  # their files lie in the run folder, beside config.yaml


def hyper_parameters(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings of a run that are worth comparing, as plain values."""
    settings = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(settings, dict)
    return {name: settings[name] for name in SETTINGS if name in settings}


def log_settings(cfg: DictConfig, loggers: Iterable[Logger]) -> None:
    """Tell the settings to loggers such as W&B and MLflow before the training, as they expect.

    TensorBoard gets them with the final scores, see `write_tensorboard`.
    """
    for logger in loggers:
        if not isinstance(logger, WITHIN_RUN):
            logger.log_hyperparams(hyper_parameters(cfg))


def describe_curves(loggers: Iterable[Logger]) -> str:
    """Say where each logger has the curves of a run."""
    return ", ".join(map(_describe, loggers)) or "none (logger=tensorboard or csv writes them)"


def _describe(logger: Logger) -> str:
    if isinstance(logger, TensorBoardLogger):
        return f"tensorboard --logdir {RUNS}"
    if isinstance(logger, CSVLogger):
        return short_path(str(Path(logger.log_dir) / "metrics.csv"))
    place = logger.log_dir or logger.save_dir
    return type(logger).__name__ + (f" in {short_path(str(place))}" if place else "")
