"""Turn `train(cfg)` into the command `python train.py`, and into what a notebook calls.

So train.py has no branches: here the command line is checked, Hydra composes, and errors become
exit codes, or exceptions in a notebook.
"""

from kindling.trainer.signals import STOP, Stopped  # first: Ctrl-C is answered from here on

# isort: split
import atexit
import functools
import gc
import math
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path

import hydra
from hydra._internal.utils import get_args_parser  # the parser that hydra.main itself uses
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from kindling.config.compose import register_resolvers
from kindling.config.keys import exists
from kindling.config.notebook import compose_edited
from kindling.config.overrides import check_overrides, with_trainer_keys
from kindling.config.replay import refuse_other_settings, replay, take_over_choices
from kindling.config.run_state import LATER, begin_anew, chosen_run, finished_value
from kindling.config.values import check_values
from kindling.fixes import ARGUMENTS, OVERRIDES, settings_are, speaking
from kindling.run.console import hide_adverts
from kindling.run.exit import exit_codes, user_errors
from kindling.run.launch import launch, needs_launch
from kindling.run.lock import locked
from kindling.run.stopped import Sweep, told_how_to_go_on
from kindling.run.worker import (
    ended_at_once,
    is_other,
    is_worker,
    join_others,
    take_over_processes,
)

ASKS_HYDRA = ("help", "hydra_help", "shell_completion", "info")


def main(train: Callable[[DictConfig], float]) -> Callable[..., float | None]:
    """Wrap `train(cfg)`: without an argument it is the command line, with one it runs here.

    With a configuration of `kindling.compose` it returns the best monitored value, and raises
    ConfigError and DataError. `train.__wrapped__(cfg)` is the function itself, without checks.
    """
    script = Path(sys.modules[train.__module__].__file__ or "").resolve()
    root = script.parent
    conf = root / "conf"
    register_resolvers(root)

    def run(cfg: DictConfig) -> float:
        settings_are(
            functools.partial(OmegaConf.select, cfg),
            functools.partial(exists, OmegaConf.to_container(cfg, resolve=False)),
        )
        run = Path(cfg.run_dir)
        with nullcontext() if is_other() else STOP.at_last(lambda: remove_empty(run)):
            hide_adverts()
            take_over_choices(cfg)
            refuse_other_settings(cfg)
            if (value := finished_value(cfg)) is not None:
                return value
            if is_worker():
                return as_one_of_several(cfg, train)
            return launch(cfg, script) if needs_launch(cfg) else alone(cfg, train)

    sweep = Sweep()

    @functools.wraps(train)
    def job(cfg: DictConfig) -> float:
        going_on = sweep.run(cfg) if is_multirun() else nullcontext()
        with going_on, exit_codes(debug=cfg.debug):
            check_values(cfg)
            return run(cfg)
        return math.nan  # to a sweeper: it failed

    @functools.wraps(train)
    def command(cfg: DictConfig | None = None) -> float | None:
        tune_process()
        if cfg is not None:
            register_resolvers(root)
            with speaking(ARGUMENTS), user_errors():
                return run(compose_edited(cfg, conf))
        arguments = get_args_parser().parse_args()
        is_debug = "debug=true" in arguments.overrides
        with ended_at_once(), STOP.listening(), speaking(OVERRIDES), exit_codes(debug=is_debug):
            join_others(is_sweep=arguments.multirun)
            if not any(getattr(arguments, name) for name in ASKS_HYDRA):
                typed = with_trainer_keys(arguments.overrides, conf)
                typed = typed if arguments.multirun else chosen_run(typed, conf)
                overrides = replay(typed, is_sweep=arguments.multirun)
                flags = [word for word in sys.argv[1:] if word not in arguments.overrides]
                sys.argv[1:] = flags + overrides
                check_overrides(overrides, conf, is_sweep=arguments.multirun)
            hydra.main(version_base="1.3", config_path=str(conf), config_name="train")(job)()
            sweep.end()
        return None  # Hydra keeps the values of its jobs for a sweeper

    return command


def alone(cfg: DictConfig, train: Callable[[DictConfig], float]) -> float:
    """Train in this process."""
    run = Path(cfg.run_dir)
    with locked(run), told_how_to_go_on(run):
        begin_anew(cfg)
        return find_lr(cfg) if cfg.lr_find else train(cfg)


def as_one_of_several(cfg: DictConfig, train: Callable[[DictConfig], float]) -> float:
    """Train beside the other processes of the run; the first one alone writes to its folder."""
    from kindling.distributed import WORLD, of_first

    take_over_processes(cfg)
    with ExitStack() as stack:
        stack.push(stop_together)
        if WORLD.is_first:
            run = Path(cfg.run_dir)
            stack.enter_context(locked(run))
            stack.enter_context(told_how_to_go_on(run))
            begin_anew(cfg)
        else:
            for key in {*LATER} & cfg.keys():  # a project may do without one of them
                cfg[key] = False
        cfg.resume = of_first(cfg.resume)  # nobody goes on before the first has the folder
        return train(cfg)


def stop_together(_type: object, error: BaseException | None, _trace: object) -> None:
    """Let no process end before the first one is through: its end would cut that short."""
    if isinstance(error, Stopped):
        from kindling.distributed import gather

        gather(None)


def is_multirun() -> bool:
    """Say whether Hydra runs this job as one of several."""
    return HydraConfig.get().mode == RunMode.MULTIRUN


def tune_process() -> None:
    """Set what has to be set before torch is imported; measured with torch 2.13 on two cores."""
    # What Hydra itself cannot do, such as make the run's folder, is told as all else is.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    # Threads that wait would spin: beside another busy process a CNN took ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Imports make two million objects that stay: looking through them for garbage again and
    # again takes a second, and one more when Python ends.
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def remove_empty(folder: Path) -> None:
    """Take a run folder away again where nothing was put into it, and the one around it."""
    with suppress(OSError):  # "not empty": the usual case
        folder.rmdir()
        folder.parent.rmdir()


def find_lr(cfg: DictConfig) -> float:
    """Try rising learning rates on the network that would be trained; return the one to take."""
    from lightning import seed_everything  # late, as all that follows: it imports torch

    from kindling.formatting import short_path
    from kindling.run.build import build_data, build_task, build_trainer
    from kindling.run.console import show_plan
    from kindling.run.plan import print_plan
    from kindling.trainer.lr_range import find_rates, write_rates

    cfg.trainer.devices = 1
    seed_everything(cfg.seed, verbose=False)
    data = build_data(cfg)
    task = build_task(cfg, data)
    trainer = build_trainer(cfg, data, task)
    print_plan(cfg, data, task, trainer)
    rate = write_rates(find_rates(data, task, trainer), cfg.optimizer.lr, Path(cfg.run_dir))
    picture = short_path(f"{cfg.run_dir}/lr_find.png")
    show_plan({"type": f"optimizer.lr={rate:g}", "picture": picture})
    return rate
