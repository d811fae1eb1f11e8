"""Build optimizer and scheduler: by a network's groups of parameters, told the number of steps."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from kindling.config.required import NUM_STEPS
from kindling.contract import GroupsParameters
from kindling.errors import ConfigError, Problem

FACTORS = {"lr", "weight_decay"}


def make_optimizer(make: Callable[..., Optimizer], network: nn.Module) -> Optimizer:
    """Build the optimizer of a network; frozen parameters have no gradient, so it leaves them.

    Where it has `parameter_groups()`, each group gets its own factors of the values that the
    optimizer was given: {"params": [...], "lr": 6.0, "weight_decay": 0.0}.

    Raises:
        ConfigError: a group has a key of another name, or no "params".
    """
    if not isinstance(network, GroupsParameters):
        return make(network.parameters())
    given = network.parameter_groups()
    for group in given:
        if not {"params"} <= {*group} <= {"params", *FACTORS}:
            rule = "a group of parameters has params, and may have factors of lr and weight_decay"
            fix = "correct parameter_groups of the network"
            raise ConfigError(Problem(rule, ", ".join(sorted(group)), fix))
    asked = [group for group in given if group["params"]]
    optimizer = make([{"params": group["params"]} for group in asked])
    for group, factors in zip(optimizer.param_groups, asked, strict=True):
        for name in FACTORS & {*group}:  # an optimizer may know no weight decay
            group[name] = group[name] * factors.get(name, 1.0)
    return optimizer


def count_steps(trainer: Any, num_batches: int, accumulate: int) -> tuple[int, int]:
    """Count the batches of an epoch, and the optimizer steps of the whole training.

    Lightning's own count would make the loaders, before a checkpoint has told where to begin.
    """
    limit = trainer.limit_train_batches  # a share or a number
    batches = min(num_batches, int(num_batches * limit) if isinstance(limit, float) else limit)
    steps = math.ceil(batches / accumulate) * (trainer.max_epochs or 1)
    return batches, min(steps, trainer.max_steps) if trainer.max_steps > 0 else steps


def make_scheduler(
    make: Callable[..., LRScheduler], optimizer: Optimizer, num_steps: int
) -> LRScheduler:
    """Build a scheduler; a number of steps that its YAML leaves out or null is the training's."""
    return make(optimizer, **dict.fromkeys(left_to_fill_in(make), num_steps))


def end_of_curve(make: Callable[..., LRScheduler], scheduler: LRScheduler, num_steps: int) -> float:
    """Return the optimizer step from which on a scheduler is not stepped any more.

    A curve over the whole training ends with it: more epochs, which `resume=` may ask for, keep
    the last rate. Another scheduler goes on for ever; one that looks at a metric counts no steps.
    """
    if isinstance(scheduler, ReduceLROnPlateau):
        return 0
    return num_steps if left_to_fill_in(make) else math.inf


def left_to_fill_in(make: Callable[..., LRScheduler]) -> list[str]:
    """List the names of the training's number of steps that a scheduler is to be told."""
    given = getattr(make, "keywords", {})
    takes = inspect.signature(make).parameters
    return [name for name in NUM_STEPS if name in takes and given.get(name) is None]
