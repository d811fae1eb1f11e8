"""Raw data: what every source of tables or images returns, before it is split and preprocessed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from kindling.errors import Problem
from kindling.images.image_schema import ImageSchema
from kindling.tables.inference import Hints
from kindling.tables.part_files import PartFiles
from kindling.types import Split, Transform


@dataclass(frozen=True)
class RawTable:
    """The rows of one table that are used, without the target.

    Args:
        file: what to call it in a message, or the files that it lies in.
        names: the columns that may be learnt from.
        rows: int64, in order: the number of each used row in the table, counted from 0.
        open: gives all rows of the table chunk by chunk, from memory or by reading it anew.
    """

    file: str | PartFiles
    names: tuple[str, ...]
    rows: np.ndarray
    open: Callable[[], Iterator[pa.Table]]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it lies in; none of rows that come from elsewhere."""
        if isinstance(self.file, PartFiles):
            return self.file.files
        return (Path(self.file),) if Path(self.file).is_file() else ()

    def chunks(self) -> Iterator[pa.Table]:
        """Give the used rows chunk by chunk, in order."""
        return self.select(np.arange(len(self.rows)))

    def take(self, positions: np.ndarray) -> pa.Table:
        """Give some of the used rows: those at these positions, which are in order."""
        return pa.concat_tables(self.select(positions))

    def select(self, positions: np.ndarray) -> Iterator[pa.Table]:
        """Give them chunk by chunk; some chunks are empty."""
        rows, start = self.rows[positions], 0
        for chunk in self.open():
            first, last = np.searchsorted(rows, (start, start + len(chunk)))
            part = chunk.select(list(self.names))
            inside = rows[first:last] - start
            yield part if len(inside) == len(part) else part.take(pa.array(inside))
            start += len(chunk)


@dataclass(frozen=True)
class RawData:
    """N rows as they were read.

    Args:
        x: raw tables with N rows together, one for each of data.path, val_path and test_path; or
            images, uint8 or float32 (N, channels, H, W).
        y: N labels, or N float64 values for regression.
        target: name of what is predicted.
        is_regression: whether y holds values rather than labels.
        reason: why that task, in words for the plan.
        names: each row's own name: its number in its table (from 0), or the image's path.
        given: rows whose split the user fixed by a file or folder of its own.
        notes: what was decided on the way, one line each for the plan.
        findings: what was noticed on the way and is no error.
        target_transform: what is learnt of a quantity; "auto" is decided on a table's val rows.
        hints: what the user says of a table's columns and files, and how the files are written.
        groups: text (N,): rows with the same value stay in one split, "" is alone; or None.
        times: float64 (N,): the test rows are the latest by this, the val rows the next; or None.
        on_disk: whether what the network learns from is kept in a file where it is large.
        images: what the images are, see `array_schema`; None for a table.
        content_hashes: uint64 (N,), equal where two image files show the very same, or None.
        fitted: of rows that were prepared before: schema, preprocessor and all rows as a network
            takes them, so that nothing is fitted again; or None.
        record: their `DataRecord`, as it was made then; or None.
    """

    x: tuple[RawTable, ...] | np.ndarray
    y: np.ndarray
    target: str
    is_regression: bool
    reason: str
    names: np.ndarray
    given: dict[Split, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    findings: tuple[Problem, ...] = ()
    target_transform: Transform | Literal["auto"] = "none"
    hints: Hints = field(default_factory=Hints)
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    on_disk: bool = False
    images: ImageSchema | None = None
    content_hashes: np.ndarray | None = None
    fitted: tuple[Any, Any, np.ndarray] | None = None
    record: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.x, np.ndarray):
            schema = self.images
            is_described = schema and (schema.shape, schema.dtype) == (
                self.x.shape[1:],
                str(self.x.dtype),
            )
            assert is_described, "images must describe x: RawData(..., images=array_schema(x))"

    def parts(self, rows: np.ndarray) -> Iterator[tuple[RawTable, np.ndarray]]:
        """Give each file with the positions in it of these rows, which are numbered over all."""
        assert isinstance(self.x, tuple)
        start = 0
        for table in self.x:
            end = start + len(table.rows)
            yield table, rows[(rows >= start) & (rows < end)] - start
            start = end


@runtime_checkable
class Source(Protocol):
    """Reads raw rows from one place."""

    def missing(self) -> list[Problem]:
        """List files that are not there, without reading any."""

    def read(self) -> RawData:
        """Read everything; raise a DataError that lists what cannot be used."""
