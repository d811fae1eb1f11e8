"""Find the folder of a run by what a person calls it, and name the files that a run leaves there.

The one place that knows where runs lie and what their files are called. Standard library only, so
that `kindling --help` stays fast.
"""

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from kindling.errors import ConfigError, Problem
from kindling.fixes import Command
from kindling.quoting import as_override, shell_word

RUNS = Path("runs")  # where train.py puts them, below the working directory; conf/: ${runs:}

# What lies in a run's folder. conf/callbacks and conf/logger write the last two.
CONFIG_FILE = "config.yaml"  # all settings
OVERRIDES_FILE = "overrides.txt"  # the command
SETTINGS_FILE = "settings.json"  # what was typed, as plain data: what `resume=` goes by
DATA_FILE = "data.json"  # which rows, labels, split, classes and columns the run is made of
ENVIRONMENT_FILE = "environment.json"  # versions and machine
METRICS_FILE = "metrics.json"  # written last of these: a run with one is finished
METRICS_FORMAT = 1
PREDICTIONS_FILE = "predictions.csv"  # of the test rows
REPORT_FILE = "report.html"
BUNDLE_FOLDER = "bundle"
MANIFEST_FILE = "MANIFEST.json"  # in the bundle
NO_BUNDLE_FILE = "no_bundle.json"  # in the run's folder instead: why there is none, what to do
CHECKPOINT_FOLDER = "checkpoints"
LOCK_FILE = ".lock"  # who writes there
TENSORBOARD_FOLDER = "tensorboard"

LATEST = "latest"
STAMP = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
MAX_NAMED = 6  # runs in a message


def find_run(word: str | Path, runs: Path = RUNS) -> Path:
    """Find the folder of a finished run.

    Args:
        word: a run folder, or the bundle in it; `latest`; the name of a folder below `runs`, or
            a part of it that no other run has, such as the four letters at its end. A bundle
            that lies by itself is found by its path, and returned as it is.
        runs: where names are looked up.
    """
    folder = Path(word)
    if _is_folder(folder):
        return _at(folder)
    found = sorted(list_runs(runs)[0] if runs.is_dir() else [], key=_age, reverse=True)
    if not found:
        got, fix = f"{word}, and no run in {runs.absolute()}", "python train.py makes one"
        raise ConfigError(Problem("RUN must be the folder or the name of a run", got, fix))
    if str(word) == LATEST:
        return found[0]
    return _only(str(word), _called(str(word), found, runs), found, runs)


def list_runs(path: Path) -> tuple[list[Path], dict[Path, str]]:
    """List the finished runs in a folder and below, and why a run that began there is not one."""
    if not path.is_dir():
        got = f"{path}, which is {'a file' if path.exists() else 'not there'}"
        raise ConfigError(
            Problem("PATH must be a folder with runs", got, Command("kindling", "compare"))
        )
    finished, skipped = [], {}
    for name, folders, files in os.walk(path):
        folder = Path(name)
        reason = _why_unfinished(files)
        if reason is None:
            finished.append(folder)
        elif reason:
            skipped[folder] = reason
        # Nothing of a run is a run, and nobody keeps runs in hidden folders.
        known = reason != ""
        folders[:] = [] if known else sorted(part for part in folders if part[0] != ".")
    return finished, skipped


def begun_runs(runs: Path = RUNS) -> list[Path]:
    """List the runs below a folder that `resume=` can go on with, finished or not, newest first."""
    found = []
    for name, folders, files in os.walk(runs):
        is_run = SETTINGS_FILE in files
        found += [Path(name)] if is_run else []
        folders[:] = [] if is_run else sorted(part for part in folders if part[0] != ".")
    return sorted(found, key=lambda run: _age(run, SETTINGS_FILE), reverse=True)


def _why_unfinished(files: Sequence[str]) -> str | None:
    """Return None for a finished run, "" for what is no run at all."""
    if METRICS_FILE in files and CONFIG_FILE in files:
        return None
    if MANIFEST_FILE in files:
        return "a bundle by itself, without its run"
    if METRICS_FILE in files:
        return f"it has no {CONFIG_FILE}"
    return f"it is not finished: no {METRICS_FILE}" if OVERRIDES_FILE in files else ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name too long for a file is no folder
        return False


def _at(folder: Path) -> Path:
    """Return the run that a path means, or say why it is none."""
    _, _, files = next(os.walk(folder), ("", [], []))
    if MANIFEST_FILE in files:
        return folder.parent if (folder.parent / CONFIG_FILE).is_file() else folder
    if METRICS_FILE in files or (folder / BUNDLE_FOLDER / MANIFEST_FILE).is_file():
        return folder
    if _why_unfinished(files):
        way = resume_command(folder, "to finish it")
        raise ConfigError(Problem("RUN must be finished", f"no {METRICS_FILE} in {folder}", way))
    near = [*folder.glob(f"*/{METRICS_FILE}"), *folder.glob(f"*/*/{METRICS_FILE}")]
    inside = sorted((file.parent for file in near), key=_age, reverse=True)
    found = shell_word(str(inside[0])) if inside else f"a folder in {RUNS}/, or {LATEST}"
    got = f"{folder}, which has {len(inside)} runs in it" if inside else f"{folder}"
    raise ConfigError(Problem("RUN must be the folder of one run", got, f"type {found}"))


def resume_command(folder: Path, words: str = "") -> Command:
    """Return what goes on with a run that was stopped."""
    return Command("python", "train.py", as_override("resume", str(folder)), after=words)


def _age(run: Path, file: str = METRICS_FILE) -> tuple[str, int]:
    """Order by the moment in the folder's name, or of its search; else a run counts as old."""
    stamp = STAMP.search(run.name) or STAMP.search(run.parent.name)
    return stamp.group() if stamp else "", (run / file).stat().st_mtime_ns


def _called(word: str, found: list[Path], runs: Path) -> list[Path]:
    """Return the runs of that name; else those whose name ends so; else those that have it."""
    names = {run: run.relative_to(runs).as_posix() for run in found}
    word = word.strip("/")
    exact = [run for run in found if word in (names[run], run.name)]
    ends = [run for run in found if names[run].endswith(word)]
    return exact or ends or [run for run in found if word in names[run]]


def _only(word: str, called: list[Path], found: list[Path], runs: Path) -> Path:
    if len(called) == 1:
        return called[0]
    if called:
        got, named = f"{word}, which {len(called)} runs have in their names", called
        fix = f"type more of one: {_names(named, runs)}"
        raise ConfigError(Problem("RUN must name one run", got, fix))
    near = difflib.get_close_matches(word, [run.name for run in found], n=1, cutoff=0.5)
    ends = difflib.get_close_matches(word, [run.name[-4:] for run in found], n=1, cutoff=0.7)
    guess = f"did you mean {(near or ends)[0]}? there are " if near or ends else "type one of "
    rule = "RUN must be a folder, latest, or the name of a run or a part of it"
    raise ConfigError(Problem(rule, word, guess + _names(found, runs)))


def _names(found: list[Path], runs: Path) -> str:
    more = len(found) - MAX_NAMED
    names = [run.relative_to(runs).as_posix() for run in found[:MAX_NAMED]]
    return ", ".join(names) + (f" and {more} older ones" if more > 0 else "")
