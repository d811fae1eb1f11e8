"""The network that suits the data: TabM for tables, a ResNet for images."""

from typing import Annotated

from torch import nn

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.resnet import ResNet
from project.models.tabm import TabM


def auto(
    spec: DataSpec,
    *,
    width: Annotated[int | None, Range(1, 65536)] = None,
    depth: Annotated[int | None, Range(1, 1024)] = None,
    dropout: Annotated[float | None, Range(0, 1, "[)")] = None,
    budget_s: Annotated[float | None, Range(0, ends="()")] = None,
) -> nn.Module:
    """Build it; None is the network's own default, and that of a size may depend on the budget."""
    sizes = {"width": width, "depth": depth, "dropout": dropout, "budget_s": budget_s}
    network = TabM if spec.image_shape is None else ResNet
    return network(spec, **{name: size for name, size in sizes.items() if size is not None})  # type: ignore[arg-type]
