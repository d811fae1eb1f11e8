"""Build data module, task and trainer from a configuration, or list what is in the way."""

import difflib
import inspect
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from hydra.utils import instantiate
from lightning import LightningModule, Trainer
from omegaconf import DictConfig
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from kindling.callbacks.stop_on_signal import StopOnSignal
from kindling.contract import DescribedData, ReadsFiles
from kindling.distributed import after_first_here
from kindling.errors import ConfigError, DataError, Problem
from kindling.fixes import Setting
from kindling.formatting import first_few
from kindling.registry import METRICS, load, registered
from kindling.rooms import entry
from kindling.run.freezing import freeze
from kindling.run.rates import try_rates
from kindling.run.warm_start import warm_start
from kindling.scoring import Metric, logged_names, metrics_for
from kindling.trainer.device import find_device
from kindling.trainer.several import (
    count_problems,
    share_out,
    share_problems,
    strategy_settings,
)
from kindling.trainer.speed import prepare
from kindling.types import SPLITS, ProblemType


def build_data(cfg: DictConfig) -> Any:
    """Build the data module; one that `ReadsFiles` is read, split, fitted and checked here."""
    began_s = time.perf_counter()
    data = instantiate(cfg.data)
    files = data.missing() if isinstance(data, ReadsFiles) else []
    device = find_device(cfg.device, cfg.trainer.devices)
    refuse(count_problems(cfg.trainer.devices))
    if isinstance(device, Problem):
        raise ConfigError(device, *files)
    if files:
        raise DataError(*files)
    if isinstance(data, ReadsFiles):
        with after_first_here(is_wanted="cache" in cfg.data):  # images are decoded once
            data.setup()  # type: ignore[attr-defined]  # every LightningDataModule has it
        record_choices(cfg, data)
    if isinstance(data, DescribedData):
        refuse_split(data)
    check_data = entry("check_data", cfg)
    if check_data is not None and isinstance(data, DescribedData):
        data.findings = check_data(data)
        errors = [problem for problem in data.findings if problem.severity == "error"]
        if errors:
            raise DataError(*errors)
    data.began_s, data.ready_s = began_s, time.perf_counter()
    return data


def record_choices(cfg: DictConfig, data: Any) -> None:
    """Write what was chosen for an `auto` of the data section into the configuration."""
    for key, value in cfg.data.items():
        chosen = getattr(data, str(key), None)
        if value == "auto" and isinstance(chosen, int | float):
            cfg.data[key] = chosen


def refuse_split(data: DescribedData) -> None:
    """Raise a DataError where a row lies in two splits, or in none: whoever has made them."""
    taken = np.concatenate([np.asarray(data.split[split], np.int64) for split in SPLITS])
    counts = np.bincount(taken, minlength=len(data.raw.y))
    wrong = {"two splits": np.flatnonzero(counts > 1), "none": np.flatnonzero(counts == 0)}
    problems = [
        Problem(
            "a row must lie in one split",
            f"{len(rows):,} in {where}: {first_few(data.raw.names[rows[:5]], total=len(rows))}",
            "let the splits of the data module be disjoint and cover all rows",
            "D309",
        )
        for where, rows in wrong.items()
        if len(rows)
    ]
    if problems:
        raise DataError(*problems)


def build_task(cfg: DictConfig, data: Any) -> LightningModule:
    """Build the network for the data and the task around it, and check the plan before training.

    A task section without `_partial_` is a complete LightningModule, which needs nothing else.
    """
    problems = validation_problems(cfg)
    if isinstance(data, DescribedData):
        problems += limit_problems(cfg, data)
    if not cfg.task.get("_partial_", False):
        refuse(problems)
        task = instantiate(cfg.task)
        task.warm_start = warm_start(cfg, None, task)
        freeze(task, cfg.freeze)
        return task
    if not isinstance(data, DescribedData):
        rule = "a network is built for data that are described (data.spec and what goes with it)"
        fix = "let conf/task name a complete LightningModule, see docs/extend/lightning-modules.md"
        refuse([Problem(rule, f"data is a {type(data).__name__}", fix), *problems])
    problems += monitor_problems(cfg, load(METRICS), data.spec.problem_type)
    try:
        network = instantiate(cfg.model)(data.spec)
        start = warm_start(cfg, data, network)
        freeze(network, cfg.freeze)
        parts = {name: instantiate(cfg[name]) for name in ("optimizer", "scheduler")}
        num_batches = len(data.train_dataloader())
        task = instantiate(cfg.task)(network, data.spec, num_batches=num_batches, **parts)
    except ConfigError as error:
        raise ConfigError(*error.problems, *problems) from error
    if cfg.bundle:
        from kindling.bundle.save import check_bundle

        check_bundle(cfg, data, task)
    refuse([*problems, *batch_norm_problems(network, data), *share_problems(data, network)])
    task.warm_start, task.overruled = start, try_rates(cfg, task)
    return task


def refuse(problems: list[Problem]) -> None:
    """Raise a ConfigError if there are any."""
    if problems:
        raise ConfigError(*problems)


def build_trainer(cfg: DictConfig, data: Any, task: LightningModule) -> Trainer:
    """Build Lightning's Trainer on the device that was asked for, and make the run quick."""
    device = find_device(cfg.device, cfg.trainer.devices)
    assert isinstance(device, dict)  # build_data has refused anything else
    trainer = instantiate(cfg.trainer, **device)
    share_out(data, task, trainer)
    prepare(cfg, data, task, trainer)
    return trainer


def make_trainer(
    *,
    profile: bool = False,
    strategy: Any = "ddp",
    plugins: Any = None,
    logger: Any = None,
    **settings: Any,
) -> Trainer:
    """Make Lightning's Trainer from its own arguments and `profile`, which it does not have.

    `logger` may also be several by name, as logger=[tensorboard,csv] makes them.
    """
    chosen = strategy_settings(strategy) if isinstance(strategy, str) else {"strategy": strategy}
    chosen |= {} if plugins is None else {"plugins": plugins}
    chosen["logger"] = list(logger.values()) if isinstance(logger, Mapping) else logger
    # Handed on by name alone: so it is read from here which keys conf/trainer may have.
    trainer: Any = Trainer(**chosen, **settings)
    trainer.callbacks.append(StopOnSignal())  # behind all that is saved at a step
    if profile:
        from kindling.callbacks.profiler import Profile

        trainer.callbacks.append(Profile())
    return trainer


# What may be typed behind `trainer.` is looked up here.
_profile = inspect.signature(make_trainer).parameters["profile"]
_others = inspect.signature(Trainer).parameters.values()
make_trainer.__signature__ = inspect.Signature([*_others, _profile])  # type: ignore[attr-defined]


def monitor_problems(
    cfg: DictConfig, registry: tuple[Metric, ...], problem_type: ProblemType
) -> list[Problem]:
    """Refuse a monitor that nothing logs; Lightning would say so after the first epoch."""
    metrics = metrics_for(registry, problem_type)
    names = logged_names(metrics)
    if cfg.monitor in names:
        directions = {metric.name: metric.direction for metric in metrics}
        mode = directions.get(cfg.monitor.partition("/")[2], "min")  # the loss: small is good
        rule = f"a good {cfg.monitor} is {'large' if mode == 'max' else 'small'}"
        return (
            [] if cfg.mode == mode else [Problem(rule, f"mode={cfg.mode}", Setting("mode", mode))]
        )
    rule, got = f"monitor must be one of {', '.join(names)}", f"monitor={cfg.monitor}"
    split, _, name = cfg.monitor.partition("/")
    same = f"val/{name}" if f"val/{name}" in names else None  # of another split, or of none
    near = same or difflib.get_close_matches(cfg.monitor, names, n=1, cutoff=0.0)[0]
    if split == "test":
        got += ": test rows choose nothing, they only tell how good the choice was"
    known = next((metric for metric in registry if metric.name == name), None)
    if known is not None and known not in metrics:
        got += f", which is for {' and '.join(known.problem_types)}; these data are {problem_type}"
    elif known is not None and not same:
        home = next(point.module for point in registered(METRICS).values())
        got += ", which is computed once, at the end of the training"
        entry = f"set every_epoch=True in the entry of {name} in {home}"
        return [Problem(rule, got, (entry, Setting("monitor", near)))]
    return [Problem(rule, got, Setting("monitor", near, "" if same else "if that is meant"))]


def limit_problems(cfg: DictConfig, data: Any) -> list[Problem]:
    """Refuse a batch so large, or a limit so small, that no step would be taken."""
    rows, limit = len(data.split["train"]), cfg.trainer.get("limit_train_batches", 1.0)
    batches = len(data.train_dataloader())
    if batches == 0:
        rule = "training needs at least one full batch while data.drop_last=true"
        got = f"data.batch_size={data.batch_size} with {rows} train rows"
        smaller = Setting("data.batch_size", max(1, rows // 2))
        return [Problem(rule, got, (smaller, Setting("data.drop_last", False)))]
    limit = 1.0 if limit is None else limit
    used = int(batches * limit) if isinstance(limit, float) else min(batches, limit)
    if used == 0:
        got = f"trainer.limit_train_batches={limit} of {batches} batches"
        return [Problem("training needs at least one batch", got, "type a larger limit")]
    steps = cfg.trainer.get("max_steps", -1)
    per_epoch = -(-used // cfg.task.get("accumulate", 1))
    if -1 < steps < per_epoch:
        rule = "training must reach the end of an epoch, where the network is evaluated"
        got = f"trainer.max_steps={steps} of {per_epoch} steps in an epoch"
        fewer = Setting("trainer.max_epochs", 1, "without trainer.max_steps")
        return [Problem(rule, got, (Setting("+trainer.max_steps", per_epoch), fewer))]
    return []


def validation_problems(cfg: DictConfig) -> list[Problem]:
    """Refuse a training that ends before the network is evaluated for the first time."""
    epochs, every = cfg.trainer.max_epochs, cfg.trainer.get("check_val_every_n_epoch") or 1
    if every <= epochs:
        return []
    rule = "the network must be evaluated after one epoch at least"
    got = f"trainer.check_val_every_n_epoch={every} of trainer.max_epochs={epochs}"
    return [Problem(rule, got, Setting("+trainer.check_val_every_n_epoch", epochs))]


def batch_norm_problems(network: nn.Module, data: Any) -> list[Problem]:
    """Refuse BatchNorm where the last batch is one row: it has no variance to divide by."""
    rows, size = len(data.split["train"]), data.batch_size
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    has_norm = any(module.training for module in norms)  # a frozen one divides by what it knows
    if not has_norm or getattr(data, "drop_last", False) or (rows - 1) % size != 0:
        return []
    better = next((n for n in range(size - 1, 1, -1) if (rows - 1) % n != 0), 2)
    rule = "BatchNorm needs two rows in every train batch"
    got = f"{rows} train rows in batches of {size}: the last has one"
    ways = (Setting("data.batch_size", better), Setting("data.drop_last", True))
    return [Problem(rule, got, ways)]
