"""From a command line to exit codes: what stands around `train.py` so that it has no branches."""

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser  # the parser that hydra.main itself uses
from hydra.errors import InstantiationException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from kindling.errors import ConfigError, Problem, UserError
from kindling.run.compose import register_resolvers
from kindling.run.console import hide_adverts, show_problems
from kindling.run.overrides import check_overrides
from kindling.run.resume import replay
from kindling.run.values import check_values

ASKS_HYDRA = ("help", "hydra_help", "shell_completion", "info")
NO_TARGET = "Error locating target"  # how Hydra's message of a wrong _target_ begins
INTERRUPTED, TERMINATED = 130, 143


def main(train: Callable[[DictConfig], float]) -> Callable[[], None]:
    """Wrap `train(cfg)`: check the command line, let Hydra compose, turn errors into exit codes.

    Exit codes: 0 done, 1 a fault of ours with its traceback, 2 configuration, 3 data,
    130 interrupted, 143 terminated.
    """
    root = Path(sys.modules[train.__module__].__file__ or "").resolve().parent
    conf = root / "conf"
    register_resolvers(root)

    @functools.wraps(train)
    def job(cfg: DictConfig) -> float:
        with exit_codes(debug=cfg.debug), no_empty_folder(cfg.run_dir):
            check_values(cfg)
            hide_adverts()
            return train(cfg)

    @functools.wraps(train)  # train.__wrapped__(cfg) is the story itself
    def command() -> None:
        arguments = get_args_parser().parse_args()
        with exit_codes(debug="debug=true" in arguments.overrides):
            if not any(getattr(arguments, name) for name in ASKS_HYDRA):
                overrides = replay(arguments.overrides)
                flags = [word for word in sys.argv[1:] if word not in arguments.overrides]
                sys.argv[1:] = flags + overrides
                check_overrides(overrides, conf, is_sweep=arguments.multirun)
            hydra.main(version_base="1.3", config_path=str(conf), config_name="train")(job)()

    return command


@contextmanager
def no_empty_folder(folder: str) -> Iterator[None]:
    """Take the run folder away again where nothing was put into it."""
    try:
        yield
    finally:
        with suppress(OSError):  # "not empty": the usual case
            Path(folder).rmdir()


@contextmanager
def exit_codes(*, debug: bool) -> Iterator[None]:
    """Leave the process with the exit code that belongs to whatever went wrong inside."""
    try:
        yield
    except Exception as error:
        user_error = as_user_error(error)
        if user_error is None or debug:
            traceback.print_exception(error)
        if user_error is None:
            sys.exit(1)
        show_problems(user_error)
        sys.exit(user_error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as stop:
        # Lightning leaves with 1 after Ctrl-C and with 0 after SIGTERM.
        if isinstance(stop.__context__, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        if type(stop).__name__ == "SIGTERMException":
            sys.exit(TERMINATED)
        raise


def as_user_error(error: BaseException) -> UserError | None:
    """Find the user's error behind an exception, or None where the fault is ours."""
    cause: BaseException | None = error
    while isinstance(cause, InstantiationException) and cause.__cause__ is not None:
        if str(cause).startswith(NO_TARGET):
            break
        cause = cause.__cause__  # Hydra wraps what a constructor raises
    if isinstance(cause, UserError):
        return cause
    is_refused = type(cause).__name__ == "MisconfigurationException"  # by Lightning's Trainer
    if is_refused or isinstance(cause, InstantiationException | OmegaConfBaseException):
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
