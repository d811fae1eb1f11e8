"""Run each trial of a search as a process: `python train.py WORDS hydra.run.dir=SEARCH/trial-007`.

So a trial may run out of memory, crash or hang, and the search goes on.
"""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from kindling.bounded_files import read_text
from kindling.config.run_state import monitored_value
from kindling.quoting import as_override, as_typed
from kindling.run.exit import FAILURE_NOTE
from kindling.run.lock import wait_until_free
from kindling.run.worker import end_with_parent
from kindling.runs import METRICS_FILE
from kindling.search.study import PRUNED, TRIAL
from kindling.trainer.signals import SIGNALS

GRACE_S = 20.0  # for a trial that is told to stop: it saves behind its step
KILL = 9  # not a name of Windows
MAX_REASON = 300  # characters
PRUNING = "kindling.search.pruning.Pruning"


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: a value, or why there is none.

    Args:
        value: nan where there is none.
        code: the exit code of its process.
        reason: in a line; "" of a trial that went well.
    """

    value: float
    code: int
    reason: str = ""


@dataclass
class TrialProcess:
    """A trial that is running.

    Args:
        trial: of optuna.
        folder: of its run; what it prints goes beside it, to SEARCH/trial-007.log.
        words: that were drawn for it.
        slot: which of the trials at a time it is.
    """

    trial: Any
    folder: Path
    words: list[str]
    slot: int
    process: "subprocess.Popen[bytes] | None" = None
    began_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None  # when it was told to end

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    @property
    def note(self) -> Path:
        return self.folder.with_suffix(".failure")

    def start(self, words: Sequence[str], monitor: str, environment: dict[str, str]) -> None:
        """Start its process; one whose run folder is there goes on where it was."""
        callback = {"_target_": PRUNING, "monitor": monitor}
        added = [as_override(f"+callbacks.pruning.{key}", each) for key, each in callback.items()]
        folder = f"hydra.run.dir={as_typed(self.folder)}"
        resume = ["resume=auto"] if self.folder.is_dir() else []
        wait_until_free(self.folder)
        self.note.unlink(missing_ok=True)
        script = str(Path(sys.modules["__main__"].__file__ or sys.argv[0]).absolute())
        own = {TRIAL: str(self.folder), FAILURE_NOTE: str(self.note)}
        with self.log.open("ab") as log:
            self.process = self._popen(
                [sys.executable, script, *words, *self.words, *added, folder, *resume],
                os.environ | environment | own,
                log,
            )

    @staticmethod
    def _popen(
        command: list[str], environment: dict[str, str], log: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the search, which ends its trials
            preexec_fn=_end_with_search if os.name == "posix" else None,
        )

    def outcome(self, monitor: str, timeout_s: float | None) -> Outcome | None:
        """Return what became of it, None while it runs; one that takes too long is ended."""
        assert self.process is not None
        code = self.process.poll()
        if code is None:
            if timeout_s is not None and time.monotonic() - self.began_s > timeout_s:
                self.end()
            return None
        if self.ended_s is not None and code != 0:
            return Outcome(math.nan, code, f"longer than hydra.sweeper.timeout_s={timeout_s:g}")
        if code == 0:
            return self._result(monitor)
        return Outcome(math.nan, code, "" if code == PRUNED else self._why(code))

    def _result(self, monitor: str) -> Outcome:
        try:
            value = monitored_value(self.folder, monitor)
        except (OSError, ValueError):
            return Outcome(math.nan, 0, f"no {METRICS_FILE} in {self.folder.name}")
        return Outcome(value, 0, "" if math.isfinite(value) else f"{monitor} is {value}")

    def _why(self, code: int) -> str:
        number = -code if code < 0 else code - 128
        if number in (KILL, *SIGNALS):
            time.sleep(0.5)  # the signal may have been for all, and ours is on its way
            memory = ": perhaps memory ran out" if number == KILL else ""
            return f"ended by {signal.Signals(number).name}{memory}"
        with suppress(OSError, ValueError):
            return " ".join(read_text(self.note).split())[:MAX_REASON]
        return "it ended without a word"

    def end(self) -> None:
        """Tell it to stop; once more, after a while, ends it at once."""
        assert self.process is not None
        now = time.monotonic()
        if self.ended_s is None:
            self.ended_s = now
            self.process.terminate()
        elif now - self.ended_s > GRACE_S:
            self.process.kill()


def end_all(trials: Sequence[TrialProcess]) -> None:
    """End all of these trials: they are saved, and go on when the search does."""
    while running := [each for each in trials if each.process and each.process.poll() is None]:
        for each in running:
            each.end()
        time.sleep(0.02)


def _end_with_search() -> None:
    """Let the system end this process when the search is killed: two would write to one folder."""
    end_with_parent(KILL)
    for number in SIGNALS:  # a fork has silenced them
        signal.signal(number, signal.SIG_DFL)
