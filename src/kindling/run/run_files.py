"""Write the plain files of a run folder: config, command, environment, metrics, predictions."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning import Trainer
from omegaconf import DictConfig, OmegaConf

from kindling.calibration import probability_scores, without_temperature
from kindling.config.compose import project_folder
from kindling.config.recorded import record
from kindling.config.replay import command_of
from kindling.contract import DescribedTask
from kindling.files import write_atomically
from kindling.formatting import inert_table, json_text
from kindling.outputs import Result
from kindling.runs import (
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    METRICS_FORMAT,
    OVERRIDES_FILE,
    PREDICTIONS_FILE,
    SETTINGS_FILE,
)
from kindling.scoring import infos_to_json, score
from kindling.types import Split
from kindling.version import __version__

PACKAGES = ("torch", "lightning", "numpy", "scikit-learn", "hydra-core", "pandas")


def write_settings(cfg: DictConfig, trainer: Trainer) -> None:
    """Write what was asked for and where it runs, before it runs."""
    run = Path(cfg.run_dir)
    run.mkdir(parents=True, exist_ok=True)
    write_atomically(run / CONFIG_FILE, OmegaConf.to_yaml(cfg, resolve=True))
    write_atomically(run / OVERRIDES_FILE, command_of(list(cfg.overrides)))
    write_atomically(run / SETTINGS_FILE, record(cfg))
    write_json(run / ENVIRONMENT_FILE, run_environment(cfg, trainer))


def run_environment(cfg: DictConfig, trainer: Trainer) -> dict[str, Any]:
    """Return what ENVIRONMENT_FILE holds: versions, machine, git revision, seed, devices."""
    return describe_environment(project_folder()) | {
        "seed": cfg.seed,
        "device": str(trainer.strategy.root_device),
        "num_processes": trainer.world_size,
    }


def describe_environment(folder: Path) -> dict[str, Any]:
    """Return versions, machine and the git revision of a folder as plain values."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {
            "kindling": __version__,
            **{name: version(name) for name in PACKAGES},
            # Its own word also says which build it is: 2.13.0+cu130, where its metadata has 2.13.0.
            "torch": str(torch.__version__),
        },
        "cuda": torch.version.cuda,
        "num_threads": torch.get_num_threads(),
        "git_revision": git_revision(folder),
    }


def git_revision(folder: Path) -> str | None:
    """Return the commit that is checked out, with "+" if files differ; None outside a checkout."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def describe_metrics(
    task: Any, trainer: Trainer, baselines: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Return what metrics.json holds; epochs count from 1."""
    checkpoint: Any = trainer.checkpoint_callback
    best = checkpoint.best_model_path
    best_epoch = torch.load(best, map_location="cpu", weights_only=True)["epoch"] + 1
    metrics: dict[str, Any] = split_scores(task, trainer)
    if isinstance(task, DescribedTask):
        metrics["problem_type"] = task.spec.problem_type
        metrics["metrics"] = infos_to_json(task.metrics)  # the primary one first
        metrics |= describe_calibration(task.results) | describe_threshold(task)
    metrics |= {
        "format": METRICS_FORMAT,
        "baselines": baselines,
        "monitored": {checkpoint.monitor: float(checkpoint.best_model_score)},
        "best_epoch": best_epoch,
        "epochs": trainer.fit_loop.epoch_progress.current.processed,  # type: ignore[attr-defined]
        "seconds": round(checkpoint.seconds, 3),  # of training, over all parts of the run
        "num_parameters": sum(p.numel() for p in task.parameters()),
    }
    return metrics


def describe_calibration(results: Mapping[Split, Result]) -> dict[str, dict[str, float]]:
    """Return the temperature, what it was fitted on, and the test rows' scores without it."""
    test = results["test"]
    if test.temperature is None:
        return {}
    before = without_temperature(test.prediction, test.temperature)
    scores = probability_scores(test.truth, before)
    rows = {"temperature": test.temperature, "val_rows": len(results["val"].row)}
    return {"calibration": rows | {f"{name}_before": value for name, value in scores.items()}}


def describe_threshold(task: DescribedTask) -> dict[str, dict[str, Any]]:
    """Return the threshold, what it was fitted on, and the test rows' scores without it."""
    test = task.results["test"]
    if test.threshold is None:
        return {}
    decided = [metric for metric in task.metrics if metric.of_decision]
    before = score(decided, test.truth, test.prediction)
    rows = {"threshold": test.threshold, "val_rows": len(task.results["val"].row)}
    return {"decision": rows | {f"{name}_before": value for name, value in before.items()}}


def split_scores(task: Any, trainer: Trainer) -> dict[str, dict[str, float]]:
    """Return the scores of each split; of a task without results, what it logged in the test."""
    if isinstance(task, DescribedTask):
        return {split: result.scores for split, result in task.results.items()}
    return {"test": {name: float(value) for name, value in trainer.logged_metrics.items()}}


def write_predictions(cfg: DictConfig, data: Any, task: Any) -> None:
    """Write predictions.csv: one line for each test row, in the user's own words and units."""
    spec, result = data.spec, task.results["test"]
    table = {"row": data.raw.names[result.row], "truth": data.raw.y[result.row]}
    if spec.is_regression:
        table["prediction"] = result.prediction
    else:
        table["prediction"] = [spec.classes[code] for code in result.code]
        table |= {f"prob_{name}": result.prediction[:, k] for k, name in enumerate(spec.classes)}
    inert_table(pd.DataFrame(table)).to_csv(Path(cfg.run_dir) / PREDICTIONS_FILE, index=False)


def write_json(file: Path, content: Any) -> None:
    """Write plain values; what JSON has no number for (nan, inf) becomes null."""
    write_atomically(file, json_text(content))
