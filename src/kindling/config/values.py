"""Check the values of a composed configuration against the ranges of the parameters they are for.

A parameter's range is declared in its signature (see `kindling.config.ranges`). Here are those of
classes that others write, and of the keys at the root of conf/train.yaml.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from omegaconf import DictConfig, OmegaConf

from kindling.config.ranges import OneOf, Pair, Range, Rule, any_of
from kindling.config.signatures import section_signature
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting

DEVICE = r"auto|cpu|gpu|mps|cuda(:\d+)?"
PRECISIONS = ("32-true", "bf16-mixed")


def device(value: Any) -> str | None:
    """The rule of the name of a device; whether it is there is asked later."""
    is_name = re.fullmatch(DEVICE, str(value))
    return None if is_name else "auto, cpu, cuda, cuda:1, mps or gpu"


def precision(value: Any) -> str | None:
    """The rule of the Trainer's precision."""
    words = " or ".join(PRECISIONS)
    if value in ("bf16-true", "16-true", "bf16", "16"):
        return f"{words}: half precision throughout would corrupt the codes of categories above 256"
    if value == "16-mixed":
        return f"{words}: 16-mixed is not tested here, and a CPU would silently take bf16"
    return None if value in PRECISIONS else words


def patterns(value: Any) -> str | None:
    """The rule of patterns of names; whether they match anything is asked of the network."""
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return None if is_list else "a list of patterns, such as [body.*]"


COUNT = any_of(Range(1, whole=True))
ROOT: dict[str, Rule] = {
    # numpy's generators take no larger one.
    "seed": any_of(Range(0, 2**32 - 1, whole=True)),
    "device": device,
    "threads": any_of(OneOf("auto"), Range(1, 1024, whole=True)),
    "matmul_precision": any_of(OneOf("highest", "high", "medium")),
    "compile": any_of(OneOf("off", "default", "reduce-overhead")),
    "mode": any_of(OneOf("min", "max")),
    "freeze": patterns,
}
TRAINER: dict[str, Rule] = {
    "max_epochs": COUNT,
    "max_steps": any_of(Range(-1, whole=True)),
    "devices": COUNT,
    "num_nodes": COUNT,
    "strategy": any_of(OneOf("ddp", "fsdp")),
    "log_every_n_steps": COUNT,
    "precision": precision,
}
# By the pattern of a `_target_`; the parameters of all other targets speak for themselves.
OTHERS: dict[str, dict[str, Rule]] = {
    "torch.optim.*": {
        "lr": any_of(Range(0, 1e3, "(]")),
        "betas": any_of(Pair(0, 1, "[)", words="two numbers >= 0 and < 1")),
        "momentum": any_of(Range(0, 1, "[)")),
        "weight_decay": any_of(Range(0)),
    },
    "lightning.*.EarlyStopping": {"patience": COUNT},
    "lightning.*Trainer": TRAINER,
    "kindling.*.make_trainer": TRAINER,
}
# The Trainer's own keys for what is done elsewhere, and what to type there.
MOVED = {
    "trainer.gradient_clip_val": Setting("task.clip_norm"),
    "trainer.gradient_clip_algorithm": Setting("task.clip_norm"),
    "trainer.accumulate_grad_batches": Setting("task.accumulate"),
    "trainer.accelerator": Setting("device"),
    "trainer.fast_dev_run": Setting("experiment", "smoke"),
    "trainer.overfit_batches": Setting("experiment", "overfit"),
}


def rules_of(plain: Mapping[str, Any]) -> dict[str, Rule]:
    """Return the rule of each dotted key that has one; the parts of a run bring their own."""
    return ROOT | {
        f"{key}.{name}": rule
        for key, section in sections(plain)
        for name, rule in section_rules(section).items()
    }


def section_rules(section: Mapping[str, Any]) -> dict[str, Rule]:
    """Return the rules of what one `_target_` takes, by parameter."""
    known = [
        rules for pattern, rules in OTHERS.items() if fnmatchcase(section["_target_"], pattern)
    ]
    if known:
        return known[0]
    signature = section_signature(section)
    if signature is None:
        return {}
    own = {name: rule for name, rule in signature.rules.items() if rule is not None}
    inner = {
        f"{name}.{key}": rule
        for name, keys in signature.inner.items()
        for key, rule in keys.items()
    }
    return own | inner


def sections(node: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Walk over the sections that name a target, each with its dotted key."""
    if isinstance(node.get("_target_"), str):
        yield key, node
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from sections(value, f"{key}.{name}" if key else str(name))


def check_values(cfg: DictConfig) -> None:
    """Raise a ConfigError that lists every value out of range, and every one still to be given."""
    problems = value_problems(cfg)
    if problems:
        raise ConfigError(*problems)


def value_problems(cfg: DictConfig, place: Callable[[str], str] = lambda _key: "") -> list[Problem]:
    """List what is wrong with the values of a composed configuration.

    Args:
        cfg: the configuration.
        place: where a dotted key stands in the files: " in FILE, line N", or "" where it is typed.
    """
    plain: Any = OmegaConf.to_container(cfg, resolve=False)
    rules = rules_of(plain)
    problems: list[Problem] = []
    for key, value in leaves(plain):
        problems += leaf_problems(key, value, rules, place)
        if value is not None:
            problems += moved_problems(key, f"{key}={value}", plain)
    if all(f"data.{split}_fraction" in rules for split in ("val", "test")):
        problems += fraction_problems(plain["data"])
    if "data.fold" in rules:
        problems += fold_problems(plain["data"])
    if "data.on_device" in rules:
        problems += placement_problems(plain)
    return problems


def fraction_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Refuse a val and a test set that leave nothing to train on."""
    fractions = [data.get(f"{split}_fraction") for split in ("val", "test")]
    numbers = [f for f in fractions if isinstance(f, int | float) and 0 < f < 1]
    if len(numbers) < 2 or sum(numbers) < 1:
        return []
    rule = "data.val_fraction and data.test_fraction must leave rows to train on"
    got = f"{numbers[0]} + {numbers[1]} = {sum(numbers):g}"
    return [Problem(rule, got, "let them add up to less than 1")]


def fold_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Refuse a fold that is none of those there are."""
    fold, num_folds = data.get("fold"), data.get("num_folds")
    if not isinstance(fold, int) or not isinstance(num_folds, int) or not fold >= num_folds >= 2:
        return []
    rule = f"data.fold must be one of data.num_folds={num_folds}, counted from 0"
    return [Problem(rule, f"{fold}", Setting("data.fold", num_folds - 1, "or less"))]


def placement_problems(plain: Mapping[str, Any]) -> list[Problem]:
    """Refuse rows that lie on a GPU together with processes that would load them."""
    data = plain["data"]
    if data.get("on_device") is not True or data.get("num_workers") == 0:
        return []
    got = f"data.num_workers={data.get('num_workers')}"
    rule = "data.on_device=true takes data.num_workers=0"
    return [Problem(rule, got, Setting("data.on_device", "auto"))]


def leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk over dotted keys and values; lists count as values."""
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from leaves(value, f"{key}.")
        else:
            yield key, value


def moved_problems(key: str, text: str, plain: Mapping[str, Any]) -> list[Problem]:
    """Say where the work of one of the Trainer's own keys is done, if the run has that key."""
    fix = MOVED.get(key)
    section, _, name = fix.key.partition(".") if fix else ("", "", "")
    if fix is None or (name and name not in plain.get(section, {})):
        return []
    known = fix.key if fix.value is ... else f"{fix.key}={fix.value}"
    return [Problem(f"{known} does the work of {key}", text, fix)]


def leaf_problems(
    key: str,
    value: Any,
    rules: Mapping[str, Rule],
    place: Callable[[str], str] = lambda _key: "",
) -> Iterator[Problem]:
    """Check one value against the rule of its key."""
    if isinstance(value, str) and value == "???":
        yield Problem(f"{key} must be given", "nothing", Setting(key))
    elif key in rules and not (isinstance(value, str) and "${" in value):
        words = rules[key](value)
        if words:
            yield Problem(f"{key} must be {words}", f"{value}{place(key)}", Setting(key))
