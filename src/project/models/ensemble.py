"""Several networks of one kind, trained side by side: together they predict better than each."""

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.cnn import CNN
from project.models.members import average_members
from project.models.mlp import MLP
from project.models.realmlp import RealMLP
from project.models.resnet import ResNet

NETWORKS = {"mlp": MLP, "realmlp": RealMLP, "resnet": ResNet, "cnn": CNN}


class Ensemble(nn.Module):
    """Members that differ by what was drawn: their first weights, and their dropout.

    It costs what the members would cost one after the other, but is one run, one bundle, one
    export. Stacked weights and products of batches take as long on a CPU, for networks this small.
    The loss is the mean of theirs: Adam's steps stay as they are, SGD's are a member's share.

    Args:
        spec: describes the rows and the number of outputs.
        network: what each member is.
        members: how many.
        width: of each, and so are depth and dropout; None is the network's own.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        network: Literal["mlp", "realmlp", "resnet", "cnn"] = "mlp",
        members: Annotated[int, Range(1, 256)] = 8,
        width: Annotated[int | None, Range(1, 65536)] = None,
        depth: Annotated[int | None, Range(1, 1024)] = None,
        dropout: Annotated[float | None, Range(0, 1, "[)")] = None,
    ) -> None:
        super().__init__()
        sizes = {"width": width, "depth": depth, "dropout": dropout}
        given = {name: size for name, size in sizes.items() if size is not None}
        self.members = nn.ModuleList(NETWORKS[network](spec, **given) for _ in range(members))
        self.num_members = members
        self.by_member = False  # True: while training, what each member says

    def forward(self, x: Tensor) -> Tensor:
        outputs = torch.stack([member(x) for member in self.members], dim=1)  # (B, M, K)
        return outputs if self.training and self.by_member else average_members(outputs)  # (B, K)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Join the groups of the members: the first of each, the second of each, ..."""
        if not hasattr(self.members[0], "parameter_groups"):
            return [{"params": [*self.parameters()]}]
        of_members: Any = zip(*(member.parameter_groups() for member in self.members), strict=True)  # type: ignore[operator]
        return [
            groups[0] | {"params": [p for group in groups for p in group["params"]]}
            for groups in of_members
        ]

    def set_progress(self, share: float) -> None:
        for member in self.members:
            if hasattr(member, "set_progress"):
                member.set_progress(share)  # type: ignore[operator]
