"""Say how a run that was stopped goes on, and which runs of a sweep have failed.

What is said goes to stderr, as what went wrong does.
"""

import functools
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from kindling.bounded_files import read_text
from kindling.checkpoints import list_checkpoints
from kindling.disk import disk_error
from kindling.formatting import printable, short_path
from kindling.quoting import shell_line
from kindling.rooms import entry
from kindling.run.exit import as_user_error, why_failed
from kindling.runs import CHECKPOINT_FOLDER, METRICS_FILE, RUNS, resume_command
from kindling.trainer.signals import SIGNALS, STOP

STOPPED = {128 + number for number in SIGNALS}  # by a person, or whoever ends the machine


class QueuedAgain(SystemExit):
    """A cluster takes the machine away, and has put the job into its queue once more."""


@contextmanager
def told_how_to_go_on(run: Path) -> Iterator[None]:
    """Print the command that resumes a run which ends early, if it has a checkpoint."""
    before = list_checkpoints(run / CHECKPOINT_FOLDER)
    tell = functools.partial(tell_how_to_go_on, run)
    STOP.last.append(tell)
    try:
        yield
    except BaseException as error:
        if not _is_refusal(error) or list_checkpoints(run / CHECKPOINT_FOLDER) != before:
            tell()
        raise
    finally:
        STOP.last.remove(tell)


def tell_how_to_go_on(run: Path) -> None:
    """Print the command that resumes a run, if it has a checkpoint."""
    written = list_checkpoints(run / CHECKPOINT_FOLDER)
    if written and not is_older(written[0].path, run / METRICS_FILE):
        command = shell_line(resume_command(Path(short_path(str(run)))).words)
        place = f"step {written[0].step}, in epoch {written[0].epoch}"
        sys.stderr.write(f"stopped after {place}; go on with: {command}\n")


def is_older(file: Path, other: Path) -> bool:
    """Say whether another file is there that was written later."""
    return other.is_file() and file.stat().st_mtime_ns <= other.stat().st_mtime_ns


def _is_refusal(error: BaseException) -> bool:
    """Say whether the user has to mend something, which comes first."""
    is_users = isinstance(error, Exception) and as_user_error(error) is not None
    return is_users and disk_error(error) is None


@dataclass
class Sweep:
    """What became of the runs of `python train.py -m`.

    A launcher may run them in other processes, also on other machines: those add a line to a file
    beside the run folders, which is read at the end.
    """

    folders: list[Path] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    code: int = 0  # of the first run that has failed
    pid: int = field(default_factory=os.getpid)
    lines: Path = field(default_factory=lambda: RUNS.absolute() / f".sweep-{os.urandom(4).hex()}")

    @contextmanager
    def run(self, cfg: DictConfig) -> Iterator[None]:
        """Go on behind a run that fails; what a person stops is stopped as a whole."""
        number, code, failed = HydraConfig.get().job.num, 0, ""
        try:
            yield
        except SystemExit as stop:
            is_over = stop.code in STOPPED or isinstance(stop, QueuedAgain)
            if is_over or not isinstance(stop.code, int):
                raise
            code, told = stop.code, f"run {number} {shell_line(cfg.overrides)}"
            left = f", see {short_path(cfg.run_dir)}" if Path(cfg.run_dir).is_dir() else ""
            sys.stderr.write(printable(f"failed with exit code {code}: {told}{left}") + "\n")
            failed = printable(f"  {told}: {why_failed(stop.__context__)}")
        if os.getpid() == self.pid:
            self.note(str(cfg.run_dir), code, failed)
        else:
            with self.lines.open("a") as file:
                file.write(json.dumps([number, str(cfg.run_dir), code, failed]) + "\n")

    def note(self, folder: str, code: int, failed: str) -> None:
        """Remember how a run has ended."""
        self.folders.append(Path(folder))
        self.code = self.code or code
        self.failed += [failed] if failed else []

    def take_in(self) -> None:
        """Take in what other processes have written down, in the order of the runs."""
        if not self.lines.is_file():
            return
        for _, folder, code, failed in sorted(map(json.loads, read_text(self.lines).splitlines())):
            self.note(folder, code, failed)
        self.lines.unlink()

    def end(self) -> None:
        """Show all runs as `kindling compare` does; leave with the first failure's code, if any."""
        self.take_in()
        is_shown = any((folder / METRICS_FILE).is_file() for folder in self.folders)
        if is_shown and (print_runs := entry("print_runs")):  # which imports pandas and torch
            print_runs(self.folders)
        if self.failed:
            lines = "\n".join(self.failed)
            count = f"{len(self.failed)} of {len(self.folders)} runs failed"
            sys.stderr.write(f"{count}:\n{lines}\n")
            sys.exit(self.code)
