"""A run's two files as plain values in; its settings and its numbers out. They may be anybody's."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Plain = str | int | float | bool | None
# Where a run lies, and what leaves its numbers as they are: no settings to compare.
NOT_SETTINGS = ("run_dir", "name", "resume", "debug", "report", "baselines", "hydra")
COPIES = ("trainer.callbacks", "trainer.logger")  # of what stands in sections of their own
HEADLINES = {"accuracy": "classification", "rmse": "regression"}  # as in task/metrics.py
LARGE_IS_GOOD = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "r2")
SPLITS = ("train", "val", "test")
COUNTS = ("best_epoch", "epochs", "seconds", "num_parameters")


@dataclass(frozen=True)
class Run:
    """One run: settings by dotted key, numbers by name, such as val/accuracy."""

    name: str
    folder: str
    settings: Mapping[str, Plain]
    numbers: Mapping[str, float]

    @property
    def headline(self) -> str:
        """Accuracy or rmse: which task it was is seen from what was measured."""
        return next(n for n in HEADLINES if {f"val/{n}", f"test/{n}"} & set(self.numbers))

    @property
    def data(self) -> str:
        """Name the data set: the file or folder and the target, or the set's own word."""
        word = self.settings.get("data.path") or self.settings.get("data") or "unknown data"
        target = self.settings.get("data.target")
        return str(word) if target is None else f"{word}, target {target}"


def read_run(name: str, folder: str, config: Any, metrics: Any) -> Run:
    """Take what is known out of config.yaml and metrics.json; ValueError if that is nothing.

    A value of an unexpected type is left out, and text is only ever text.
    """
    if not isinstance(config, dict) or not isinstance(metrics, dict):
        raise ValueError("config.yaml and metrics.json must hold keys and values")
    run = Run(name, folder, dict(_settings(config)), dict(_numbers(metrics)))
    if not any(f"{stage}/{name}" in run.numbers for stage in SPLITS[1:] for name in HEADLINES):
        raise ValueError("metrics.json has neither accuracy nor rmse")
    return run


def as_text(value: Plain) -> str:
    """Write a setting as it would be typed; one that is not there is an empty string."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def printable(text: str) -> str:
    """Replace what is no letter, sign or space: it could steer a terminal, or hide text."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _settings(config: dict) -> Iterator[tuple[str, Plain]]:
    place = config.get("run_dir")
    for key, value in _leaves(config, ""):
        is_own = isinstance(value, str) and isinstance(place, str) and value.startswith(place)
        if key.split(".")[0] in NOT_SETTINGS or key in COPIES or (place and is_own):
            continue
        section, _, last = key.rpartition(".")
        if last == "_target_":  # the class stands for its section: model=MLP
            yield section, str(value).rpartition(".")[2]
        elif last not in ("_partial_", "_convert_"):
            yield key, value


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Plain]]:
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
        elif value is None or isinstance(value, str | int | float | bool):
            yield printable(key), printable(value) if isinstance(value, str) else value
        else:
            yield printable(key), printable(json.dumps(value, default=str, ensure_ascii=False))


def _numbers(metrics: dict) -> Iterator[tuple[str, float]]:
    for stage in SPLITS:
        for name, value in _scores(metrics.get(stage)).items():
            yield f"{stage}/{name}", value
    baselines = metrics.get("baselines")
    models = baselines.values() if isinstance(baselines, dict) else []
    for name in HEADLINES:
        found = [_scores(model)[name] for model in models if name in _scores(model)]
        if found:
            yield f"baseline/{name}", max(found) if name in LARGE_IS_GOOD else min(found)
    yield from _scores({name: metrics.get(name) for name in COUNTS}).items()


def _scores(found: Any) -> dict[str, float]:
    """Keep the numbers that can be reckoned with: no null, no nan, nothing of 400 digits."""
    items = found.items() if isinstance(found, dict) else []
    return {
        printable(str(name)): value
        for name, value in items
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    }
