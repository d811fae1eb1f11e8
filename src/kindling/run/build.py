"""A configuration in; the data, the task and the trainer out, or everything that is in the way."""

import difflib
import inspect
import time
from typing import Any

from hydra.utils import instantiate
from lightning import Trainer
from omegaconf import DictConfig
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from kindling.errors import ConfigError, DataError, Problem
from kindling.metrics import logged_names, metrics_for
from kindling.registry import METRICS, load
from kindling.trainer.device import find_device
from kindling.trainer.prepare import prepare
from kindling.types import DataSpec
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask


def build_data(cfg: DictConfig) -> DataModule:
    """Read, split, fit and transform; from here on `data.spec` exists."""
    began_s = time.perf_counter()
    data = instantiate(cfg.data)
    files = data.source.missing()
    device = find_device(cfg.device, cfg.trainer.devices)
    if isinstance(device, Problem):
        raise ConfigError(device, *files)
    if files:
        raise DataError(*files)
    data.setup()
    if cfg.checks:
        from kindling.checks.data import check_data

        data.findings = check_data(data)
        errors = [problem for problem in data.findings if problem.severity == "error"]
        if errors:
            raise DataError(*errors)
    data.began_s, data.ready_s = began_s, time.perf_counter()
    return data


def build_task(cfg: DictConfig, data: DataModule) -> SupervisedTask:
    """Build the network for the data, and hold the whole plan against them before training."""
    problems = monitor_problems(cfg, data.spec) + limit_problems(cfg, data) + judging_problems(cfg)
    try:
        network = instantiate(cfg.model)(data.spec)
        if cfg.bundle:
            from kindling.run.keep import check_model_config

            check_model_config(cfg, network, data.spec)
        parts = {"optimizer": instantiate(cfg.optimizer), "scheduler": instantiate(cfg.scheduler)}
        num_batches = len(data.train_dataloader())
        task = instantiate(cfg.task)(network, data.spec, num_batches=num_batches, **parts)
    except ConfigError as error:
        raise ConfigError(*error.problems, *problems) from error
    problems += norm_problems(network, data)
    if problems:
        raise ConfigError(*problems)
    return task


def build_trainer(cfg: DictConfig, data: DataModule, task: SupervisedTask) -> Trainer:
    """Build Lightning's Trainer on the device that was asked for, and make the run quick."""
    device = find_device(cfg.device, cfg.trainer.devices)
    assert isinstance(device, dict)  # build_data has refused anything else
    trainer = instantiate(cfg.trainer, **device)
    prepare(cfg, data, task, trainer)
    return trainer


def make_trainer(*, profile: bool = False, **settings: Any) -> Trainer:
    """Make Lightning's Trainer from its own arguments and `profile`, which it does not have."""
    trainer: Any = Trainer(**settings)
    if profile:
        from kindling.callbacks.profiler import Profile

        trainer.callbacks.append(Profile())
    return trainer


# What may be typed behind `trainer.` is looked up here.
_profile = inspect.signature(make_trainer).parameters["profile"]
_others = inspect.signature(Trainer).parameters.values()
make_trainer.__signature__ = inspect.Signature([*_others, _profile])  # type: ignore[attr-defined]


def monitor_problems(cfg: DictConfig, spec: DataSpec) -> list[Problem]:
    """Refuse a monitor that nothing logs; Lightning would say so after the first epoch."""
    names = logged_names(metrics_for(load(METRICS), spec.problem_type))
    if cfg.monitor in names:
        mode = "max" if cfg.monitor.endswith("accuracy") else "min"
        got = f"mode={cfg.mode}"
        rule = f"a good {cfg.monitor} is {'large' if mode == 'max' else 'small'}"
        return [] if cfg.mode == mode else [Problem(rule, got, f"type mode={mode}")]
    near = difflib.get_close_matches(cfg.monitor, names, n=1, cutoff=0.0)[0]
    rule = f"monitor must be one of {', '.join(names)}"
    return [Problem(rule, f"monitor={cfg.monitor}", f"did you mean monitor={near}?")]


def limit_problems(cfg: DictConfig, data: DataModule) -> list[Problem]:
    """Refuse a batch so large, or a limit so small, that no step would be taken."""
    rows, limit = len(data.split["train"]), cfg.trainer.get("limit_train_batches", 1.0)
    batches = len(data.train_dataloader())
    if batches == 0:
        rule = "training needs at least one full batch while data.drop_last=true"
        got = f"data.batch_size={data.batch_size} with {rows} train rows"
        return [
            Problem(rule, got, f"type data.batch_size={max(1, rows // 2)}, or data.drop_last=false")
        ]
    limit = 1.0 if limit is None else limit
    used = int(batches * limit) if isinstance(limit, float) else min(batches, limit)
    if used == 0:
        got = f"trainer.limit_train_batches={limit} of {batches} batches"
        return [Problem("training needs at least one batch", got, "type a larger limit")]
    steps, per_epoch = cfg.trainer.get("max_steps", -1), -(-used // cfg.task.accumulate)
    if -1 < steps < per_epoch:
        rule = "training must reach the end of an epoch, where the network is judged"
        got = f"trainer.max_steps={steps} of {per_epoch} steps in an epoch"
        return [Problem(rule, got, f"type +trainer.max_steps={per_epoch}, or trainer.max_epochs=1")]
    return []


def judging_problems(cfg: DictConfig) -> list[Problem]:
    """Refuse a training that ends before the network is judged for the first time."""
    epochs, every = cfg.trainer.max_epochs, cfg.trainer.get("check_val_every_n_epoch") or 1
    if every <= epochs:
        return []
    rule = "the network must be judged after one epoch at least"
    got = f"trainer.check_val_every_n_epoch={every} of trainer.max_epochs={epochs}"
    return [Problem(rule, got, f"type +trainer.check_val_every_n_epoch={epochs}")]


def norm_problems(network: nn.Module, data: DataModule) -> list[Problem]:
    """Refuse BatchNorm where the last batch is one row: it has no spread to divide by."""
    rows, size = len(data.split["train"]), data.batch_size
    has_norm = any(isinstance(module, _BatchNorm) for module in network.modules())
    if not has_norm or data.drop_last or (rows - 1) % size != 0:
        return []
    better = next((n for n in range(size - 1, 1, -1) if (rows - 1) % n != 0), 2)
    rule = "BatchNorm needs two rows in every train batch"
    got = f"{rows} train rows in batches of {size}: the last has one"
    return [Problem(rule, got, f"type data.batch_size={better}, or data.drop_last=true")]
