"""Learning-rate schedulers: torch's own, told how many steps the training has."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

from kindling.config.ranges import Range
from kindling.config.required import NUM_STEPS

# What torch's classes keep in their state of it.
FROM_NUM_STEPS = ("total_steps", "T_max", "total_iters", "_milestones", "_schedule_phases")


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


def warmup_cosine(
    optimizer: Optimizer,
    *,
    num_steps: int,
    warmup_fraction: Annotated[float, Range(0, 1, "[)")],
    final_fraction: Annotated[float, Range(0, 1)],
) -> LRScheduler:
    """Rise in a line from nearly 0, then fall along half a cosine.

    Args:
        optimizer: whose learning rates are the highest ones.
        num_steps: optimizer steps of the whole training.
        warmup_fraction: share of the steps that rise, in [0, 1).
        final_fraction: of the learning rate, at the last step, in [0, 1].
    """
    warmup = max(1, round(warmup_fraction * num_steps)) if warmup_fraction > 0 else 0
    lowest = final_fraction * optimizer.param_groups[0]["lr"]
    fall = CosineAnnealingLR(optimizer, T_max=max(1, num_steps - 1 - warmup), eta_min=lowest)
    if warmup == 0:
        return fall
    rise = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    return SequentialLR(optimizer, [rise, fall], milestones=[warmup])
