"""The schedule of RealMLP: a learning rate in four waves, and a weight decay that falls."""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from project.models.realmlp import flat_cos


class CosLog4(LRScheduler):
    """Four waves from 0 to the full rate and back, each twice as long as the one before.

    The weight decay stays for half of the training, then falls to 0. After Holzmueller, Grinsztajn
    and Steinwart, "Better by Default" (NeurIPS 2024, arxiv.org/abs/2407.04491), section 3. The best
    weights are those of the last valley, mostly: early stopping must wait for it.

    Args:
        optimizer: whose learning rates are the highest ones.
        num_steps: optimizer steps of the whole training.
    """

    def __init__(self, optimizer: Optimizer, *, num_steps: int) -> None:
        self.num_steps = num_steps
        for group in optimizer.param_groups:  # kept there, a resumed training still has it
            group.setdefault("initial_weight_decay", group.get("weight_decay", 0.0))
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        share = (self.last_epoch + 0.5) / self.num_steps  # its middle: no step has a rate of 0
        for group in self.optimizer.param_groups:
            if "weight_decay" in group:
                group["weight_decay"] = group["initial_weight_decay"] * flat_cos(share)
        height = 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * share)))
        return [rate * height for rate in self.base_lrs]
