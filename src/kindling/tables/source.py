"""Read the raw rows of a table, its target and its given val and test files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.config.ranges import Keys, PerColumn
from kindling.errors import DataError, Problem, gathered, permitted
from kindling.files import at_home, is_url
from kindling.fixes import Setting
from kindling.machine import total_memory
from kindling.raw_data import RawData, RawTable
from kindling.tables.asked_columns import Typed, by_column, column_meant
from kindling.tables.csv_dialect import asked_dialect
from kindling.tables.decimal_sign import evidence_of_file
from kindling.tables.formats import separator_of
from kindling.tables.group_time import FileColumn, read_groups, read_times
from kindling.tables.inference import Hints
from kindling.tables.part_files import (
    PartFiles,
    file_identity,
    find_parts,
    nothing_at,
    used_twice,
)
from kindling.tables.preprocessor import invalid_cells_of
from kindling.tables.remote import refuse_credentials
from kindling.tables.schema import absent_columns
from kindling.tables.table_file import TableFile
from kindling.tables.target import (
    check_targets,
    describe_target,
    infer_task,
    read_target,
    to_target,
)
from kindling.types import Split, Transform

UNPACKED = 8  # a file's size times this is what it may fill: Parquet grows, and twice over


class TableSource:
    """Reads a table, and those of val and test that are given.

    Args:
        path: a file of any known format, such as CSV or Parquet; a folder of such
            files, or a pattern such as "2024-*.parquet", is one table.
        target: the column to predict.
        val_path: a file with the val rows; without it they are split off.
        test_path: likewise.
        ignore: columns to leave out, such as ids.
        task: "auto", "classification" or "regression".
        kinds: column -> "number", "boolean", "category" or "date", where the guess is wrong; or a
            list of COLUMN=TYPE.
        dates: column -> how its dates are written, as `strptime` takes it: "%d-%b-%y"; or a list of
            COLUMN=PATTERN.
        csv: how the files are written, where the guess is wrong; see `Dialect`.
        group: a column; rows with the same value in it stay together in one split.
        time: a column of dates or numbers; the test rows are the latest, the val rows the next.
        learn_time: learn from that column, too; what it says of the test rows was never seen.
        drop_missing_target: leave out rows without a target, rather than refuse them.
        memory: where what is learnt from lies: "ram", "disk", or "auto": disk for large files.
        target_transform: "log1p" learns a quantity's logarithm, "none" the quantity itself, and
            "auto" the logarithm where that helps a linear model on the val rows.
    """

    def __init__(
        self,
        path: str,
        target: Typed,
        *,
        val_path: str | None = None,
        test_path: str | None = None,
        ignore: Sequence[Typed] = (),
        task: Literal["auto", "classification", "regression"] = "auto",
        kinds: Annotated[
            Mapping[Typed, str] | Sequence[str] | None,
            PerColumn("{column: number, other: category}"),
        ] = None,
        dates: Annotated[
            Mapping[Typed, str] | Sequence[str] | None,
            PerColumn("{column: '%d.%m.%Y'}"),
        ] = None,
        csv: Annotated[Mapping[str, Any] | None, Keys("kindling.tables.csv_dialect.RULES")] = None,
        group: Typed = None,
        time: Typed = None,
        learn_time: bool = False,
        drop_missing_target: bool = False,
        memory: Literal["auto", "ram", "disk"] = "auto",
        target_transform: Literal["auto"] | Transform = "auto",
    ) -> None:
        self.path = _place(path, "data.path")
        given: dict[Split, str | None] = {"val": val_path, "test": test_path}
        self.given = {
            split: path and _place(path, f"data.{split}_path") for split, path in given.items()
        }
        self.found: dict[str, PartFiles] = {}  # a store is asked once
        self.task = task
        # As they are typed; _find_columns finds the names in the file.
        self.target: Any = target
        self.ignore: Any = ignore
        self.kinds: Any = kinds
        self.dates: Any = dates
        self.group: Any = group
        self.time: Any = time
        self.learn_time = learn_time
        self.dialect = asked_dialect(csv or {}, "data.csv.")
        self.drop_missing_target, self.memory = drop_missing_target, memory
        self.target_transform = target_transform

    @property
    def paths(self) -> dict[str, str]:
        """The paths by the key that names them, the one with the train rows first."""
        more = {f"data.{split}_path": path for split, path in self.given.items() if path}
        return {"data.path": self.path, **more}

    def missing(self) -> list[Problem]:
        problems: list[Problem] = []
        seen: dict[object, str] = {}
        for key, path in self.paths.items():
            with gathered(problems), permitted(path):
                files = self._find(path).files
                problems += [] if files else [nothing_at(key, path)]
                others = [seen.setdefault(file_identity(file), key) for file in files]
                pairs = zip(files, others, strict=True)
                if twice := [(file, other) for file, other in pairs if other != key]:
                    problems.append(used_twice(key, path, *twice[0]))
        return problems

    def read(self) -> RawData:
        paths = [self._find(path) for path in self.paths.values()]
        on_disk = needs_disk(paths) if self.memory == "auto" else self.memory == "disk"
        first = TableFile(paths[0], self.dialect, not on_disk)
        files = [first, *(TableFile(path, first.dialect, not on_disk) for path in paths[1:])]
        self._find_columns(files[0].names)
        # In this order each step may lean on the last: columns are there, targets are known.
        refuse(self._absent(files))
        cells = [file.column(self.target) for file in files]  # each file is read once for it
        hints = self._hints(files[0], cells[0])
        assert hints.target is not None
        targets = [
            read_target(column, self.task, column=hints.target).rename(self.target)
            for column in cells
        ]
        del cells
        refuse(self._empty(files, targets))
        notes = [note for f, t in zip(files, targets, strict=True) for note in f.notes(len(t))]
        num_rows = sum(map(len, targets))
        if self.drop_missing_target:
            targets = [target.dropna() for target in targets]
        if dropped := num_rows - sum(map(len, targets)):
            notes.append(f"{dropped} rows without {self.target} left out")
        is_regression, reason = infer_task(targets[0].dropna(), self.task)
        rows = [target.index.to_numpy() for target in targets]
        x = tuple(
            RawTable(file.parts, self._learnt(file), numbers, file.open)
            for file, numbers in zip(files, rows, strict=True)
        )
        by_file: dict[str | PartFiles, pd.Series] = {
            file.parts: target for file, target in zip(files, targets, strict=True)
        }
        problems = check_targets(
            by_file, hints.target.style, self.target_transform, is_regression=is_regression
        )
        # One run names everything that is wrong: the other columns' cells too.
        refuse(problems and [*problems, *invalid_cells_of(x, hints)])
        return RawData(
            x=x,
            y=to_target(pd.concat(targets), is_regression=is_regression),
            target=self.target,
            is_regression=is_regression,
            reason=reason,
            names=rows[0] if len(rows) == 1 else np.concatenate(rows),
            given=self._given(list(map(len, targets))),
            notes=tuple(notes),
            target_transform=self.target_transform,
            hints=hints,
            on_disk=on_disk,
            groups=read_groups(columns_of(files, self.group, rows), hints) if self.group else None,
            times=read_times(self.time, columns_of(files, self.time, rows), hints)
            if self.time
            else None,
        )

    def _find(self, path: str) -> PartFiles:
        if path not in self.found:
            self.found[path] = find_parts(path)
        return self.found[path]

    def _find_columns(self, names: list[str]) -> None:
        """Put the names as the file has them in place of what was typed."""
        self.target = column_meant(self.target, names)
        self.ignore = tuple(column_meant(typed, names) for typed in self.ignore)
        self.kinds = by_column(self.kinds, names)
        self.dates = by_column(self.dates, names)
        for key in ("group", "time"):
            typed = getattr(self, key)
            setattr(self, key, None if typed is None else column_meant(typed, names))

    def _hints(self, train: TableFile, cells: pa.ChunkedArray) -> Hints:
        """Find how the train file is written, by all of its columns, and then its target."""
        some = train.table
        if some is None:  # of a large file, its first rows
            some = next((chunk for chunk in train.open() if len(chunk)), None)
        columns = () if some is None else some.itercolumns()
        found = evidence_of_file(columns, separator_of(train.parts.files[0], train.dialect))
        left_out = tuple(name for name in train.names if name in self._left_out)
        hints = Hints(self.kinds, train.dialect, found, dates=self.dates, left_out=left_out)
        return replace(hints, target=describe_target(cells, self.task, hints, self.target))

    @property
    def _left_out(self) -> set[str | None]:
        """What is asked to be left out, and what only says where a row goes."""
        return {*self.ignore, self.group} | ({self.time} if not self.learn_time else set())

    def _learnt(self, file: TableFile) -> tuple[str, ...]:
        left_out = {self.target, *self._left_out}
        return tuple(name for name in file.names if name not in left_out)

    def _given(self, sizes: list[int]) -> dict[Split, np.ndarray]:
        """Number the rows of the files that are a split of their own."""
        splits = [split for split, path in self.given.items() if path]
        ends = np.cumsum(sizes)
        return {
            split: np.arange(start, end)
            for split, start, end in zip(splits, ends, ends[1:], strict=False)
        }

    def _absent(self, files: list[TableFile]) -> list[Problem]:
        """Every name that was asked for must be in the first file, and the target in each."""
        first = files[0]
        asked = {"target": [self.target], "ignore": self.ignore}
        asked |= {"kinds": self.kinds, "dates": self.dates}
        asked |= {key: [name] for key in ("group", "time") if (name := getattr(self, key))}
        problems = [
            problem
            for key, names in asked.items()
            for problem in absent_columns(names, first.names, first.path, f"data.{key}")
        ]
        for other in files[1:]:
            needed = [name for name in (self.target, self.group, self.time) if name]
            problems += absent_columns(needed, other.names, other.path)
        return problems

    def _empty(self, files: list[TableFile], targets: list[pd.Series]) -> list[Problem]:
        """List what leaves nothing to learn from, or nothing to learn."""
        problems = []
        for file, target in zip(files, targets, strict=True):
            if len(target) == 0:
                rule, got = f"{file.path} must have rows", "a header only"
                problems.append(Problem(rule, got, "give rows", "D008", file=file.path))
        if self.target in self.ignore:
            rule = "the target cannot be left out"
            got = f"{self.target!r} in data.ignore"
            others = [name for name in self.ignore if name != self.target]
            problems.append(Problem(rule, got, Setting("data.ignore", others), "D210"))
        if not self._learnt(files[0]):
            rule = "a table needs a column to learn from, beside the target"
            fix = Setting("data.ignore", []) if self.ignore else Setting("data.csv.separator")
            problems.append(Problem(rule, f"none in {self.path}", fix, "D102"))
        return problems


def _place(path: str, key: str) -> str:
    """Return a path with the home folder in place of ~, or a URL that may be kept with a run."""
    if not is_url(path):
        return str(at_home(path))
    refuse_credentials(path, key)
    return path


def needs_disk(tables: Sequence[PartFiles]) -> bool:
    """Say whether the files would fill a good part of the memory once they are unpacked."""
    return UNPACKED * sum(parts.num_bytes for parts in tables) > total_memory()


def refuse(problems: list[Problem]) -> None:
    """Raise a DataError if there are any."""
    if problems:
        raise DataError(*problems)


def columns_of(files: list[TableFile], name: str, rows: list[np.ndarray]) -> list[FileColumn]:
    """Read one column of all files, and pair it with the rows that are used."""
    pairs = zip(files, rows, strict=True)
    return [FileColumn(file.parts, file.column(name), used) for file, used in pairs]
