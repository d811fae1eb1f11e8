"""Try optimizer and scheduler before the training: what torch refuses, whose rate counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig, OmegaConf

from kindling.contract import TriesRates
from kindling.errors import ConfigError, Problem

OTHER_RATE = 1.5  # times the rate asked for: does the scheduler's first rate follow?
NUM_STEPS = 1000  # of the scheduler that is tried; the training's are known to the Trainer only


def try_rates(cfg: DictConfig, task: Any) -> str:
    """Build both and throw them away; say it where the scheduler overrules a learning rate.

    Raises:
        ConfigError: torch refuses a value.
    """
    if not isinstance(task, TriesRates) or "lr" not in cfg.optimizer:
        return ""
    rates, own = [], []
    for times in (1.0, OTHER_RATE):
        with refused("optimizer"):
            optimizer = task.optimizer_for(task.network)
        for group in optimizer.param_groups:
            group["lr"] = group["lr"] * times
        own.append({float(group["lr"]) for group in optimizer.param_groups})
        with refused("scheduler"):
            task.schedule(optimizer, NUM_STEPS)
        rates.append([float(group["lr"]) for group in optimizer.param_groups])
    name = str(cfg.scheduler.get("_target_")).rpartition(".")[2]
    if len(own[0]) > 1 and len({*rates[0]}) == 1:
        return f"{name} gives all parameters one learning rate; the network's factors are not used"
    written = str(OmegaConf.to_container(cfg.scheduler, resolve=False))
    if rates[0] != rates[1] or "${optimizer.lr}" in written:
        return ""
    unused = f"optimizer.lr={cfg.optimizer.lr} is not used"
    return f"{name} sets the learning rate by its own keys; {unused}"


@contextmanager
def refused(group: str) -> Iterator[None]:
    """Turn what torch says of a value into words for the user."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        got = " ".join(str(error).split())
        rule = f"torch must take the values of {group}"
        raise ConfigError(Problem(rule, got, f"correct the keys of {group}")) from error
