"""Read finished runs for `kindling compare`: settings of config.yaml, scores of metrics.json.

A run folder may be anybody's. Nothing in it is executed, no text of it can steer a terminal, and
a file of an unreasonable size or shape is left out with the reason.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from kindling.bounded_files import read_text
from kindling.errors import ConfigError, Problem
from kindling.formatting import first_few, printable, short_path
from kindling.json_codec import check_format
from kindling.runs import CONFIG_FILE, DATA_FILE, METRICS_FILE, METRICS_FORMAT, RUNS, list_runs
from kindling.scoring import MetricInfo, info_from_json
from kindling.types import SPLITS

Value = str | int | float | bool | None
# A run's files have a few thousand bytes, and nest five deep.
MAX_DEPTH, MAX_EVENTS, MAX_SCALAR = 32, 20_000, 10_000
MAX_DATA_BYTES = 1 << 26  # of DATA_FILE, which may name each row
DIGESTS = {"rows": "inputs", "labels": "labels", "test": "test"}
HEX = re.compile("[0-9a-f]{64}")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is four times as fast
# Where a run lies, and what leaves its numbers as they are: no settings to compare.
NOT_SETTINGS = ("run_dir", "name", "overrides", "resume", "debug", "report", "baselines", "hydra")
COPIES = ("trainer.callbacks", "trainer.logger")  # of what stands in sections of their own
COUNTS = ("best_epoch", "epochs", "seconds", "num_parameters")


@dataclass(frozen=True)
class Run:
    """One finished run.

    Args:
        name: what `kindling predict` finds it by.
        folder: as it would be typed here.
        settings: by dotted key, such as model.width.
        numbers: by name, such as val/accuracy, baseline/accuracy or seconds.
        problem_type: as it was recorded; "" where it was not.
        metrics: what was measured, by name; the primary one first.
        rows, labels, test: digests of the rows and labels it is made of, and of its test rows; ""
            where the run does not say.
    """

    name: str
    folder: str
    settings: Mapping[str, Value]
    numbers: Mapping[str, float]
    problem_type: str
    metrics: Mapping[str, MetricInfo]
    rows: str = ""
    labels: str = ""
    test: str = ""

    @property
    def metric(self) -> MetricInfo:
        """The primary one."""
        return next(iter(self.metrics.values()))

    @property
    def data(self) -> str:
        """Name the data set: the file or folder and the target, or the set's own word."""
        word = self.settings.get("data.path") or self.settings.get("data") or "unknown data"
        target = self.settings.get("data.target")
        return str(word) if target is None else f"{word}, target {target}"


def read_runs(paths: Iterable[str]) -> tuple[list[Run], dict[str, str]]:
    """Read all runs below the paths; also return the folders that are left out, and why.

    Raises:
        ConfigError: a path is no folder, or there is not one finished run.
    """
    folders: dict[Path, None] = {}
    skipped: dict[str, str] = {}
    for path in paths:
        finished, unfinished = list_runs(Path(path))
        folders |= dict.fromkeys(folder.resolve() for folder in finished)
        skipped |= {printable(str(folder)): reason for folder, reason in unfinished.items()}
    runs = []
    for name, folder in zip(short_names(list(folders)), folders, strict=True):
        try:
            runs.append(read_folder(name, folder))
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            place = printable(short_path(str(folder)))
            fix = getattr(error, "fix", "")
            told = f"{error}; {fix}" if fix else str(error)
            skipped[place] = printable(" ".join(told.split())[:200])
    if not runs:
        reasons = first_few([f"{f}: {reason}" for f, reason in skipped.items()], separator="; ")
        got = f"none in {', '.join(map(str, paths))}" + (f" ({reasons})" if reasons else "")
        raise ConfigError(Problem("there must be a finished run", got, "python train.py makes one"))
    return runs, skipped


def short_names(folders: Sequence[Path]) -> list[str]:
    """Call a run below ./runs by the letters at its end, where no other has the same."""
    ends = Counter(folder.name.rpartition("_")[2] for folder in folders)
    home = RUNS.resolve()
    names = []
    for folder in folders:
        end = folder.name.rpartition("_")[2]
        is_short = folder.is_relative_to(home) and ends[end] == 1
        names.append(printable(end if is_short else short_path(str(folder))))
    return names


def read_folder(name: str, folder: Path) -> Run:
    """Read one run; ValueError, OSError or YAMLError where a file is not what it should be."""
    config = read_yaml(folder / CONFIG_FILE)
    if isinstance(config, dict) and isinstance(config.get("data"), dict):
        path = config["data"].get("path")
        if isinstance(path, str):
            config["data"]["path"] = short_path(path)  # the same, however it was typed
    try:
        results = json.loads(read_text(folder / METRICS_FILE))
    except ValueError as error:
        raise ValueError(f"{METRICS_FILE}: {error}") from error
    check_format(results, METRICS_FORMAT)
    run = read_run(name, printable(short_path(str(folder))), config, results)
    digests: dict[str, Any] = read_digests(folder / DATA_FILE)
    return replace(run, **digests)


def read_digests(file: Path) -> dict[str, str]:
    """Read what data a run is made of, as digests; nothing where it does not say."""
    if not file.exists():
        return {}
    try:
        content = json.loads(read_text(file, MAX_DATA_BYTES))
        found = {name: content[key] for name, key in DIGESTS.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{DATA_FILE}: {type(error).__name__} {error}") from error
    if not all(isinstance(each, str) and HEX.fullmatch(each) for each in found.values()):
        raise ValueError(f"{DATA_FILE} has no digests")
    return found


def read_yaml(file: Path) -> Any:
    """Read plain values; no tag builds anything, no alias multiplies, ${...} stays text."""
    text = read_text(file)
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        is_long = isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_SCALAR
        if depth > MAX_DEPTH or count > MAX_EVENTS or is_long or isinstance(event, yaml.AliasEvent):
            raise ValueError(f"{CONFIG_FILE}: too deep, too long, or with an alias: not of a run")
    return yaml.load(text, Loader=LOADER)


def read_run(name: str, folder: str, config: Any, results: Any) -> Run:
    """Take what is known out of config.yaml and metrics.json; ValueError if that is nothing.

    A value of an unexpected type is left out, and text is only ever text.
    """
    if not isinstance(config, dict) or not isinstance(results, dict):
        raise ValueError(f"{CONFIG_FILE} and {METRICS_FILE} must hold keys and values")
    recorded = results.get("metrics")
    recorded = recorded if isinstance(recorded, dict) else {}
    infos = [info_from_json(printable(str(key)), found) for key, found in recorded.items()]
    if not infos:
        why = "its task declares none, or an older version wrote it"
        raise ValueError(f"{METRICS_FILE} does not say what its metrics are: {why}")
    primary, problem_type = infos[0], printable(str(results.get("problem_type") or ""))
    numbers = dict(_numbers(results, primary))
    if not {f"val/{primary.name}", f"test/{primary.name}"} & set(numbers):
        raise ValueError(f"{METRICS_FILE} has no {primary.name} of val or test rows")
    metrics = {info.name: info for info in infos}
    return Run(name, folder, dict(_settings(config)), numbers, problem_type, metrics)


def _settings(config: dict[str, Any]) -> Iterator[tuple[str, Value]]:
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


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Value]]:
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{key}.")
        elif value is None or isinstance(value, str | int | float | bool):
            yield printable(key), printable(value) if isinstance(value, str) else value
        else:
            yield printable(key), printable(json.dumps(value, default=str, ensure_ascii=False))


def _numbers(results: dict[str, Any], primary: MetricInfo) -> Iterator[tuple[str, float]]:
    yield from _scores(results.get("monitored")).items()
    for split in SPLITS:
        for name, value in _scores(results.get(split)).items():
            yield f"{split}/{name}", value
    models = results.get("baselines")
    baselines = {
        model: _scores(scores)[primary.name]
        for model, scores in (models.items() if isinstance(models, dict) else ())
        if primary.name in _scores(scores)
    }
    if baselines:
        yield f"baseline/{primary.name}", baselines[primary.best(baselines)]
    yield from _scores({name: results.get(name) for name in COUNTS}).items()


def _scores(found: Any) -> dict[str, float]:
    """Keep the numbers that can be reckoned with: no null, no nan, nothing of 400 digits."""
    items = found.items() if isinstance(found, dict) else []
    return {
        printable(str(name)): value
        for name, value in items
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    }
