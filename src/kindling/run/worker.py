"""One of several processes of a run: how it joins the others, and what it leaves to them to say."""

import atexit
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
PEER_GONE = 75  # exit code: another process has ended first, and says why


def is_worker() -> bool:
    """Say whether an agent has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 and "RANK" in os.environ


def is_other() -> bool:
    """Say whether another process of this run is the one that writes and shows."""
    return is_worker() and os.environ["RANK"] != "0"


def join_others(*, is_sweep: bool) -> None:
    """Where an agent has started several processes, become one: the first writes and shows.

    Raises:
        ConfigError: each of them would run a whole sweep.
    """
    if not is_worker():
        return
    end_with_parent(signal.SIGTERM)
    from kindling.config.compose import SHARED_STAMP, new_stamp
    from kindling.distributed import WORLD, of_first

    WORLD.join()
    os.environ[SHARED_STAMP] = of_first(new_stamp())
    if not WORLD.is_first:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # as long as the process
    if is_sweep:
        rule, fix = "a sweep starts the processes of each run itself", "python train.py -m"
        raise ConfigError(Problem(rule, "-m behind torchrun", f"{fix} trainer.devices=..."))


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Let one of several processes end without the destructors of what it has loaded.

    Threads of gloo still run then; now and then one is destroyed that nobody has joined, which
    ends a training that went well in an abort (torch 2.13). What was registered for the end of
    Python is run, as it always is.
    """
    if not is_worker():
        yield
        return
    code: Any = 0
    try:
        yield
    except SystemExit as stop:
        code = stop.code
    atexit._run_exitfuncs()  # as multiprocessing does with its own
    with suppress(OSError):  # nobody reads on
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def end_with_parent(number: int) -> None:
    """Let the system send a signal when the parent is gone, however it went; Linux only."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, number)


def take_over_processes(cfg: Any) -> None:
    """Let the configuration say how many processes there are, where an agent has started them.

    Raises:
        ConfigError: another number was asked for.
    """
    from kindling.distributed import WORLD

    machines = WORLD.count // WORLD.local_count
    for key, there in (("devices", WORLD.local_count), ("num_nodes", machines)):
        if cfg.trainer[key] not in (1, there):
            rule = f"trainer.{key} must be the number that torchrun has started"
            ways = Setting(f"trainer.{key}", there, "or leave it out")
            raise ConfigError(Problem(rule, f"{cfg.trainer[key]}, where {there} are there", ways))
        cfg.trainer[key] = there
    if cfg.lr_find:
        got = f"{WORLD.count} processes"
        raise ConfigError(Problem("experiment=lr_find runs in one process", got, "python train.py"))


def told_by_another(error: BaseException) -> int | None:
    """Return the exit code of an error that another process's end is the cause of, or tells too.

    None where this process is the first to fail, and so the one to say why.
    """
    if not is_worker():
        return None
    from kindling.distributed import WORLD, is_lost_peer

    if is_lost_peer(error):
        return PEER_GONE
    with suppress(RuntimeError):  # the agent itself is gone
        return None if WORLD.is_first_to_fail() else PEER_GONE
    return None
