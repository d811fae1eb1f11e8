"""Put a network and all that was fitted around it into one torch module, which can be exported."""

import copy

import torch
from torch import Tensor, nn

from kindling.export.features import Features
from kindling.export.scalers import MISSING_CODE, RowScaler
from kindling.images.image_schema import ImageSchema
from kindling.images.pixel_scaling import PixelScaler
from kindling.tables.column_types import MISSING
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

UNKNOWN_CODE = 0.0


class Program(nn.Module):
    """Says what `predict` says: probabilities (B, K), or values (B,) in the target's unit.

    Everything that was fitted is a buffer of it, so that it can leave this project as one file.

    Args:
        network: the trained network; a copy of it is taken.
        spec: describes the data.
        schema: describes the columns or the images.
        preprocessor: of a table; None for images.
    """

    target_mean: Tensor
    target_scale: Tensor

    def __init__(
        self,
        network: nn.Module,
        spec: DataSpec,
        schema: TableSchema | ImageSchema,
        preprocessor: TablePreprocessor | None,
    ) -> None:
        super().__init__()
        self.is_regression, self.transform = spec.is_regression, spec.target_transform
        self.front: nn.Module = PixelScaler(spec.pixel_mean, spec.pixel_scale)
        if preprocessor is not None and isinstance(schema, TableSchema):
            self.front = nn.Sequential(Features(schema, preprocessor), RowScaler(preprocessor))
        self.network = detached_copy(network)
        for name in ("target_mean", "target_scale"):
            self.register_buffer(name, torch.tensor(getattr(spec, name), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        outputs = self.network(self.front(x)).double()  # as read_outputs: float64 from here on
        if self.is_regression:
            values = outputs[:, 0] * self.target_scale + self.target_mean  # (B, 1) -> (B,)
            return values if self.transform == "none" else values.expm1()
        return outputs.softmax(dim=1)


class Divided(nn.Module):
    """A network whose logits are divided by the temperature that its run has found.

    Args:
        network: the trained network.
        temperature: see `kindling.calibration`.
    """

    temperature: Tensor

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("temperature", torch.tensor(temperature))

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) / self.temperature


def codes_of(categories: tuple[str, ...]) -> dict[str, float]:
    """Return the code of a missing category and of each known one; all others are unknown."""
    return {name: MISSING_CODE + number for number, name in enumerate((MISSING, *categories))}


def detached_copy(network: nn.Module) -> nn.Module:
    """Copy a network for evaluation; each buffer gets memory of its own.

    torch.export.save (2.13) fails on an empty buffer that is a slice of a longer one.
    """
    network = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    for module in network.modules():
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.clone())
    return network
