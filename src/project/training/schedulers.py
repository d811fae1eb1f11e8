"""The curves of the learning rate; any scheduler of torch's can be taken instead."""

from typing import Annotated, Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

from kindling.config.ranges import Range


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
    fall = CosineToShare(optimizer, max(1, num_steps - 1 - warmup), final_fraction)
    if warmup == 0:
        return fall
    rise = LinearLR(optimizer, start_factor=1 / (warmup + 1), total_iters=warmup)
    return SequentialLR(optimizer, [rise, fall], milestones=[warmup])


class CosineToShare(CosineAnnealingLR):
    """Half a cosine to a share of its rate for each group; torch's own has one end for all."""

    def __init__(self, optimizer: Optimizer, num_steps: int, share: float) -> None:
        highest = max(group["lr"] for group in optimizer.param_groups)
        super().__init__(optimizer, num_steps, eta_min=share * highest)

    def get_lr(self) -> list[Any]:
        return self._in_proportion(super().get_lr())

    def _get_closed_form_lr(self) -> list[Any]:  # where SequentialLR begins with it
        return self._in_proportion(super()._get_closed_form_lr())

    def _in_proportion(self, rates: list[Any]) -> list[Any]:
        """Give each group the share that the group of the highest rate has of its own."""
        highest = max(self.base_lrs)
        rate = rates[self.base_lrs.index(highest)]
        return [rate * (own / (highest or 1.0)) for own in self.base_lrs]
