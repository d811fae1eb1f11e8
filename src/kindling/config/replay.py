"""Resume a run: with the settings that it was started with, from its newest checkpoint."""

import glob
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from omegaconf import DictConfig, OmegaConf

from kindling.bounded_files import read_text
from kindling.config.recorded import (
    key_of,
    parsed_value,
    read_settings,
    refuse_unplain,
)
from kindling.config.values import leaves
from kindling.errors import ConfigError, Problem
from kindling.files import is_url
from kindling.formatting import printable
from kindling.quoting import as_typed
from kindling.runs import CONFIG_FILE, find_run

COMMAND = "python train.py"
# What a run may be resumed with otherwise: how long, where, and what is done beside the training.
# Where the rows lie is free too: which they are is held by RUN/data.json.
MAY_CHANGE = (
    *("run_dir", "resume", "overrides", "name", "debug", "checks", "baselines", "report", "bundle"),
    *("device", "threads", "matmul_precision", "compile"),
    *("trainer.max_epochs", "trainer.min_epochs", "trainer.max_steps", "trainer.max_time"),
    *("trainer.devices", "trainer.num_nodes", "trainer.strategy"),
    *("trainer.profile", "trainer.log_every_n_steps", "trainer.enable_*", "trainer.callbacks"),
    *("trainer.logger", "trainer.logger.*", "trainer.default_root_dir", "logger", "logger.*"),
    *("callbacks.progress.*",),
    *("data.path", "data.val_path", "data.test_path", "data.labels", "data.cache", "data.memory"),
    *("data.num_workers", "data.on_device", "data.eval_batch_size", "task.steps_per_call"),
)
# The last names of keys that hold the path of a file or folder, and those that need not be there.
PATHS = (
    *("path", "val_path", "test_path", "labels", "cache", "dir", "run_dir", "resume"),
    *("init_from", "weights"),
)
# What W&B and MLflow call a run of theirs: null in conf/logger until one has begun.
ID_KEY, ID = re.compile(r"logger\.(\w+\.)?(run_id|version)"), re.compile(r"\w{1,64}")
NEW_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "run_dir")


def replay(overrides: list[str], *, is_sweep: bool = False) -> list[str]:
    """Put a resumed run's own settings before those typed now, and stay in its folder.

    Those typed now are the user's own, and stay as they are; see `recorded` for the others.

    Raises:
        ConfigError: `resume` is no folder of a run, or a sweep is to go on from one.
    """
    overrides = [found_run(text) for text in quote_paths(overrides)]
    words = [text for text in overrides if text.startswith("resume=")]
    if not words or words[-1] in ("resume=", "resume=null"):
        return overrides
    run = Path(parsed_value(words[-1]) or words[-1].partition("=")[2]).absolute()
    if is_sweep:
        rule, fix = "one run is resumed at a time", "leave -m out"
        raise ConfigError(Problem(rule, f"-m with resume={run}", fix))
    if "${" in str(run):
        rule, fix = "the path of a run that is resumed must not hold ${", "rename the folder"
        raise ConfigError(Problem(rule, str(run), fix))
    typed = [text for text in overrides if not text.startswith("resume=")]
    recorded, again = read_settings(run)
    refuse_unplain(run, again, typed)
    now = {key_of(text) for text in typed}
    fixed = [f"{key}={as_typed(run)}" for key in ("resume", "hydra.run.dir")]
    return [*(each.typed() for each in recorded if each.key not in now), *typed, *fixed]


def quote_paths(overrides: list[str]) -> list[str]:
    """Put quotes around paths that Hydra's grammar would read otherwise: commas, brackets, accents.

    A path is taken as it was typed if it leads somewhere, or is to be a new run's folder.
    """
    return [_quoted(text) for text in overrides]


def _quoted(text: str) -> str:
    key, _, value = text.partition("=")
    if re.split(r"[.+]", key)[-1] not in PATHS or parsed_value(text) == value:
        return text
    is_new = key in NEW_FOLDERS and parsed_value(text) is None
    return f"{key}={as_typed(value)}" if is_new or _leads_somewhere(value) else text


def _leads_somewhere(value: str) -> bool:
    """Say whether something is there: a file, a folder, files of a pattern, or perhaps a URL's."""
    found = value and (os.path.lexists(value) or next(glob.iglob(value, recursive=True), None))  # noqa: PTH207
    return bool(found) or is_url(value)


def found_run(text: str) -> str:
    """Name the run that `init_from` means: `latest` would be another one tomorrow."""
    word = parsed_value(text) if text.startswith("init_from=") else None
    return f"init_from={as_typed(find_run(word).absolute())}" if isinstance(word, str) else text


def command_of(overrides: list[str]) -> str:
    """Write down the command that starts the same run anew, in a folder of its own."""
    others = [text for text in overrides if not text.startswith("resume=")]
    return f"{COMMAND} {shlex.join(others)}".rstrip() + "\n"


def take_over_choices(cfg: DictConfig) -> None:
    """Let a resumed run have what was chosen when it began: numbers for `auto`, loggers' ids."""
    now = plain_config(cfg) if cfg.resume is not None else {}
    for key, value in read_config(Path(cfg.run_dir)).items() if cfg.resume is not None else ():
        is_number = isinstance(value, int | float) and now.get(key) == "auto"
        is_id = ID_KEY.fullmatch(key) and ID.fullmatch(str(value)) and now.get(key, ...) is None
        if is_number or is_id:
            OmegaConf.update(cfg, key, value)


def refuse_other_settings(cfg: DictConfig) -> None:
    """Raise a ConfigError that lists what a resumed run was started with otherwise.

    Most of it the checkpoint would overrule without a word: an optimizer comes back with the
    learning rate that it had.
    """
    if cfg.resume is None:
        return
    run = Path(cfg.run_dir)
    known = {setting.key for setting in read_settings(run)[0]}
    typed = {key_of(text) for text in cfg.overrides} - known
    before, now = read_config(run), plain_config(cfg)
    changed: dict[tuple[str, ...], str] = {}
    for key in sorted({*before, *now}, key=lambda key: (key not in typed, key.count("."))):
        is_on_both_sides = key in before and key in now
        # A key that only one side has may be one of another version, if nobody typed it.
        is_typed = any(key == word or key.startswith(f"{word}.") for word in typed)
        if may_change(key) or not (is_on_both_sides or is_typed):
            continue
        is_same = is_on_both_sides and before[key] == now[key]
        if not is_same and not is_whole_callback(key, before, now):
            values = (_worded(side, key) for side in (now, before))
            changed.setdefault((key.rpartition(".")[2], *values), key)  # seed before data.seed
    if changed:
        rule = "a run goes on with the settings that it was started with"
        fix = "leave it out to go on, or leave resume= out for a run of its own"
        found = (f"{key}={new}, which was {old}" for (_, new, old), key in changed.items())
        raise ConfigError(*(Problem(rule, printable(got), fix) for got in found))


def _worded(settings: Mapping[str, Any], key: str) -> str:
    return as_typed(settings[key], is_short=True) if key in settings else "not there"


def may_change(key: str) -> bool:
    """Say whether a setting may be another one when a run is resumed."""
    return any(fnmatchcase(key, pattern) for pattern in MAY_CHANGE)


def is_whole_callback(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether a key belongs to a callback or logger that came or went as a whole."""
    names = key.split(".")
    if names[0] not in ("callbacks", "logger") or len(names) < 3:
        return False
    prefix = f"{names[0]}.{names[1]}."
    return not all(any(each.startswith(prefix) for each in side) for side in (before, now))


def plain_config(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings by dotted key; a path in the run's folder counts from there."""
    return dict(_settled(OmegaConf.to_container(cfg, resolve=True)))


def read_config(run: Path) -> dict[str, Any]:
    """Read RUN/config.yaml as plain data; nothing in it is resolved or built."""
    file = run / CONFIG_FILE
    try:
        content = yaml.safe_load(read_text(file))
        return dict(_settled(content))
    except (OSError, ValueError, yaml.YAMLError, AttributeError, RecursionError) as error:
        rule, fix = f"{file} must be what Kindling wrote", "bring it back, or start a new run"
        got = printable(next(iter(str(error).splitlines()), ""))
        raise ConfigError(Problem(rule, got, fix)) from error


def _settled(content: Any) -> Iterator[tuple[str, Any]]:
    place = str(content.get("run_dir"))
    for key, value in leaves(content):
        is_inside = isinstance(value, str) and value.startswith(place)
        yield key, f"RUN{value[len(place) :]}" if is_inside else value
