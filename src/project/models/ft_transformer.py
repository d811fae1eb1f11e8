"""FT-Transformer: every column of a table becomes a token, and tokens look at each other."""

import math
from typing import Annotated

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.types import DataSpec
from project.models.attention import Block, check_heads
from project.models.embeddings import Categories, PiecewiseLinear, count_columns

# Weights of attention for a row: each head has one for each pair of tokens. Of 1,024 rows, which
# are evaluated at once, these take 1 GB, and all that is computed with them 2.6 GB.
MOST_WEIGHTS = 2**18


class FTTransformer(nn.Module):
    """Tokens of columns and one more ("CLS"), which asks them all and is then read.

    After Gorishniy, Rubachev, Khrulkov and Babenko, "Revisiting Deep Learning Models for Tabular
    Data" (NeurIPS 2021, arxiv.org/abs/2106.11959); numbers are embedded with bends, see
    `PiecewiseLinear`, and it is smaller. Its cost grows with the square of the columns.

    Args:
        spec: describes the rows, the edges of their numbers, and the number of outputs.
        width: of a token, a multiple of heads.
        depth: blocks, at least 1.
        heads: of an attention.
        dropout: share of weights of attention and of hidden units dropped while training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int, Range(1, 65536)] = 64,
        depth: Annotated[int, Range(1, 1024)] = 2,
        heads: Annotated[int, Range(1, 1024)] = 4,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.1,
    ) -> None:
        super().__init__()
        check_heads(width, heads)
        _check_columns(spec, heads)
        self.num_numbers = len(spec.numbers)
        self.numbers = PiecewiseLinear(spec.edges, width) if spec.numbers else None
        self.categories = Categories(spec.cardinalities, width) if spec.categories else None
        if spec.categories:  # says which column it is: unknown and missing begin as zeros
            bias = torch.empty(len(spec.categories), width).uniform_(-1, 1)
            self.category_bias = nn.Parameter(bias)
        self.cls_token = nn.Parameter(torch.empty(width).uniform_(-1, 1))
        # Embeddings are of one size already: the paper leaves out the norm in front of all blocks.
        self.blocks = nn.ModuleList(
            Block(width, heads, dropout, norm_first=number > 0) for number in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch features"]) -> Tensor:
        tokens = [self.cls_token.expand(x.shape[0], 1, -1)]  # (D,) -> (B, 1, D)
        if self.numbers is not None:
            tokens.append(self.numbers(x[:, : self.num_numbers]))
        if self.categories is not None:
            tokens.append(self.categories(x[:, self.num_numbers :].long()) + self.category_bias)
        x = torch.cat(tokens, dim=1)  # (B, 1 + F + C, D)
        *blocks, last = self.blocks
        for block in blocks:
            x = block(x)
        answer = last(x, num_queries=1)[:, 0]  # (B, 1 + F + C, D) -> (B, D); no other token is read
        return self.head(self.norm(answer).relu())  # (B, K) logits or (B, 1) values


def _check_columns(spec: DataSpec, heads: int) -> None:
    """Say what to type for images, and for tables whose attention would fill the memory."""
    columns = count_columns(spec, "ft_transformer", "cct")
    most = math.isqrt(MOST_WEIGHTS // heads) - 1
    if columns > most:
        rule = f"model=ft_transformer with {heads} heads takes at most {most} columns"
        got = f"{len(spec.numbers)} numbers and {len(spec.categories)} categories"
        raise ConfigError(Problem(rule, got, Setting("model", "tabm")))
