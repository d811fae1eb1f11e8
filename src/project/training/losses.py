"""Losses: `task.loss` names the one that a training makes small; each is built for a DataSpec."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.config.ranges import Range
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
        self,
        spec: DataSpec,
        *,
        class_weight: str | None = None,
        label_smoothing: Annotated[float, Range(0, 1, "[)")] = 0.0,
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


def make_loss(
    loss: Callable[..., nn.Module], spec: DataSpec, *, class_weight: str | None
) -> nn.Module:
    """Build a loss; one that weighs no classes is not asked to.

    Raises:
        ConfigError: a class weight is asked of a loss that takes none.
    """
    if class_weight is None:
        return loss(spec)
    taken = inspect.signature(loss).parameters.values()
    if not any(p.name == "class_weight" or p.kind is p.VAR_KEYWORD for p in taken):
        name = getattr(getattr(loss, "func", loss), "__name__", "this loss")
        rule = "task.class_weight is for losses that take class_weight"
        raise ConfigError(
            Problem(rule, f"{name}, which does not", Setting("task.class_weight", None))
        )
    return loss(spec, class_weight=class_weight)


def default_loss(
    spec: DataSpec,
    *,
    class_weight: str | None = None,
    label_smoothing: Annotated[float | None, Range(0, 1, "[)")] = None,
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
