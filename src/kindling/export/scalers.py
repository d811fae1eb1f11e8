"""Compute in torch what scikit-learn's imputer, scalers and encoder make of the columns of a step.

In float64 and in scikit-learn's own order of operations, so that not a bit differs.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem
from kindling.tables.preprocessor import TablePreprocessor

MISSING_CODE = 1.0  # of a category; 0 is unknown, and those of the train rows follow
CODES = "categories"  # the last step of make_transformer
NO_STEP = (None, "passthrough")  # what scikit-learn takes in the place of a transformer
WITH_GAPS = "put SimpleImputer() before it in make_transformer"
BY_HAND = "type --network-only, and do that step yourself in front of the network"


class RowScaler(nn.Module):
    """Features, F numbers and C codes, to what a network takes: gaps filled, numbers scaled.

    Args:
        preprocessor: whose steps are SimpleImputer and scalers, each column by itself.

    Raises:
        ConfigError: a step of the preprocessing is none that can be exported; it is named.
    """

    def __init__(self, preprocessor: TablePreprocessor) -> None:
        super().__init__()
        steps = [
            (name, step, len(columns))
            for name, step, columns in preprocessor.transformer_.transformers_
            if len(columns)
        ]
        self.widths = [width for _, _, width in steps]  # F + C in all
        self.steps = nn.ModuleList(_module_of(name, step, width) for name, step, width in steps)

    def forward(
        self, features: Float64[Tensor, "batch features"]
    ) -> Float32[Tensor, "batch features"]:
        columns = features.split(self.widths, dim=1)
        parts = [step(part) for step, part in zip(self.steps, columns, strict=True)]
        return torch.cat(parts, dim=1).float()


class Fill(nn.Module):
    """Put a value of each column into its gaps; infinity is one too."""

    value: Tensor

    def __init__(self, value: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("value", _float64(value))  # (columns,)

    def forward(self, columns: Tensor) -> Tensor:
        return torch.where(columns.isfinite(), columns, self.value)


class Scale(nn.Module):
    """Subtract, divide, multiply, add, clip: those of them that a scaler does, in this order.

    Args:
        **arrays: of `subtract`, `divide`, `multiply` and `add`, a number for each column; `clip`
            is the lowest and the highest value.
    """

    def __init__(self, **arrays: Any) -> None:
        super().__init__()
        self.operations = [name for name in arrays if arrays[name] is not None]
        for name in self.operations:
            self.register_buffer(name, _float64(arrays[name]))

    def forward(self, columns: Tensor) -> Tensor:
        for name in self.operations:
            number = self.get_buffer(name)
            if name == "subtract":
                columns = columns - number
            elif name == "divide":
                columns = columns / number
            elif name == "multiply":
                columns = columns * number
            elif name == "add":
                columns = columns + number
            else:
                columns = columns.maximum(number[0]).minimum(number[1])
        return columns


def _float64(numbers: Any) -> Tensor:
    return torch.from_numpy(np.array(numbers, dtype=np.float64))


def _module_of(name: str, step: Any, width: int) -> nn.Module:
    """Return what a step of make_transformer does, as one module; it leaves no gap."""
    parts = [part for _, part in step.steps] if isinstance(step, Pipeline) else [step]
    parts = [part for part in parts if part not in NO_STEP]
    modules = [_part_of(part, width, is_codes=name == CODES) for part in parts]
    known = [module for module in modules if module is not None]
    if len(known) < len(modules):
        rule = "the exported preprocessing is made of SimpleImputer, OrdinalEncoder and scalers "
        rule += "(standard, robust, min-max, max-abs)"
        raise ConfigError(Problem(rule, _named(parts, name), BY_HAND))
    if not any(isinstance(module, Fill) for module in known):
        rule = "the exported preprocessing must fill in missing cells"
        raise ConfigError(Problem(rule, _named(parts, name), f"{WITH_GAPS}; or {BY_HAND}"))
    return nn.Sequential(*known)


def _named(parts: list[Any], name: str) -> str:
    return f"{' then '.join(map(repr, parts)) or 'nothing'} in its step {name!r}"


def _part_of(part: Any, width: int, *, is_codes: bool) -> nn.Module | None:
    """Return the operations of one transformer of `width` columns; None where it has others."""
    if is_codes:  # what comes in are codes already
        is_known = isinstance(part, OrdinalEncoder) and part.unknown_value == -1
        return Fill(np.full(width, MISSING_CODE)) if is_known else None
    match part:
        case SimpleImputer(add_indicator=False, missing_values=missing) if missing != missing:
            return Fill(part.statistics_)
        case StandardScaler():
            mean = part.mean_ if part.with_mean else None
            return Scale(subtract=mean, divide=part.scale_)
        case RobustScaler():
            return Scale(subtract=part.center_, divide=part.scale_)
        case MinMaxScaler():
            clip = part.feature_range if part.clip else None
            return Scale(multiply=part.scale_, add=part.min_, clip=clip)
        case MaxAbsScaler():
            return Scale(divide=part.scale_, clip=(-1, 1) if part.clip else None)
    return None
