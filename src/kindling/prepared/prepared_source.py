"""Take the rows of a prepared set: data=prepared data.path=FOLDER."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa

from kindling.errors import Problem
from kindling.files import at_home
from kindling.fixes import Setting
from kindling.prepared.prepared_set import LIST, TEST_FILE, read_set
from kindling.raw_data import RawData, RawTable
from kindling.tables.formats import open_table


@dataclass(frozen=True)
class KeptTestRows(RawTable):
    """The raw cells of the test rows, under the numbers that they have among all rows.

    Args:
        kept: int64, in order: which rows the file holds.
    """

    kept: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def select(self, positions: np.ndarray) -> Iterator[pa.Table]:
        """Give test rows chunk by chunk; a set keeps the raw cells of no others."""
        inside = np.searchsorted(self.kept, positions)
        assert np.array_equal(self.kept[inside.clip(max=len(self.kept) - 1)], positions)
        return RawTable(self.file, self.names, np.arange(len(self.kept)), self.open).select(inside)


class PreparedSource:
    """Reads a set that `kindling prepare` has written: no file is parsed, nothing is fitted.

    Args:
        path: of its folder.
        memory: whether rows are drawn in blocks, as from a file ("disk"), or all together ("ram");
            "auto" is as it was prepared. The rows are mapped from the file in either case.
    """

    def __init__(self, path: str, *, memory: Literal["auto", "ram", "disk"] = "auto") -> None:
        self.path, self.memory = at_home(path), memory

    def missing(self) -> list[Problem]:
        if (self.path / LIST).is_file():
            return []
        rule = f"data.path must be a folder with {LIST}, as kindling prepare writes it"
        got = f"no {LIST} in {self.path}" if self.path.is_dir() else f"no folder {self.path}"
        return [Problem(rule, got, Setting("data.path"), "D001")]

    def read(self) -> RawData:
        found = read_set(self.path)
        about, file = found.about, self.path / TEST_FILE
        names = tuple(column.name for column in found.schema.used)
        table = KeptTestRows(
            file=str(file),
            names=names,
            rows=np.arange(about.num_rows),
            open=lambda: open_table(file),
            kept=found.splits["test"],
        )
        return RawData(
            x=(table,),
            y=found.y,
            target=found.target,
            is_regression=about.is_regression,
            reason=about.reason,
            names=found.names,
            given={split: found.splits[split] for split in ("val", "test")},
            notes=(*about.notes, "prepared before"),
            findings=found.findings,
            target_transform=about.target_transform,
            on_disk=about.on_disk if self.memory == "auto" else self.memory == "disk",
            fitted=(found.schema, found.preprocessor, found.x),
            record=found.record,
        )
