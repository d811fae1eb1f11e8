"""Turn each column of a table's row into a vector, for networks that look at columns."""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.types import DataSpec
from project.models.mlp import soft_clip


def count_columns(spec: DataSpec, model: str, for_images: str = "resnet") -> int:
    """Count F + C; of images say what to type instead of a model for tables."""
    if spec.image_shape is not None:
        got = "images of {}x{}x{}".format(*spec.image_shape)
        raise ConfigError(Problem(f"model={model} takes tables", got, Setting("model", for_images)))
    return len(spec.numbers) + len(spec.categories)


class PiecewiseLinear(nn.Module):
    """Embed F numbers: a line for each, and a bend at each edge of its bins.

    What lies beyond the train rows counts as their farthest. After Gorishniy, Rubachev and Babenko,
    "On Embeddings for Numerical Features" (NeurIPS 2022, arxiv.org/abs/2203.05556).
    """

    low: Tensor
    length: Tensor
    first: Tensor
    last: Tensor

    def __init__(self, edges: Sequence[Sequence[float]], size: int) -> None:
        super().__init__()
        bins = max(map(len, edges)) - 1
        low, length = torch.zeros(len(edges), bins), torch.full((len(edges), bins), torch.inf)
        for k, some in enumerate(edges):  # a bin that a number lacks is endless: always at 0
            ends = torch.tensor(some)
            low[k, : len(some) - 1], length[k, : len(some) - 1] = ends[:-1], ends.diff()
        self.register_buffer("low", low, persistent=False)  # (F, bins): they stand in the spec
        self.register_buffer("length", length, persistent=False)
        ends = torch.tensor([[some[0], some[-1]] for some in edges])
        self.register_buffer("first", ends[:, 0], persistent=False)  # (F,)
        self.register_buffer("last", ends[:, 1], persistent=False)
        self.weight = nn.Parameter(torch.zeros(len(edges), bins, size))  # starts as a line
        self.slope = nn.Parameter(torch.empty(len(edges), size).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(len(edges), size).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x.clamp(self.first, self.last)  # (B, F)
        shares = ((x[:, :, None] - self.low) / self.length).clamp(0, 1)  # (B, F, bins)
        bends = torch.einsum("bfk,fke->bfe", shares, self.weight)
        return bends + soft_clip(x)[:, :, None] * self.slope + self.bias  # (B, F, E)


class Periodic(nn.Module):
    """Embed F numbers: each itself, and a mix of cosines of it.

    PBLD after Holzmueller, Grinsztajn and Steinwart, "Better by Default" (NeurIPS 2024,
    arxiv.org/abs/2407.04491), table A.1.

    Args:
        num_numbers: F.
        size: numbers that each becomes, itself among them.
        frequencies: cosines that are mixed.
        sigma: how many periods lie in one scale of a number.
    """

    def __init__(self, num_numbers: int, size: int, *, frequencies: int, sigma: float) -> None:
        super().__init__()
        self.frequency = nn.Parameter(sigma * torch.randn(num_numbers, frequencies))
        self.phase = nn.Parameter(torch.empty(num_numbers, frequencies).uniform_(-math.pi, math.pi))
        bound = frequencies**-0.5
        self.weight = nn.Parameter(torch.empty(num_numbers, frequencies, size - 1))
        self.bias = nn.Parameter(torch.empty(num_numbers, size - 1))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        x = soft_clip(x)[:, :, None]  # (B, F, 1)
        waves = torch.cos(2 * math.pi * self.frequency * x + self.phase)  # (B, F, N)
        mixed = torch.einsum("bfn,fne->bfe", waves, self.weight) + self.bias
        return torch.cat([x, mixed], dim=2)  # (B, F, E)


class Categories(nn.Module):
    """Embed the codes of C columns; what no train row had adds nothing, as in `RowLinear`."""

    offsets: Tensor

    def __init__(self, cardinalities: Sequence[int], size: int) -> None:
        super().__init__()
        *offsets, num_codes = accumulate(cardinalities, initial=0)
        self.register_buffer("offsets", torch.tensor(offsets).long(), persistent=False)  # (C,)
        self.weight = nn.Parameter(torch.empty(num_codes, size).uniform_(-1, 1))
        with torch.no_grad():
            self.weight[self.offsets] = 0.0  # unknown
            self.weight[self.offsets + 1] = 0.0  # missing

    def forward(self, codes: Tensor) -> Tensor:
        return F.embedding(codes + self.offsets, self.weight)  # (B, C) -> (B, C, E)
