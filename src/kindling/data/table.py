"""CSV or Parquet files in, their raw columns and the target out."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.data.datamodule import DataModule
from kindling.data.dialect import AUTO, Dialect
from kindling.data.reader import read_table
from kindling.data.schema import absent_columns
from kindling.data.source import Raw, RawTable
from kindling.data.target import (
    infer_task,
    read_target,
    refuse_too_many_classes,
    target_problems,
    to_target,
)
from kindling.errors import DataError, Problem
from kindling.types import Stage, Transform


def table(
    path: str,
    target: str,
    *,
    val_path: str | None = None,
    test_path: str | None = None,
    ignore: Sequence[str] = (),
    task: str = "auto",
    kinds: Mapping[str, str] | None = None,
    csv: Mapping[str, str] | None = None,
    drop_missing_target: bool = False,
    target_transform: Transform | Literal["auto"] = "auto",
    **loading: Any,
) -> DataModule:
    """Make the DataModule of a table.

    Args:
        path: a CSV or Parquet file.
        target: the column to predict.
        val_path: a file with the val rows; without it they are split off.
        test_path: likewise.
        ignore: columns to leave out, such as ids.
        task: "auto", "classification" or "regression".
        kinds: column -> "number", "boolean", "category" or "date", where the guess is wrong.
        csv: how the files are written, where the guess is wrong; see `Dialect`.
        drop_missing_target: leave out rows without a target, rather than refuse them.
        target_transform: "log1p" learns a quantity's logarithm, "none" the quantity itself, and
            "auto" the logarithm where that helps a linear model on the val rows.
        **loading: what `DataModule` takes.
    """
    source = TableSource(
        path,
        str(target),
        given={"val": val_path, "test": test_path},
        ignore=tuple(map(str, ignore)),
        task=task,
        kinds=kinds or {},
        dialect=Dialect(**(csv or {})),
        drop_missing_target=drop_missing_target,
        target_transform=target_transform,
    )
    return DataModule(source, **loading)


@dataclass(frozen=True)
class TableSource:
    """Reads one file, and those of val and test that are given; see `table` for the fields."""

    path: str
    target: str
    given: Mapping[Stage, str | None] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    task: str = "auto"
    kinds: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = AUTO
    drop_missing_target: bool = False
    target_transform: Transform | Literal["auto"] = "auto"

    @property
    def files(self) -> dict[str, str]:
        """The files by the key that names them, the one with the train rows first."""
        more = {f"data.{stage}_path": path for stage, path in self.given.items() if path}
        return {"data.path": self.path, **more}

    def missing(self) -> list[Problem]:
        problems = [
            Problem(f"{key} must be a file", what_is_at(path), f"{key}=the/right/file.csv")
            for key, path in self.files.items()
            if not Path(path).is_file()
        ]
        seen: dict[Path, str] = {}
        for key, path in self.files.items():
            other = seen.setdefault(Path(path).absolute(), key)
            if other != key:
                rule = "rows that judge must be others than those that are learnt from"
                fix = f"leave {key} out: rows are split off"
                problems.append(Problem(rule, f"{key}={path}, which is {other}", fix))
        return problems

    def read(self) -> Raw:
        tables = {file: read_table(file, self.dialect) for file in self.files.values()}
        self._refuse_unusable(tables)
        targets = [self._target(file, table) for file, table in tables.items()]
        sizes = [len(target) for target in targets]
        if self.drop_missing_target:
            targets = [target.dropna() for target in targets]
        dropped = sum(sizes) - sum(map(len, targets))
        is_regression, reason = infer_task(targets[0].dropna(), self.task)
        self._refuse_targets(dict(zip(tables, targets, strict=True)), is_regression=is_regression)
        raw = tuple(
            self._columns(file, table, target.index.to_numpy())
            for (file, table), target in zip(tables.items(), targets, strict=True)
        )
        return Raw(
            x=raw,
            y=to_target(pd.concat(targets), is_regression=is_regression),
            target=self.target,
            is_regression=is_regression,
            reason=reason,
            names=np.concatenate([part.rows for part in raw]),
            given=self._given(list(map(len, targets))),
            notes=(f"{dropped} rows without {self.target} left out",) if dropped else (),
            target_transform=self.target_transform,
            kinds=self.kinds,
        )

    def _columns(self, file: str, table: pa.Table, rows: np.ndarray) -> RawTable:
        """Take what may be learnt from, of the rows that are used."""
        columns = table.drop_columns([n for n in table.column_names if n in self._not_learnt])
        if len(rows) < len(table):
            columns = columns.take(pa.array(rows))
        return RawTable(file, columns, rows)

    @property
    def _not_learnt(self) -> set[str]:
        return {self.target, *self.ignore}

    def _given(self, sizes: list[int]) -> dict[Stage, np.ndarray]:
        """Number the rows of the files that are a stage of their own."""
        stages = [stage for stage, path in self.given.items() if path]
        ends = np.cumsum(sizes)
        return {
            stage: np.arange(start, end)
            for stage, start, end in zip(stages, ends, ends[1:], strict=False)
        }

    def _target(self, file: str, table: pa.Table) -> pd.Series:
        """Return the target by row number; a file cannot do without it."""
        return read_target(table.column(self.target)).rename(self.target)

    def _refuse_targets(self, targets: dict[str, pd.Series], *, is_regression: bool) -> None:
        if not is_regression:
            refuse_too_many_classes(next(iter(targets.values())))
        problems = [
            problem
            for file, target in targets.items()
            for problem in target_problems(target, is_regression=is_regression, file=file)
        ]
        if problems:
            raise DataError(*problems)

    def _refuse_unusable(self, tables: dict[str, pa.Table]) -> None:
        """Every name that was asked for must be in the first file, and the target in each."""
        file, first = next(iter(tables.items()))
        asked = {"data.target": [self.target], "data.ignore": self.ignore, "data.kinds": self.kinds}
        problems = [
            problem
            for key, names in asked.items()
            for problem in absent_columns(names, first.column_names, f"{file} ({key})")
        ]
        for other, table in list(tables.items())[1:]:
            problems += absent_columns([self.target], table.column_names, other)
        problems += self._unusable(tables)
        if problems:
            raise DataError(*problems)

    def _unusable(self, tables: dict[str, pa.Table]) -> list[Problem]:
        """List what cannot work, whatever the cells hold."""
        problems = [
            Problem(f"{file} must have rows", "a header only", "give a table with rows")
            for file, table in tables.items()
            if len(table) == 0
        ]
        if self.target in self.ignore:
            rule = "the target cannot be left out"
            got = f"{self.target!r} in data.ignore"
            problems.append(Problem(rule, got, "take it out of data.ignore"))
        if set(tables[self.path].column_names) <= self._not_learnt:
            rule = "a table needs a column to learn from, beside the target"
            fix = "shorten data.ignore" if self.ignore else "is another character its separator?"
            problems.append(Problem(rule, f"none in {self.path}", fix))
        return problems


def what_is_at(path: str) -> str:
    """Say what was found in place of a file, and what lies beside it."""
    place = Path(path)
    if place.is_dir():
        return f"the folder {path}"
    beside = [p.name for p in place.parent.glob("*")] if place.parent.is_dir() else []
    near = difflib.get_close_matches(place.name, beside, n=1)
    return f"nothing at {place.absolute()}" + (f", but there is {near[0]}" if near else "")
