"""What every source hands on: raw rows and targets, untouched and unsplit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from kindling.data.schema import ImageSchema
from kindling.errors import Problem
from kindling.types import Stage, Transform


class RawTable(NamedTuple):
    """The rows of one file that are used: columns without the target, and each row's number."""

    file: str
    columns: pa.Table
    rows: np.ndarray


@dataclass(frozen=True)
class Raw:
    """N rows as they were read.

    Args:
        x: raw tables of N rows together, one for each file; or uint8 images (N, channels, H, W).
        y: N labels, or N float64 values for regression.
        target: name of what is predicted.
        is_regression: whether y holds values rather than labels.
        reason: why that task, in words for the plan.
        names: each row's own name: its number in its file (from 0), or the image's path.
        given: rows whose stage the user fixed by a file or folder of its own.
        notes: what was decided on the way, one line each for the plan.
        target_transform: what is learnt of a quantity; "auto" is decided on the val rows.
        kinds: what the user says of a table's columns.
        groups: rows with the same value here stay together in one stage, or None.
        times: the test rows are the latest by this, or None.
        images: how image files became x, or None for a table.
    """

    x: tuple[RawTable, ...] | np.ndarray
    y: np.ndarray
    target: str
    is_regression: bool
    reason: str
    names: np.ndarray
    given: dict[Stage, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    target_transform: Transform | Literal["auto"] = "none"
    kinds: Mapping[str, str] = field(default_factory=dict)
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    images: ImageSchema | None = None


@runtime_checkable
class Source(Protocol):
    """Reads raw rows from one place."""

    def missing(self) -> list[Problem]:
        """List files that are not there, without reading any."""

    def read(self) -> Raw:
        """Read everything; raise a DataError that lists what cannot be used."""
