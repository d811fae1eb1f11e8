"""Outputs and targets in, one number out: cross entropy or squared error."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.errors import ConfigError, Problem
from kindling.types import DataSpec


class Loss(nn.Module):
    """Mean loss of a batch, each row counted by its class's weight.

    Args:
        spec: says which task it is, and how many train rows each class has.
        class_weight: None, or "balanced": the rarer a class, the heavier each of its rows, so
            that all classes weigh the same (scikit-learn's rule: N / (K * count)).
    """

    class_weight: Tensor | None

    def __init__(self, spec: DataSpec, class_weight: str | None) -> None:
        super().__init__()
        self.is_regression = spec.is_regression
        if class_weight is not None and spec.is_regression:
            rule = "task.class_weight is for classes"
            raise ConfigError(Problem(rule, "a regression", "type task.class_weight=null"))
        weight = None
        if class_weight is not None:
            counts = torch.tensor(spec.class_counts, dtype=torch.float32)
            weight = counts.sum() / (len(counts) * counts)  # (K,)
        self.register_buffer("class_weight", weight, persistent=False)

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        if self.is_regression:
            # squeeze: (B, 1) against (B,) would broadcast to (B, B) without a word.
            return F.mse_loss(outputs.squeeze(1), y)
        return F.cross_entropy(outputs, y, weight=self.class_weight)

    def weights(self, targets: list[Tensor]) -> Tensor:
        """What each batch counts for in a mean over batches: (batches,), sizes on the CPU."""
        if self.class_weight is None:
            return torch.tensor([len(y) for y in targets])
        return torch.stack([self.class_weight[y].sum() for y in targets])
