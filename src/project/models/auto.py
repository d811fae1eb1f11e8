"""The network that suits the data: an MLP for tables, a CNN for images."""

from torch import nn

from kindling.types import DataSpec
from project.models.cnn import CNN
from project.models.mlp import MLP


def auto(
    spec: DataSpec,
    *,
    width: int | None = None,
    depth: int | None = None,
    dropout: float | None = None,
) -> nn.Module:
    """Build it; a size of None is the network's own default."""
    sizes = {"width": width, "depth": depth, "dropout": dropout}
    network = MLP if spec.image_shape is None else CNN
    return network(spec, **{name: size for name, size in sizes.items() if size is not None})  # type: ignore[arg-type]
