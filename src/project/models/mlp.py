"""A multi-layer perceptron for tables; images are flattened, so it runs on both."""

from itertools import accumulate
from typing import Annotated

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.config.ranges import Range
from kindling.types import DataSpec


class MLP(nn.Module):
    """Hidden layers of equal width, then a linear one: rows in, logits or one value out.

    Args:
        spec: describes the rows and the number of outputs.
        width: units of each hidden layer.
        depth: hidden layers, at least 1.
        dropout: share of units dropped behind each hidden layer while training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int, Range(1, 65536)] = 256,
        depth: Annotated[int, Range(1, 1024)] = 2,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.2,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [RowLinear(spec, width), nn.ReLU(), nn.Dropout(dropout)]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch ..."]) -> Tensor:
        x = x.flatten(1)  # (B, channels, H, W) -> (B, F); a row of a table is (B, F + C) already
        return self.head(self.body(x))  # (B, K) logits or (B, 1) values


class RowLinear(nn.Module):
    """A linear layer on a row's F numbers and C codes.

    `weight` has a row for each number, `embedding` one for each code of each column. Those of a
    row's codes are looked up and summed: what a one-hot encoding and a linear layer would compute,
    without writing the zeros down. A table without numbers has no `weight`, one without categories
    no `embedding`. Unknown and missing start at zero: where train has none of them, they are never
    learnt, and add nothing.
    """

    offsets: Tensor

    def __init__(self, spec: DataSpec, width: int) -> None:
        super().__init__()
        self.num_numbers = spec.num_numbers
        *offsets, num_codes = accumulate(spec.cardinalities, initial=0)
        self.register_buffer("offsets", torch.tensor(offsets).long(), persistent=False)  # (C,)
        self.weight = matrix(spec.num_numbers, width)
        self.embedding = matrix(num_codes, width)
        self.bias = nn.Parameter(torch.empty(width))
        bound = (spec.num_numbers + len(spec.cardinalities)) ** -0.5  # nn.Linear's own rule
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        if self.embedding is not None:
            with torch.no_grad():  # autograd refuses changes in place of what it watches
                self.embedding[self.offsets] = 0.0  # code 0 of each column: unknown
                self.embedding[self.offsets + 1] = 0.0  # code 1: missing

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.bias  # (D,)
        if self.weight is not None:
            numbers = soft_clip(x[:, : self.num_numbers])
            out = torch.addmm(out, numbers, self.weight)  # bias + (B, F) @ (F, D) -> (B, D)
        if self.embedding is not None:
            codes = x[:, self.num_numbers :].long() + self.offsets  # (B, C)
            out = out + F.embedding(codes, self.embedding).sum(dim=1)  # (B, C, D) -> (B, D)
        return out


def matrix(rows: int, width: int) -> nn.Parameter | None:
    """Make room for a matrix of weights; for one without rows there is nothing to learn."""
    return nn.Parameter(torch.empty(rows, width)) if rows else None


def soft_clip(x: Tensor, limit: float = 3.0) -> Tensor:
    """Bend standardised numbers so that none leaves (-limit, limit); small ones stay as they are.

    One outlier in a raw table can be a hundred scales away and would steer the whole layer
    (Holzmueller et al., "Better by default", NeurIPS 2024, section 3).
    """
    return x * (1 + (x / limit) ** 2).rsqrt()
