"""Build optimizer and scheduler: by a network's groups of parameters, told the number of steps."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from kindling.config.required import NUM_STEPS
from kindling.contract import GroupsParameters
from kindling.errors import ConfigError, Problem

FACTORS = {"lr", "weight_decay"}
# What torch's classes keep in their state of the number of steps.
FROM_NUM_STEPS = (
    *("num_steps", "total_steps", "T_max", "total_iters"),
    *("_milestones", "_schedule_phases"),
)


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
    given = getattr(make, "keywords", {})
    takes = [name for name in NUM_STEPS if name in inspect.signature(make).parameters]
    return make(optimizer, **{name: num_steps for name in takes if given.get(name) is None})


def forget_num_steps(state: dict[str, Any]) -> None:
    """Take out of a scheduler's saved state what the resumed training has its own number for.

    A run that is resumed with more epochs would else follow the cosine of the old ones up again.
    """
    for name in FROM_NUM_STEPS:
        state.pop(name, None)
    for inner in state.get("_schedulers", ()):
        forget_num_steps(inner)
