"""Put a network and all that was fitted around it into one torch module, which can be exported."""

import copy

import numpy as np
import torch
from jaxtyping import Float32, Float64
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem
from kindling.export.features import Features
from kindling.images.image_schema import ImageSchema
from kindling.images.pixel_scaling import PixelScaler
from kindling.tables.column_types import MISSING
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

UNKNOWN_CODE, MISSING_CODE = 0.0, 1.0  # a column's categories follow


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


class RowScaler(nn.Module):
    """Features, F numbers and C codes, to what a network takes: gaps filled, numbers scaled.

    The arithmetic of SimpleImputer and StandardScaler, in float64 as there: not a bit differs.
    """

    fill: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, preprocessor: TablePreprocessor) -> None:
        super().__init__()
        for name, values in read_constants(preprocessor).items():
            self.register_buffer(name, torch.from_numpy(values))  # (F + C,)

    def forward(
        self, features: Float64[Tensor, "batch features"]
    ) -> Float32[Tensor, "batch features"]:
        known = torch.where(features.isfinite(), features, self.fill)
        return ((known - self.mean) / self.scale).float()


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


def read_constants(preprocessor: TablePreprocessor) -> dict[str, np.ndarray]:
    """Return what fills a gap of each column, and its mean and scale; float64 (F + C,) each.

    A code is not scaled, and its gap is the code of a missing category.

    Raises:
        ConfigError: a step of the preprocessing is none that can be exported; it is named.
    """
    parts = [
        _constants_of(name, step, len(columns))
        for name, step, columns in _steps(preprocessor.transformer_)
    ]
    fill, mean, scale = (
        np.concatenate(arrays).astype(np.float64) for arrays in zip(*parts, strict=True)
    )
    return {"fill": fill, "mean": mean, "scale": scale}


def _steps(transformer: ColumnTransformer) -> list[tuple[str, list, list[str]]]:
    """List the steps that have columns: name, the fitted parts one after the other, columns."""
    return [
        (name, [part for _, part in step.steps] if isinstance(step, Pipeline) else [step], columns)
        for name, step, columns in transformer.transformers_
        if len(columns)
    ]


def _constants_of(name: str, parts: list, width: int) -> tuple[np.ndarray, ...]:
    zeros, ones = np.zeros(width), np.ones(width)
    match parts:
        case [SimpleImputer(add_indicator=False) as imputer]:
            return imputer.statistics_, zeros, ones
        case [
            SimpleImputer(add_indicator=False) as imputer,
            StandardScaler(with_mean=True, with_std=True) as scaler,
        ]:
            return imputer.statistics_, scaler.mean_, scaler.scale_
        case [OrdinalEncoder(unknown_value=-1)]:
            return ones * MISSING_CODE, zeros, ones
    rule = "the exported preprocessing is SimpleImputer, StandardScaler and OrdinalEncoder"
    got = f"{' then '.join(map(repr, parts))} in its step {name!r}"
    fix = "type --network-only, and do that step yourself in front of the network"
    raise ConfigError(Problem(rule, got, fix))
