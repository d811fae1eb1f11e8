"""Losses: `task.loss` names the one that a training makes small; each is built for a DataSpec."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.types import DataSpec


class CrossEntropy(nn.Module):
    """Cross entropy of logits, each row counted by its class's weight.

    Args:
        spec: says how many train rows each class has.
        class_weight: None, or "balanced": the rarer a class, the heavier each of its rows, so
            that all classes weigh the same (scikit-learn's rule: N / (K * count)).
        label_smoothing: share of a label that is spread over all classes, in [0, 1).
    """

    class_weight: Tensor | None

    def __init__(
        self, spec: DataSpec, *, class_weight: str | None = None, label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.label_smoothing, weight = label_smoothing, None
        if class_weight is not None:
            counts = torch.tensor(spec.class_counts, dtype=torch.float32)
            weight = counts.sum() / (len(counts) * counts)  # (K,)
        self.register_buffer("class_weight", weight, persistent=False)

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        smoothing = self.label_smoothing
        return F.cross_entropy(outputs, y, weight=self.class_weight, label_smoothing=smoothing)

    def batch_weights(self, targets: list[Tensor]) -> Tensor:
        """Return what each batch counts for in a mean over batches: (batches,)."""
        if self.class_weight is None:
            return torch.tensor([len(y) for y in targets])
        return torch.stack([self.class_weight[y].sum() for y in targets])


class SquaredError(nn.Module):
    """Mean squared error of standardised values."""

    def __init__(self, spec: DataSpec) -> None:
        super().__init__()

    def forward(self, outputs: Tensor, y: Tensor) -> Tensor:
        # squeeze: (B, 1) against (B,) would broadcast to (B, B) without a word.
        return F.mse_loss(outputs.squeeze(1), y)


def default_loss(
    spec: DataSpec, *, class_weight: str | None = None, label_smoothing: float | None = None
) -> nn.Module:
    """Choose cross entropy for classes, the squared error for values.

    Raises:
        ConfigError: a regression was given what only classes can have.
    """
    given = {"class_weight": class_weight, "label_smoothing": label_smoothing}
    for_classes: dict[str, Any] = {name: some for name, some in given.items() if some is not None}
    if not spec.is_regression:
        return CrossEntropy(spec, **for_classes)  # what is not given is as CrossEntropy has it
    keys = {"class_weight": "task.class_weight", "label_smoothing": "task.loss.label_smoothing"}
    problems = [
        Problem(f"{keys[name]} is for classes", "a regression", Setting(keys[name], None))
        for name in for_classes
    ]
    if problems:
        raise ConfigError(*problems)
    return SquaredError(spec)
