"""A composed configuration in; the values that are out of range out. Nothing heavy is imported."""

import math
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from kindling.errors import ConfigError, Problem

Rule = Callable[[Any], str | None]  # a value in; what it must be, or None if it is


def number(
    low: float, high: float = math.inf, *, whole: bool = False, ends: str = "[]", null: bool = False
) -> Rule:
    """Make the rule of a number in an interval; `ends` are its brackets, as in mathematics."""
    words = f"a {'whole ' if whole else ''}number {'>' if ends[0] == '(' else '>='} {low}"
    if high < math.inf:
        words += f" and {'<' if ends[1] == ')' else '<='} {high}"
    words += ", or null" if null else ""

    def rule(value: Any) -> str | None:
        if value is None:
            return None if null else words
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return words
        above = value > low if ends[0] == "(" else value >= low
        below = value < high if ends[1] == ")" else value <= high
        return None if above and below and math.isfinite(value) else words

    return rule


def one_of(*choices: Any) -> Rule:
    """Make the rule of a value from a short list."""
    words = " or ".join("null" if choice is None else str(choice) for choice in choices)
    return lambda value: None if value in choices and not isinstance(value, bool) else words


def size(value: Any) -> str | None:
    """The rule of data.size."""
    is_pair = isinstance(value, list | ListConfig) and len(value) == 2
    if value == "auto" or (is_pair and all(number(1, 4096, whole=True)(v) is None for v in value)):
        return None
    return "auto, or [height,width] in pixels"


def device(value: Any) -> str | None:
    """The rule of the name of a device; whether it is there is asked later."""
    is_name = re.fullmatch(r"auto|cpu|gpu|mps|cuda(:\d+)?", str(value))
    return None if is_name else "auto, cpu, cuda, cuda:1, mps or gpu"


def threads(value: Any) -> str | None:
    """The rule of threads."""
    is_right = value == "auto" or number(1, 1024, whole=True)(value) is None
    return None if is_right else "auto, or a whole number >= 1"


def precision(value: Any) -> str | None:
    """The rule of trainer.precision."""
    words = "32-true or bf16-mixed"
    if value in ("bf16-true", "16-true", "bf16", "16"):
        return f"{words}: half precision throughout would corrupt the codes of categories above 256"
    if value == "16-mixed":
        return f"{words}: 16-mixed is not tested here, and a CPU would silently take bf16"
    return None if value in ("32-true", "bf16-mixed") else words


def betas(value: Any) -> str | None:
    """The rule of AdamW's two memories."""
    is_pair = isinstance(value, list | ListConfig) and len(value) == 2
    share = number(0, 1, ends="[)")
    return None if is_pair and not any(map(share, value)) else "two numbers >= 0 and < 1"


def kinds(value: Any) -> str | None:
    """The rule of data.kinds where it is no section; its columns are checked with the table."""
    return None if value is None else "{column: number, other: category}, or null"


SIZE = number(1, 65536, whole=True)
RULES: dict[str, Rule] = {
    "lr": number(0, 1e3, ends="(]"),
    "betas": betas,
    "kinds": kinds,
    "momentum": number(0, 1, ends="[)"),
    "weight_decay": number(0),
    "warmup_fraction": number(0, 1, ends="[)"),
    "final_fraction": number(0, 1),
    "dropout": number(0, 1, ends="[)"),
    "width": SIZE,
    "depth": number(1, 1024, whole=True),
    "batch_size": number(1, whole=True),
    "eval_batch_size": number(1, whole=True),
    "val_fraction": number(0, 1, ends="()"),
    "test_fraction": number(0, 1, ends="()"),
    "fold": number(0, whole=True, null=True),
    "num_folds": number(2, whole=True),
    "num_workers": number(0, max(8, 2 * (os.cpu_count() or 1)), whole=True),
    "seed": number(0, 2**32 - 1, whole=True),
    "clip_norm": number(0, ends="()", null=True),
    "accumulate": number(1, whole=True),
    "steps_per_call": number(1, 1024, whole=True),
    "class_weight": one_of("balanced", None),
    "max_epochs": number(1, whole=True),
    "devices": number(1, whole=True),
    "patience": number(1, whole=True),
    "log_every_n_steps": number(1, whole=True),
    "precision": precision,
    "threads": threads,
    "matmul_precision": one_of("highest", "high", "medium"),
    "compile": one_of("off", "default", "reduce-overhead"),
    "on_device": lambda v: None if v in ("auto", True, False) else "auto, true or false",
    "device": device,
    "task": one_of("auto", "classification", "regression"),
    "size": size,
    "channels": one_of("auto", 1, 3),
    "augment": one_of("none", "light", "strong"),
    "fit": one_of("pad", "crop", "stretch"),
    "max_pixels": number(1, whole=True),
    "memory": one_of("auto", "ram", "disk"),
    "target_transform": one_of("auto", "none", "log1p"),
    "mode": one_of("min", "max"),
}
# The Trainer's own keys for what is done elsewhere, and what to type there.
MOVED = {
    "trainer.gradient_clip_val": "task.clip_norm=...",
    "trainer.gradient_clip_algorithm": "task.clip_norm=...",
    "trainer.accumulate_grad_batches": "task.accumulate=...",
    "trainer.accelerator": "device=...",
    "trainer.fast_dev_run": "experiment=smoke",
}
NULL_IS_A_DEFAULT = ("model.width", "model.depth", "model.dropout")  # of model=auto


def check_values(cfg: DictConfig) -> None:
    """Raise a ConfigError that lists every value out of range, and every one still to be given."""
    problems = value_problems(cfg)
    if problems:
        raise ConfigError(*problems)


def value_problems(cfg: DictConfig) -> list[Problem]:
    """List what is wrong with the values of a composed configuration."""
    plain = OmegaConf.to_container(cfg, resolve=False)
    problems = [problem for key, value in leaves(plain) for problem in leaf_problems(key, value)]
    fractions = [OmegaConf.select(cfg, f"data.{stage}_fraction") for stage in ("val", "test")]
    if all(isinstance(f, int | float) and 0 < f < 1 for f in fractions) and sum(fractions) >= 1:
        rule = "data.val_fraction and data.test_fraction must leave rows to train on"
        got = f"{fractions[0]} + {fractions[1]} = {sum(fractions):g}"
        problems.append(Problem(rule, got, "let them add up to less than 1"))
    fold, num_folds = (OmegaConf.select(cfg, f"data.{key}") for key in ("fold", "num_folds"))
    if isinstance(fold, int) and isinstance(num_folds, int) and fold >= num_folds >= 2:
        rule = f"data.fold must be one of data.num_folds={num_folds}, counted from 0"
        problems.append(Problem(rule, f"{fold}", f"type data.fold={num_folds - 1} or less"))
    return problems + placement_problems(cfg)


def placement_problems(cfg: DictConfig) -> list[Problem]:
    """Refuse rows that lie on a GPU together with processes that would load them."""
    keys = ("data.num_workers", "trainer.devices")
    given = [f"{key}={OmegaConf.select(cfg, key)}" for key in keys]
    alone = ["data.num_workers=0", "trainer.devices=1"]
    if OmegaConf.select(cfg, "data.on_device") is not True or given == alone:
        return []
    rule = f"data.on_device=true takes {' and '.join(alone)}"
    return [Problem(rule, ", ".join(given), "type data.on_device=auto")]


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk over dotted keys and values; lists count as values."""
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def moved_problem(key: str, text: str) -> Problem:
    """Say where the work of one of the Trainer's own keys is done."""
    fix = MOVED[key]
    return Problem(f"{fix.removesuffix('=...')} does the work of {key}", text, f"type {fix}")


def leaf_problems(key: str, value: Any) -> Iterator[Problem]:
    """Hold one value against the rule of its key's last name."""
    name = key.rpartition(".")[2]
    if isinstance(value, str) and value == "???":
        yield Problem(f"{key} must be given", "nothing", f"type {key}=...")
    elif key in MOVED:
        if value is not None:
            yield moved_problem(key, f"{key}={value}")
    elif isinstance(value, str) and "${" in value:
        return
    elif name in RULES and not (value is None and key in NULL_IS_A_DEFAULT):
        words = RULES[name](value)
        if words:
            yield Problem(f"{key} must be {words}", f"{value}", f"type {key}=...")
