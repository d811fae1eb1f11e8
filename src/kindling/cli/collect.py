"""Folders in; the runs in them as plain values out, and what cannot be read, with the reason."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from kindling.errors import ConfigError, Problem
from kindling.report.run import Run, printable, read_run
from kindling.run.console import short_path
from kindling.runs import RUNS, list_runs

# A run's files may be anybody's. They have a few thousand bytes, and nest five deep.
MAX_BYTES, MAX_DEPTH, MAX_EVENTS, MAX_SCALAR = 1 << 20, 32, 20_000, 10_000
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is four times as fast


def collect(paths: Iterable[str]) -> tuple[list[Run], dict[str, str]]:
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
            skipped[place] = printable(" ".join(str(error).split())[:200])
    if not runs:
        reasons = [f"{folder}: {reason}" for folder, reason in list(skipped.items())[:5]]
        got = f"none in {', '.join(map(str, paths))}"
        got += f" ({'; '.join(reasons)})" if reasons else ""
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
    config = read_yaml(folder / "config.yaml")
    if isinstance(config, dict) and isinstance(config.get("data"), dict):
        path = config["data"].get("path")
        if isinstance(path, str):
            config["data"]["path"] = short_path(path)  # the same, however it was typed
    try:
        metrics = json.loads(read_text(folder / "metrics.json"))
    except ValueError as error:
        raise ValueError(f"metrics.json: {error}") from error
    return read_run(name, printable(short_path(str(folder))), config, metrics)


def read_yaml(file: Path) -> Any:
    """Read plain values; no tag builds anything, no alias multiplies, ${...} stays text."""
    text = read_text(file)
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        is_long = isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_SCALAR
        if depth > MAX_DEPTH or count > MAX_EVENTS or is_long or isinstance(event, yaml.AliasEvent):
            raise ValueError("config.yaml: too deep, too long, or with an alias: not of a run")
    return yaml.load(text, Loader=LOADER)


def read_text(file: Path) -> str:
    """Read a small file; nothing that is a pipe or a device, and no more than was asked."""
    if not file.is_file():
        raise ValueError(f"{file.name} is not a file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{file.name} has more than {MAX_BYTES:,} bytes")
    return content.decode("utf-8")
