"""How far along the training is in; the factor on the learning rate out."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cosine:
    """Rise in a line from nearly 0, then fall along half a cosine.

    Args:
        num_steps: optimizer steps of the whole training.
        warmup_fraction: share of the steps that rise, in [0, 1).
        final_fraction: factor at the last step, in [0, 1].
    """

    num_steps: int
    warmup_fraction: float
    final_fraction: float

    def __call__(self, step: int) -> float:
        warmup = self.warmup_fraction * self.num_steps
        if step < warmup:
            return (step + 1) / (warmup + 1)
        progress = min(1.0, (step - warmup) / max(1.0, self.num_steps - 1 - warmup))
        fall = 0.5 * (1 + math.cos(math.pi * progress))
        return self.final_fraction + (1 - self.final_fraction) * fall


@dataclass(frozen=True)
class Constant:
    """The full learning rate at every step."""

    num_steps: int

    def __call__(self, step: int) -> float:
        return 1.0
