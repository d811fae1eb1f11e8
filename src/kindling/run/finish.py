"""A trained and tested task in; the run folder's last files, and a table for a person, out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning import Trainer
from omegaconf import DictConfig

from kindling.run.console import short_path, show_plan, show_scores
from kindling.run.plan import plan_lines
from kindling.run.record import write_json, write_metrics, write_predictions
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask


def finish(
    cfg: DictConfig,
    data: DataModule,
    task: SupervisedTask,
    trainer: Trainer,
    baselines: dict[str, dict[str, float]],
) -> float:
    """Write and show what came of the run; return the best monitored value, for a sweeper."""
    lap = lap_of(trainer)
    lap("baselines")
    metrics = write_metrics(cfg, task, trainer, baselines)
    write_predictions(cfg, data, task)
    show_scores({type(task.network).__name__: metrics["test"], **baselines})
    epochs = f"best of {metrics['epochs']} epochs: {metrics['best_epoch']}"
    lines = {
        "trained": f"{metrics['seconds']:.1f} s, {epochs}",
        "run": short_path(cfg.run_dir),
        "curves": "tensorboard --logdir runs",
    }
    if cfg.bundle:
        from kindling.run.keep import keep_bundle

        lines["bundle"] = keep_bundle(cfg, data, task)
        lap("bundle")
    if cfg.report:
        from kindling.report.write_report import write_report

        plan = plan_lines(cfg, data, task, trainer)
        lines["report"] = short_path(str(write_report(cfg, data, task, trainer, metrics, plan)))
        lap("report")
    if cfg.trainer.profile:
        from kindling.callbacks.profiler import write_profile

        lines["profile"] = short_path(write_profile(trainer, cfg.run_dir))
        lap("profile")
    if "clock" in cfg.callbacks:
        from kindling.callbacks.timing import describe_time, time_line

        metrics |= describe_time(trainer, data)
        write_json(Path(cfg.run_dir) / "metrics.json", metrics)
        lines["time"] = time_line(metrics)
    show_plan(lines)
    return float(trainer.checkpoint_callback.best_model_score)  # type: ignore[union-attr]


def lap_of(trainer: Any) -> Callable[[str], object]:
    """Return what ends a piece of the run's time; it does nothing without callbacks.clock."""
    laps = (callback.lap for callback in trainer.callbacks if hasattr(callback, "lap"))
    return next(laps, str)
