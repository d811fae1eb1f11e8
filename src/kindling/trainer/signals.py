"""Stop a run when a signal asks for it: behind the step at hand, saved; a second one stops at once.

Outside of a training there is nothing to save: the process leaves where it is. An exception that
comes out of nowhere would do harm there: modules of C++ that are just imported end in an abort, and
code that gives it another name hides it. Standard library only, and imported first of all.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


class Stopped(SystemExit):
    """A signal ends the run: the process leaves with 128 + its number, as a shell says it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


class StopSignals:
    """What has come so far; there is one for the process, STOP.

    While `is_held`, the first signal is only noted, for `raise_if_asked` behind the step.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.is_held = False
        self.heard: list[int] = []  # none in a notebook: there Ctrl-C is Python's
        self.last: list[Callable[[], None]] = []  # what is done before the process leaves

    def listen(self) -> None:
        """Answer the signals from now on; those that are ignored stay so, as behind `nohup`."""
        if not self.heard:
            self.heard = [n for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        for number in self.heard:
            signal.signal(number, self.hear)

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """Note the first signal of a training, and leave at any other."""
        is_first, self.asked = self.asked is None, number
        if is_first and self.is_held:
            name = signal.Signals(number).name
            if os.environ.get("RANK", "0") == "0":  # of several processes one says it
                sys.stderr.write(f"\n{name}: stops behind this step; once more stops at once\n")
            return
        while is_first and self.last:
            with suppress(Exception):
                self.last.pop()()
        with suppress(Exception):  # perhaps it is just being written to
            sys.stdout.flush()
        os._exit(128 + number)  # files are replaced whole, so none is left half-written

    @contextmanager
    def at_last(self, do: Callable[[], None]) -> Iterator[None]:
        """Let this be done behind the block, also where a signal ends the process within it."""
        self.last.append(do)
        try:
            yield
        finally:
            self.last.remove(do)
            do()

    def raise_if_asked(self) -> None:
        """End the run here if a signal has come; here everything is saved."""
        if self.asked is not None:
            raise Stopped(self.asked)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen, and leave the signals to the system once all is done."""
        self.listen()
        try:
            yield
        finally:
            while self.heard:
                signal.signal(self.heard.pop(), signal.SIG_DFL)

    def leave_to_parent(self) -> None:
        """In a process that was forked: a terminal tells all of them, and the parent ends this."""
        for number in self.heard:
            is_end = number == signal.SIGTERM
            signal.signal(number, signal.SIG_DFL if is_end else signal.SIG_IGN)


STOP = StopSignals()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=STOP.leave_to_parent)
# Imports take the first half second of `python train.py`.
if Path(getattr(sys.modules["__main__"], "__file__", None) or "").name == "train.py":
    STOP.listen()
