"""Let one process at a time write to a run folder: RUN/.lock is held as long as it does."""

import errno
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from kindling.bounded_files import read_text
from kindling.errors import ConfigError, Problem
from kindling.formatting import printable
from kindling.runs import LOCK_FILE
from kindling.trainer.signals import STOP

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# What a file system answers that knows no locks.
UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_held: set[int] = set()


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the lock of a run folder, which is made if need be.

    The system lets go of it however the process ends; the file that is left behind then says
    nothing.

    Raises:
        ConfigError: another process holds it, or nobody may write there.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = _take(run / LOCK_FILE)
    except OSError as error:
        raise ConfigError(unwritable(run, error)) from error
    _held.add(descriptor)

    def let_go() -> None:
        _held.discard(descriptor)
        if fcntl is None:  # Windows removes no file that is open, and nobody waits for it there
            os.close(descriptor)
        with suppress(OSError):  # the folder may be gone, or read-only by now
            (run / LOCK_FILE).unlink()
        if fcntl is not None:
            os.close(descriptor)

    with STOP.at_last(let_go):
        yield


def wait_until_free(run: Path) -> None:
    """Wait for the process that still writes to a run folder, if there is one; say that it does."""
    is_told = False
    while (run / LOCK_FILE).exists():
        try:
            with locked(run):
                return
        except ConfigError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            if not is_told:
                sys.stderr.write(f"waits: {printable(error.problems[0].got)}\n")
            is_told = True
            time.sleep(0.1)


def _take(file: Path) -> int:
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            rule = "one process at a time writes to a run folder"
            got = f"{file.parent} in use by {_holder(file)}"
            raise ConfigError(Problem(rule, got, "wait for it, or stop it")) from error
        except OSError as error:
            if error.errno not in UNKNOWN:
                raise
            sys.stderr.write(f"{file.parent} lies where no file can be locked: start no other\n")
        # Who held it before may have removed the file between the two calls: then it is another.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                since = time.strftime("%Y-%m-%d %H:%M:%S")
                holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps(holder).encode())
                return descriptor
        os.close(descriptor)


def _holder(file: Path) -> str:
    try:
        holder = json.loads(read_text(file))
        told = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
    return printable(told)[:200]


def unwritable(run: Path, error: OSError) -> Problem:
    """Say that a run cannot write to its folder."""
    rule, fix = "the folder of a run must be one that can be written to", "hydra.run.dir=FOLDER"
    return Problem(rule, f"{error.strerror}: {error.filename or run}", f"type {fix}, or allow it")


def _leave_to_parent() -> None:
    """Let a worker that was forked not hold the lock when the process itself is gone."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
