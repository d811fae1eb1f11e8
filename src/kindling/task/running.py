"""Batches in, the mean loss and one metric of an epoch out; the device is asked at its end."""

import torch
from torch import Tensor

from kindling.task.loss import Loss
from kindling.task.metrics import HEADLINE
from kindling.types import DataSpec


class RunningMeans:
    """Losses and sums of one epoch of one stage; what the device computes stays there."""

    def __init__(self, spec: DataSpec, loss: Loss, device: torch.device) -> None:
        self.spec, self.loss = spec, loss
        self.losses: list[Tensor] = []
        self.weights: list[Tensor] = []
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self.squares = torch.zeros((), device=device)
        self.num_rows = 0

    def add(self, losses: list[Tensor], outputs: list[Tensor], targets: list[Tensor]) -> None:
        """Count batches by their mean losses, outputs (B, K) or (B, 1), and targets (B,)."""
        self.losses.append(torch.stack(losses))
        self.weights.append(self.loss.weights(targets))
        self.judge(torch.cat(outputs), torch.cat(targets))

    def judge(self, outputs: Tensor, y: Tensor) -> None:
        """Hold outputs (N, K) or (N, 1) against their targets (N,)."""
        self.num_rows += len(y)
        if not self.spec.is_regression:
            self.correct += (outputs.argmax(dim=1) == y).sum()
        elif self.spec.target_transform == "log1p":
            errors = self.in_unit(outputs.squeeze(1)) - self.in_unit(y)
            self.squares += errors.square().sum()

    def in_unit(self, standardised: Tensor) -> Tensor:
        """Turn standardised logarithms back into the target's unit."""
        return torch.expm1(standardised * self.spec.target_scale + self.spec.target_mean)

    def compute(self, stage: str) -> dict[str, float]:
        """Take the numbers out: the only place where the CPU waits for the device."""
        losses, weights = (torch.cat(each).cpu().double() for each in (self.losses, self.weights))
        loss = (losses @ weights / weights.sum()).item()
        if self.spec.target_transform == "log1p":
            headline = (self.squares / self.num_rows).sqrt().item()
        elif self.spec.is_regression:
            headline = loss**0.5 * self.spec.target_scale  # the loss is a squared error
        else:
            headline = self.correct.item() / self.num_rows
        return {f"{stage}/loss": loss, f"{stage}/{HEADLINE[self.spec.task]}": headline}
