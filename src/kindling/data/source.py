"""What every source hands on: raw rows and targets, untouched and unsplit."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from kindling.errors import Problem
from kindling.types import Stage


@dataclass(frozen=True)
class Raw:
    """N rows as they were read.

    Args:
        x: typed table of N rows, or uint8 images (N, channels, H, W).
        y: N labels, or N float64 values for regression.
        target: name of what is predicted.
        is_regression: whether y holds values rather than labels.
        reason: why that task, in words for the plan.
        names: each row's own name: its number in its file (from 0), or the image's path.
        given: rows whose stage the user fixed by a file or folder of its own.
        notes: what was decided on the way, one line each for the plan.
    """

    x: pd.DataFrame | np.ndarray
    y: np.ndarray
    target: str
    is_regression: bool
    reason: str
    names: np.ndarray
    given: dict[Stage, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@runtime_checkable
class Source(Protocol):
    """Reads raw rows from one place."""

    def missing(self) -> list[Problem]:
        """List files that are not there, without reading any."""

    def read(self) -> Raw:
        """Read everything; raise a DataError that lists what cannot be used."""
