"""What will be done in, in a few lines for a person, before it is done."""

from lightning import Trainer
from omegaconf import DictConfig

from kindling.data.datamodule import DataModule
from kindling.run.console import short_path, show_plan
from kindling.task.supervised import Task

MAX_CLASSES = 6  # that are named with their counts


def print_plan(cfg: DictConfig, data: DataModule, task: Task, trainer: Trainer) -> None:
    """Say what is read, learnt, split and trained, and on which device."""
    network = task.network
    chosen = " (model=auto)" if cfg.model._target_.endswith(".auto") else ""
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    device = trainer.strategy.root_device
    sizes = ", ".join(f"{len(rows):,} {stage}" for stage, rows in data.split.items())
    given = "".join(f"; {stage} set as given" for stage in data.raw.given)
    lines = {
        "data": describe_rows(cfg, data),
        "task": describe_task(data),
        "split": f"{sizes} rows, keyed by seed {cfg.seed}{given}",
        "model": f"{type(network).__name__}{chosen}, {parameters:,} parameters",
        "device": f"{device}, {cfg.trainer.precision}, up to {cfg.trainer.max_epochs} epochs",
    }
    show_plan(lines)


def describe_rows(cfg: DictConfig, data: DataModule) -> str:
    """Count rows, and columns per kind."""
    spec, rows = data.spec, f"{len(data.raw.y):,}"
    what = short_path(cfg.data.path) if "path" in cfg.data else cfg.name
    notes = "".join(f"; {note}" for note in data.raw.notes)
    if spec.image_shape is not None:
        channels, height, width = spec.image_shape
        colour = "grey" if channels == 1 else "colour"
        return f"{what}: {rows} {colour} images of {height}x{width} pixels{notes}"
    ignored = f", {len(cfg.data.ignore)} ignored" if cfg.data.get("ignore") else ""
    columns = f"{len(spec.numbers)} numbers, {len(spec.categories)} categories{ignored}"
    return f"{what}: {rows} rows, {columns}{notes}"


def describe_task(data: DataModule) -> str:
    """Name the task and why it was chosen, and the classes or the unit's size."""
    spec, reason = data.spec, data.raw.reason
    if spec.is_regression:
        mean, spread = f"{spec.target_mean:.5g}", f"{spec.target_scale:.5g}"
        return f"regression of {spec.target}, {mean} +- {spread} ({reason})"
    counted = sorted(zip(spec.class_counts, spec.classes, strict=True), reverse=True)
    named = ", ".join(f"{name} {count}" for count, name in counted[:MAX_CLASSES])
    more = ", ..." if len(counted) > MAX_CLASSES else ""
    return f"{spec.num_classes} classes of {spec.target}: {named}{more} ({reason})"
