"""RealMLP: an MLP with the many small choices that made it good on tables."""

import math
from itertools import pairwise
from typing import Annotated, Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.embeddings import Categories, Periodic, count_columns

MOST_INPUTS = 8192  # of the first layer; embeddings of more columns are smaller
# Times optimizer.lr, as weights of size 1 take larger steps: of 0.002 they make 0.04 and 0.2, and
# 0.02 of a weight decay of 0.01.
FOR_CLASSES, FOR_VALUES, DECAY = 20.0, 100.0, 2.0


class RealMLP(nn.Module):
    """Embedded columns, each input scaled, then layers whose activation and dropout change.

    After Holzmueller, Grinsztajn and Steinwart, "Better by Default" (NeurIPS 2024,
    arxiv.org/abs/2407.04491), without label smoothing and initialisation by data. With it goes
    the schedule that `experiment=realmlp` has.

    Args:
        spec: describes the rows and the number of outputs.
        width: units of each hidden layer.
        depth: hidden layers, at least 1.
        dropout: share of units dropped behind each hidden layer during the first half of the
            training; it falls to 0 in the second.
        embedding: numbers that a category becomes, at most.
        frequencies: cosines of each number.
        sigma: how fast they are, see `Periodic`.
    """

    drop: Tensor

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int, Range(1, 65536)] = 256,
        depth: Annotated[int, Range(1, 1024)] = 3,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.15,
        embedding: Annotated[int, Range(1, 4096)] = 8,
        frequencies: Annotated[int, Range(1, 1024)] = 16,
        sigma: Annotated[float, Range(0, ends="()")] = 0.1,
    ) -> None:
        super().__init__()
        columns = count_columns(spec, "realmlp")
        most = max(2, MOST_INPUTS // columns)
        of_number, of_category = min(4, most), min(embedding, most)
        self.num_numbers = len(spec.numbers)
        self.numbers = (
            Periodic(len(spec.numbers), of_number, frequencies=frequencies, sigma=sigma)
            if spec.numbers
            else None
        )
        self.categories = Categories(spec.cardinalities, of_category) if spec.categories else None
        inputs = len(spec.numbers) * of_number + len(spec.categories) * of_category
        self.scale = nn.Parameter(torch.ones(inputs))
        self.layers = nn.ModuleList(
            NTKLinear(*pair) for pair in pairwise([inputs, *[width] * depth])
        )
        self.alpha = nn.Parameter(torch.ones(depth, width))
        self.head = NTKLinear(width, spec.num_outputs)
        self.dropout = dropout
        self.rate = FOR_VALUES if spec.is_regression else FOR_CLASSES
        # A tensor, as torch would compile anew for each number.
        self.register_buffer("drop", torch.tensor(dropout), persistent=False)

    def forward(self, x: Float32[Tensor, "batch features"]) -> Tensor:
        parts = []
        if self.numbers is not None:
            parts.append(self.numbers(x[:, : self.num_numbers]).flatten(1))
        if self.categories is not None:
            parts.append(self.categories(x[:, self.num_numbers :].long()).flatten(1))
        x = torch.cat(parts, dim=1) * self.scale  # (B, D)
        for layer, alpha in zip(self.layers, self.alpha, strict=True):
            x = layer(x)
            x = x + alpha * (F.mish(x) - x)  # alpha is learnt: 0 is a line, 1 is Mish
            if self.training and self.dropout > 0:
                keep = 1 - self.drop
                x = x * (torch.rand_like(x, dtype=torch.float32) < keep) / keep
        return self.head(x)  # (B, K) logits or (B, 1) values

    def parameter_groups(self) -> list[dict[str, Any]]:
        layers = [*self.layers, self.head]
        matrices = [layer.weight for layer in layers]
        matrices += [] if self.categories is None else [*self.categories.parameters()]
        waves = [] if self.numbers is None else [*self.numbers.parameters()]
        rate, biases = self.rate, [layer.bias for layer in layers]
        return [
            {"params": matrices, "lr": rate, "weight_decay": DECAY},
            {"params": biases, "lr": 0.1 * rate, "weight_decay": 0.0},
            {"params": [self.scale], "lr": 6 * rate, "weight_decay": 6 * DECAY},
            {"params": [*waves, self.alpha], "lr": 0.1 * rate, "weight_decay": 0.1 * DECAY},
        ]

    def set_progress(self, share: float) -> None:
        self.drop.fill_(self.dropout * flat_cos(share))


class NTKLinear(nn.Module):
    """A linear layer whose weights are all of size 1; their number is divided out."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.randn(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight, alpha=len(self.weight) ** -0.5)


def flat_cos(share: float) -> float:
    """Return 1 for the first half of a training, then half a cosine that falls to 0."""
    return 0.5 * (1 + math.cos(math.pi * (max(1.0, 2 * share) - 1)))
