"""Turn what goes wrong into one screen for a person and an exit code, or into a user's error."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from kindling.disk import disk_error, disk_problem
from kindling.errors import ConfigError, Problem, UserError
from kindling.files import write_atomically
from kindling.fixes import interface
from kindling.run.console import show_problems
from kindling.run.worker import told_by_another
from kindling.trainer.signals import Stopped

NO_TARGET = "Error locating target"  # how Hydra's message of a wrong _target_ begins
FAILURE_NOTE = "KINDLING_FAILURE_NOTE"  # in the environment: a file that is told why a run fails
INTERRUPTED, CLOSED_PIPE = 130, 141  # 128 + the signal's number, as a shell says it


@contextmanager
def exit_codes(*, debug: bool) -> Iterator[None]:
    """Leave the process with the exit code that belongs to whatever went wrong inside.

    0 done, 1 a fault of ours with its traceback, 2 configuration, 3 data, 141 nobody reads on,
    128 + the number of the signal that has stopped it: 129 hangup, 130 Ctrl-C, 138 USR1, 143 TERM.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # whose encoding may lack a letter of the user's data
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr's does it
    try:
        yield
        sys.stdout.flush()  # here, where a closed pipe is still understood
    except BrokenPipeError:
        _end_quietly()
    except Exception as error:
        sys.exit(stopped_by(error) or told_by_another(error) or _explain(error, debug=debug))
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # rich leaves with 1
            _end_quietly()
        if code := stopped_by(stop):
            sys.exit(code)
        raise


@contextmanager
def user_errors() -> Iterator[None]:
    """Raise the ConfigError or DataError that is behind an exception of Hydra or Lightning.

    For notebooks: nothing ends the process, and Ctrl-C stays a KeyboardInterrupt.
    """
    try:
        yield
    except SystemExit as stop:
        if stopped_by(stop):  # Lightning makes a SystemExit of it
            raise KeyboardInterrupt from None
        raise
    except Exception as error:
        user_error = as_user_error(error)
        if user_error is None:
            raise
        # It is shown when this run's settings are no longer known.
        settle = interface().settle
        problems = [replace(p, fix=settle(p.fix)) for p in user_error.problems]
        raise type(user_error)(*problems) from error


def stopped_by(error: BaseException | None) -> int | None:
    """Return the exit code of a stop that came first: what breaks off may raise anything then."""
    while error is not None:
        if isinstance(error, Stopped):
            return 128 + error.number
        if isinstance(error, KeyboardInterrupt):
            return INTERRUPTED
        error = error.__context__
    return None


def _end_quietly() -> None:
    """Leave as other programs do after `| head`; Python would complain once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(CLOSED_PIPE)


def _explain(error: Exception, *, debug: bool) -> int:
    """Show the user's problems or our own traceback; return the exit code."""
    user_error = as_user_error(error)
    if FAILURE_NOTE in os.environ:
        write_atomically(Path(os.environ[FAILURE_NOTE]), why_failed(error))
    if user_error is None or debug:
        traceback.print_exception(error)
    if user_error is None:
        return 1
    show_problems(user_error)
    return user_error.exit_code


def why_failed(error: BaseException | None) -> str:
    """Say in a line what ended a run: all of the user's problems, or the type of our fault."""
    if error is None:
        return "one of its processes has said why"
    told = as_user_error(error)
    if told is not None:
        return "; ".join(f"{problem.rule}, got {problem.got}" for problem in told.problems)
    return f"{type(error).__name__}: {error}"


def as_user_error(error: BaseException) -> UserError | None:
    """Find the user's error behind an exception, or None where the fault is ours."""
    if isinstance(error, UserError):
        return error
    from hydra.errors import (
        HydraException,
        InstantiationException,
    )  # 0.2 s, which only a failure has to pay
    from omegaconf.errors import OmegaConfBaseException

    cause: BaseException | None = error
    while isinstance(cause, InstantiationException) and cause.__cause__ is not None:
        if str(cause).startswith(NO_TARGET):
            break
        cause = cause.__cause__  # Hydra wraps what a constructor raises
    if isinstance(cause, UserError):
        return cause
    if refusal := disk_error(error):
        return ConfigError(disk_problem(refusal))
    is_refused = type(cause).__name__ == "MisconfigurationException"  # by Lightning's Trainer
    if is_refused or isinstance(cause, HydraException | OmegaConfBaseException):
        rule = "the configuration must describe something that can be built"
        message = " ".join(str(cause).split())
        root = first_cause(error)
        if root is not cause and str(root) not in message:
            message += f" ({type(root).__name__}: {root})"
        return ConfigError(Problem(rule, message, "correct the key or the module that it names"))
    return None


def first_cause(error: BaseException) -> BaseException:
    """Follow a chain of exceptions to where it began."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
