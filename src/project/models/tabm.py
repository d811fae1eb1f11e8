"""TabM: an MLP of several members, on embeddings that bend at the edges of bins."""

from itertools import pairwise
from typing import Annotated, Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.embeddings import Categories, PiecewiseLinear, count_columns
from project.models.members import average_members

MOST_INPUTS = 4096  # of a member; embeddings of more columns are smaller
# Columns for a train row up to which the weight decay is as given, and how many times as much one
# more adds: where rows are few, columns of noise would be learnt by heart.
FEW_COLUMNS, DECAY = 1 / 8, 200.0
PRODUCTS_PER_S = 6.7e9  # of forward passes while training, on one core of a laptop
EPOCHS = 30  # that the budget is for


class TabM(nn.Module):
    """Members that share one MLP; each scales the embedded columns in a way of its own.

    After Gorishniy, Kotelnikov and Babenko, "TabM" (ICLR 2025, arxiv.org/abs/2410.24210), there
    TabM-mini: it has the gain of an ensemble at a fraction of its cost. Where a table has more
    columns than an eighth of its train rows, the weight decay grows with them.

    Args:
        spec: describes the rows, the edges of their numbers, and the number of outputs.
        members: of the ensemble; None takes 8, or fewer where these would take too long.
        budget_s: seconds that 30 epochs may take on one core of a CPU, where members is None.
        width: units of each hidden layer.
        depth: hidden layers, at least 1.
        dropout: share of units dropped behind each hidden layer while training.
        embedding: numbers that a column becomes, at most.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        members: Annotated[int | None, Range(1, 256)] = None,
        budget_s: Annotated[float, Range(0, ends="()")] = 180,
        width: Annotated[int, Range(1, 65536)] = 256,
        depth: Annotated[int, Range(1, 1024)] = 2,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.1,
        embedding: Annotated[int, Range(1, 4096)] = 16,
    ) -> None:
        super().__init__()
        columns = count_columns(spec, "tabm")
        size = min(embedding, max(2, MOST_INPUTS // columns))
        notes: list[str] = []
        if members is None:
            products = EPOCHS * spec.num_rows * width * (columns * size + (depth - 1) * width)
            most = budget_s * PRODUCTS_PER_S
            members = next((m for m in (8, 4, 2) if m * products <= most), 1)
            if members < 8:
                notes.append(f"fewer than 8 for model.budget_s={budget_s:g}")
        for_a_row = columns / spec.num_rows if spec.num_rows else 0.0
        self.decay = 1 + DECAY * max(0.0, for_a_row - FEW_COLUMNS)
        if self.decay > 1:
            notes.append(f"many columns for the rows: {self.decay:.3g} x the weight decay")
        if notes:
            self.note = "; ".join(notes)
        self.num_numbers, self.num_members = len(spec.numbers), members
        self.by_member = False  # True: while training, what each member says
        self.numbers = PiecewiseLinear(spec.edges, size) if spec.numbers else None
        self.categories = Categories(spec.cardinalities, size) if spec.categories else None
        # One random number for each column of each member is enough to make them differ.
        scale = torch.randn(members, columns, 1) if members > 1 else torch.ones(1, columns, 1)
        self.scale = nn.Parameter(scale.repeat(1, 1, size))  # (M, F + C, E)
        widths = [columns * size, *[width] * depth]
        layers: list[nn.Module] = []
        for before, behind in pairwise(widths):
            layers += [nn.Linear(before, behind), nn.ReLU(), nn.Dropout(dropout)]
        self.body = nn.Sequential(*layers)
        self.head = Heads(members, width, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch features"]) -> Tensor:
        parts = []
        if self.numbers is not None:
            parts.append(self.numbers(x[:, : self.num_numbers]))
        if self.categories is not None:
            parts.append(self.categories(x[:, self.num_numbers :].long()))
        columns = torch.cat(parts, dim=1)  # (B, F + C, E)
        members = (columns[:, None] * self.scale).flatten(2)  # (B, M, (F + C) * E)
        outputs = self.head(self.body(members))  # (B, M, K)
        return outputs if self.training and self.by_member else average_members(outputs)  # (B, K)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": [*self.parameters()], "weight_decay": self.decay}]


class Heads(nn.Module):
    """A linear layer for each member: (B, M, D) -> (B, M, K)."""

    def __init__(self, members: int, width: int, num_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(members, width, num_outputs))
        self.bias = nn.Parameter(torch.empty(members, num_outputs))
        for parameter in self.parameters():  # nn.Linear's own rule
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bmd,mdk->bmk", x, self.weight) + self.bias
