"""A trained and tested task in; the run folder's last files, and a table for a person, out."""

from lightning import Trainer
from omegaconf import DictConfig

from kindling.data.datamodule import DataModule
from kindling.run.console import short_path, show_plan, show_scores
from kindling.run.plan import plan_lines
from kindling.run.record import write_metrics, write_predictions
from kindling.task.supervised import Task


def finish(
    cfg: DictConfig,
    data: DataModule,
    task: Task,
    trainer: Trainer,
    baselines: dict[str, dict[str, float]],
) -> float:
    """Write and show what came of the run; return the best monitored value, for a sweeper."""
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
    if cfg.report:
        from kindling.report.write import write_report

        plan = plan_lines(cfg, data, task, trainer)
        lines["report"] = short_path(str(write_report(cfg, data, task, trainer, metrics, plan)))
    show_plan(lines)
    return float(trainer.checkpoint_callback.best_model_score)  # type: ignore[union-attr]
