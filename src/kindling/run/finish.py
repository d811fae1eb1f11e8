"""Write the last files of a run folder, show the scores, and say what to type next."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from lightning import Trainer
from omegaconf import DictConfig
from torch.distributed.fsdp import FSDPModule

from kindling.callbacks.same_batches import learnt_line
from kindling.config.run_state import describe_end
from kindling.contract import DescribedData, DescribedTask
from kindling.distributed import WORLD
from kindling.formatting import short_path
from kindling.rooms import entry
from kindling.run.console import show_plan, show_scores
from kindling.run.plan import plan_lines
from kindling.run.run_files import describe_metrics, write_json, write_predictions
from kindling.runs import METRICS_FILE
from kindling.trainer.loggers import describe_curves, end_wandb
from kindling.trainer.sharded import put_together


def finish(
    cfg: DictConfig,
    data: Any,
    task: Any,
    trainer: Trainer,
    baselines: dict[str, dict[str, float]],
) -> float:
    """Write and show what came of the run; return the best monitored value, for a sweeper."""
    best = float(trainer.checkpoint_callback.best_model_score)  # type: ignore[union-attr]
    if isinstance(getattr(task, "network", None), FSDPModule):
        put_together(task, instantiate(cfg.model)(data.spec))
    if not WORLD.is_first:
        return best
    end_span = span_of(trainer)
    end_span("baselines")
    metrics = describe_metrics(task, trainer, baselines)
    is_described = isinstance(data, DescribedData) and isinstance(task, DescribedTask)
    name = type(task.network if is_described else task).__name__
    show_scores({name: metrics["test"], **baselines})
    monitor = trainer.checkpoint_callback.monitor  # type: ignore[union-attr]
    epochs = f"best of {metrics['epochs']} epochs by {monitor}: {metrics['best_epoch']}"
    lines = {
        "trained": f"{metrics['seconds']:.1f} s, {epochs}",
        "run": short_path(cfg.run_dir),
        "curves": describe_curves(trainer.loggers),
    } | learnt_line(trainer)
    if is_described:
        write_predictions(cfg, data, task)
    if cfg.bundle:
        from kindling.bundle.save import save_bundle

        lines["bundle"] = save_bundle(cfg, data, task, trainer, metrics)
        end_span("bundle")
    write_report = entry("write_report", cfg)
    if write_report is not None and is_described:
        plan = plan_lines(cfg, data, task, trainer)
        lines["report"] = short_path(str(write_report(cfg, data, task, trainer, metrics, plan)))
        end_span("report")
    if cfg.trainer.profile:
        from kindling.callbacks.profile_figure import write_profile

        lines["profile"] = short_path(write_profile(trainer, cfg.run_dir))
        end_span("profile")
    if "clock" in cfg.callbacks:
        from kindling.callbacks.timer import describe_time, time_line

        metrics |= describe_time(trainer, data)
        lines["time"] = time_line(metrics)
    metrics |= describe_end(cfg, trainer, metrics["epochs"])
    # Last, and once: a run that has this file is finished.
    write_json(Path(cfg.run_dir) / METRICS_FILE, metrics)
    end_wandb()
    show_plan(lines)
    return best


def span_of(trainer: Any) -> Callable[[str], object]:
    """Return what ends a span of the run's time; it does nothing without callbacks.clock."""
    ends = (callback.end_span for callback in trainer.callbacks if hasattr(callback, "end_span"))
    return next(ends, str)
