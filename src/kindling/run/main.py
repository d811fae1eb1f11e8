"""From a command line to exit codes: what stands around `train.py` so that it has no branches."""

import atexit
import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser  # the parser that hydra.main itself uses
from omegaconf import DictConfig

from kindling.config.compose import register_resolvers
from kindling.config.overrides import check_overrides
from kindling.config.replay import replay
from kindling.config.values import check_values
from kindling.run.console import hide_adverts
from kindling.run.exit import exit_codes
from kindling.run.lr_find import find_lr

ASKS_HYDRA = ("help", "hydra_help", "shell_completion", "info")


def main(train: Callable[[DictConfig], float]) -> Callable[[], None]:
    """Wrap `train(cfg)`: check the command line, let Hydra compose, turn errors into exit codes."""
    root = Path(sys.modules[train.__module__].__file__ or "").resolve().parent
    conf = root / "conf"
    register_resolvers(root)

    @functools.wraps(train)
    def job(cfg: DictConfig) -> float:
        with exit_codes(debug=cfg.debug), no_empty_folder(cfg.run_dir):
            check_values(cfg)
            hide_adverts()
            return find_lr(cfg) if cfg.lr_find else train(cfg)

    @functools.wraps(train)  # train.__wrapped__(cfg) is the story itself
    def command() -> None:
        tune_process()
        arguments = get_args_parser().parse_args()
        with exit_codes(debug="debug=true" in arguments.overrides):
            if not any(getattr(arguments, name) for name in ASKS_HYDRA):
                overrides = replay(arguments.overrides)
                flags = [word for word in sys.argv[1:] if word not in arguments.overrides]
                sys.argv[1:] = flags + overrides
                check_overrides(overrides, conf, is_sweep=arguments.multirun)
            hydra.main(version_base="1.3", config_path=str(conf), config_name="train")(job)()

    return command


def tune_process() -> None:
    """Set what has to be set before torch is imported; measured with torch 2.13 on two cores."""
    # Threads that wait would spin: beside another busy process a CNN took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Imports make two million objects that stay: looking through them for garbage again and
    # again takes a second, and one more when Python ends.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


@contextmanager
def no_empty_folder(folder: str) -> Iterator[None]:
    """Take the run folder away again where nothing was put into it."""
    try:
        yield
    finally:
        with suppress(OSError):  # "not empty": the usual case
            Path(folder).rmdir()
