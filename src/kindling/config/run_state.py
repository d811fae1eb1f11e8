"""Tell from a run folder whether its training is over; find the run that `resume=auto` means.

Nothing here needs torch: that a run is finished is said at once.
"""

import json
import math
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from kindling.bounded_files import read_text
from kindling.checkpoints import list_checkpoints
from kindling.config.compose import compose_config
from kindling.config.recorded import parsed_value
from kindling.config.replay import may_change, plain_config, quote_paths, read_config
from kindling.errors import ConfigError, Problem
from kindling.formatting import printable, short_path
from kindling.quoting import as_typed
from kindling.runs import (
    CHECKPOINT_FOLDER,
    LATEST,
    METRICS_FILE,
    RUNS,
    SETTINGS_FILE,
    TENSORBOARD_FOLDER,
    begun_runs,
)

AUTO = "auto"
LATER = ("baselines", "report", "bundle")  # what can be made of a run that is trained
# What says where the data are: they may have moved, but `auto` does not guess so.
OF_DATA = ("name", "data.path", "data.val_path", "data.test_path", "data.labels")


def chosen_run(overrides: list[str], conf: Path) -> list[str]:
    """Put the folder of a run where `resume=auto` or `resume=latest` is typed, and say which.

    `auto` is the newest unfinished run of the same name and configuration below runs/, or what
    lies in the folder that `hydra.run.dir` names; without one a new run begins.

    Raises:
        ConfigError: there is no run at all.
    """
    words = [text for text in overrides if text.startswith("resume=")]
    word = words[-1].partition("=")[2] if words else ""
    if word not in (AUTO, LATEST) or os.path.lexists(word):
        return overrides
    typed = [text for text in overrides if not text.startswith("resume=")]
    if word == LATEST:
        found = begun_runs()
        if not found:
            rule, got = "resume=latest goes on with the newest run", f"no run in {RUNS.absolute()}"
            raise ConfigError(Problem(rule, got, "python train.py makes one"))
        return [*typed, _told(found[0], "the newest run")]
    given = [text for text in quote_paths(typed) if text.startswith("hydra.run.dir=")]
    if given:
        folder = Path(str(parsed_value(given[-1])))
        if (folder / SETTINGS_FILE).is_file():
            return [*typed, _told(folder, "what lies in hydra.run.dir")]
    elif run := _unfinished(typed, conf):
        return [*typed, _told(run, "the newest unfinished run of this configuration")]
    sys.stdout.write("resume  no unfinished run of this configuration: a new one begins\n")
    return typed


def _unfinished(typed: list[str], conf: Path) -> Path | None:
    try:
        settings = plain_config(compose_config(conf, quote_paths(typed)))
    except (HydraException, OmegaConfBaseException):
        return None  # what is wrong is told by who checks them next
    return next((run for run in begun_runs() if _is_unfinished(run, settings)), None)


def _told(run: Path, why: str) -> str:
    sys.stdout.write(f"resume  {printable(short_path(str(run)))}, {why}\n")
    return f"resume={as_typed(str(run.absolute()))}"


def _is_unfinished(run: Path, settings: Mapping[str, Any]) -> bool:
    """Say whether a run of these settings, as far as they make it what it is, is left to finish."""
    try:
        before = read_config(run)
    except ConfigError:
        return False
    keys = {key for key in {*before, *settings} if key in OF_DATA or not may_change(key)}
    is_same = all(
        key in before and key in settings and settings[key] in (before[key], "auto") for key in keys
    )
    return is_same and why_over(run, before) is None


def describe_end(cfg: DictConfig, trainer: Any, epochs: int) -> dict[str, Any]:
    """Return what metrics.json says of the end: what ended the training, what was made of it."""
    max_time = cfg.trainer.get("max_time")
    is_end = {
        "max_epochs": epochs >= (trainer.max_epochs or math.inf),
        "max_steps": 0 <= trainer.max_steps <= trainer.global_step,
        "early_stopping": any(getattr(each, "stopped_epoch", 0) for each in trainer.callbacks),
        "max_time": max_time is not None,
    }
    ended_by = next((end for end, is_so in is_end.items() if is_so), "callback")
    made = {name: bool(cfg.get(name)) for name in LATER}
    steps = trainer.global_step
    return {"ended_by": ended_by, "steps": steps, "max_time": max_time, "made": made}


def why_over(run: Path, settings: Mapping[str, Any]) -> str | None:
    """Say why nothing is left to be done for a run with these settings; None if something is."""
    try:
        metrics = json.loads(read_text(run / METRICS_FILE))
        epochs, made, most = metrics["epochs"], metrics["made"], settings["trainer.max_epochs"]
        if any(settings.get(name) and not made[name] for name in LATER):
            return None
        if epochs >= most:
            return f"{epochs} epochs of {most}; a larger trainer.max_epochs goes on"
        why = _why_ended(metrics, settings)
        return why and f"{why} ended it after {epochs} of {most} epochs"
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it has no such file, or one of an older version


def _why_ended(metrics: Mapping[str, Any], settings: Mapping[str, Any]) -> str | None:
    """Name what ended a training before its epochs were over, if it would again."""
    end = metrics["ended_by"]
    if end == "max_steps":
        limit = settings.get("trainer.max_steps", -1)
        return "trainer.max_steps" if 0 <= limit <= metrics["steps"] else None
    if end == "max_time":
        is_same = settings.get("trainer.max_time") == metrics["max_time"]
        return "trainer.max_time" if is_same else None
    if end == "early_stopping":
        keys = [key for key, value in settings.items() if str(value).endswith(".EarlyStopping")]
        names = [key.removesuffix("._target_") for key in keys]
        return f"early stopping (~{names[0]} goes on)" if names else None
    return "a callback" if end == "callback" else None


def finished_value(cfg: DictConfig) -> float | None:
    """Say that a resumed run is finished and return its monitored value; None if it goes on."""
    if cfg.resume is None or cfg.lr_find:
        return None
    run = Path(cfg.run_dir)
    why = why_over(run, plain_config(cfg))
    if why is None:
        return None
    place = printable(short_path(str(run)))
    sys.stdout.write(f"resume  {place} is finished and stays as it is: {why}\n")
    return monitored_value(run, cfg.monitor)


def monitored_value(run: Path, monitor: str) -> float:
    """Read the best value of what a finished run has monitored; nan where it has none."""
    value = json.loads(read_text(run / METRICS_FILE)).get("monitored", {}).get(monitor)
    return math.nan if value is None else float(value)


def begin_anew(cfg: DictConfig) -> None:
    """Let a run that was stopped before anything was saved begin again, in its folder."""
    run = Path(cfg.run_dir)
    is_saved = list_checkpoints(run / CHECKPOINT_FOLDER) or (run / METRICS_FILE).exists()
    if cfg.resume is not None and not is_saved:
        cfg.resume = None  # as a new run it also takes the weights that init_from names
        shutil.rmtree(run / TENSORBOARD_FOLDER, ignore_errors=True)
        place = printable(short_path(str(run)))
        sys.stdout.write(f"resume  nothing was saved in {place} yet: it begins at the start\n")
