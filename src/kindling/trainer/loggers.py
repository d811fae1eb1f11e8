"""Lightning's loggers: which settings of a run they are told, and where they have its curves."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import (
    CSVLogger,
    Logger,
    MLFlowLogger,
    TensorBoardLogger,
    WandbLogger,
)
from omegaconf import DictConfig, OmegaConf

from kindling.config.values import sections
from kindling.formatting import short_path
from kindling.runs import RUNS

# Sections of the configuration that HPARAMS of TensorBoard and its like show.
SETTINGS = ("name", "seed", "data", "model", "optimizer", "scheduler", "task", "trainer")
WITHIN_RUN = (TensorBoardLogger, CSVLogger)  # their files lie in the run folder, beside config.yaml
ID_KEYS: dict[type[Logger], str] = {WandbLogger: "version", MLFlowLogger: "run_id"}


def hyper_parameters(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings of a run that are worth comparing, as plain values."""
    settings = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(settings, dict)
    return {name: settings[name] for name in SETTINGS if name in settings}


def log_settings(cfg: DictConfig, loggers: Iterable[Logger]) -> None:
    """Tell the settings to loggers such as W&B and MLflow before the training, as they expect.

    The id that such a service gives the run is written into the configuration, so that a resumed
    run goes on there; it has the settings already, and MLflow would not let them be others.
    TensorBoard gets them with the final scores, see `write_tensorboard`.
    """
    end_wandb()
    for logger in loggers:
        if isinstance(logger, WITHIN_RUN):
            continue
        if isinstance(logger, WandbLogger):
            # Lightning 2.6 gives it in any case, and wandb 0.31 warns that it means nothing.
            logger._wandb_init.pop("anonymous", None)
        place, name = _id_of(cfg, logger)
        if place is None or place[name] is None:
            logger.log_hyperparams(hyper_parameters(cfg))
        if place is not None and place[name] is None:
            place[name] = logger.version


def _id_of(cfg: DictConfig, logger: Logger) -> tuple[DictConfig | None, str]:
    """Find the section of a logger that takes an id, and the key of that; None without one."""
    name = next((ID_KEYS[each] for each in ID_KEYS if isinstance(logger, each)), "")
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    for key, section in sections(plain.get("logger") or {}, "logger"):
        if section["_target_"].rpartition(".")[2] == type(logger).__name__ and name in section:
            return OmegaConf.select(cfg, key), name
    return None, name


def end_wandb() -> None:
    """End the run of W&B that is open in this process, if any: the next one is another."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and getattr(wandb, "run", None) is not None:
        wandb.finish()


def describe_curves(loggers: Iterable[Logger]) -> str:
    """Say where each logger has the curves of a run."""
    return ", ".join(map(_describe, loggers)) or "none (logger=tensorboard or csv writes them)"


def _describe(logger: Logger) -> str:
    if isinstance(logger, TensorBoardLogger):
        return f"tensorboard --logdir {RUNS}"
    if isinstance(logger, CSVLogger):
        return short_path(str(Path(logger.log_dir) / "metrics.csv"))
    if isinstance(logger, MLFlowLogger):
        return f"mlflow ui --backend-store-uri {logger.experiment.tracking_uri}"
    if isinstance(logger, WandbLogger):
        run = logger.experiment
        folder = short_path(str(Path(run.dir).parent))
        return f"wandb sync {folder}" if run.offline else str(run.url)
    place = logger.log_dir or logger.save_dir
    return type(logger).__name__ + (f" in {short_path(str(place))}" if place else "")
