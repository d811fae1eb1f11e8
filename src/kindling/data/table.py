"""A CSV or Parquet file in, a typed table and its target out."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.data.datamodule import DataModule
from kindling.data.kinds import ColumnKind, infer_kinds, type_columns
from kindling.data.source import Raw
from kindling.data.target import infer_task, refuse_too_many_classes, target_problems, to_target
from kindling.errors import DataError, Problem


def table(
    path: str,
    target: str,
    *,
    test_path: str | None = None,
    ignore: Sequence[str] = (),
    task: str = "auto",
    kinds: Mapping[str, str] | None = None,
    drop_missing_target: bool = False,
    **loading: Any,
) -> DataModule:
    """Make the DataModule of a table.

    Args:
        path: a CSV or Parquet file.
        target: the column to predict.
        test_path: a second file with the test rows; without it they are split off.
        ignore: columns to leave out, such as ids.
        task: "auto", "classification" or "regression".
        kinds: column -> "number", "boolean" or "category", where the guess is wrong.
        drop_missing_target: leave out rows without a target, rather than refuse them.
        **loading: what `DataModule` takes.
    """
    source = TableSource(
        path,
        str(target),
        test_path,
        tuple(map(str, ignore)),
        task,
        kinds or {},
        drop_missing_target,
    )
    return DataModule(source, **loading)


@dataclass(frozen=True)
class TableSource:
    """Reads one file, or one for train and val and one for test; see `table` for the fields."""

    path: str
    target: str
    test_path: str | None
    ignore: tuple[str, ...]
    task: str
    kinds: Mapping[str, str]
    drop_missing_target: bool

    def missing(self) -> list[Problem]:
        keys = {"data.path": self.path, "data.test_path": self.test_path}
        problems = [
            Problem(f"{key} must be a file", _what_is_at(path), f"{key}=the/right/file.csv")
            for key, path in keys.items()
            if path is not None and not Path(path).is_file()
        ]
        if self.test_path and Path(self.test_path).absolute() == Path(self.path).absolute():
            rule = "test rows must be others than those that are learnt from"
            got = f"data.test_path={self.test_path}, which is data.path"
            problems.append(Problem(rule, got, "leave data.test_path out: test rows are split off"))
        return problems

    def read(self) -> Raw:
        files = [path for path in (self.path, self.test_path) if path is not None]
        frames = [read_frame(file) for file in files]
        self._refuse_absent_columns(frames, files)
        sizes = [len(frame) for frame in frames]
        if self.drop_missing_target:
            frames = [frame[frame[self.target].notna()] for frame in frames]
        dropped = sum(sizes) - sum(map(len, frames))

        is_regression, reason = infer_task(frames[0][self.target].dropna(), self.task)
        if not is_regression:
            refuse_too_many_classes(frames[0][self.target])
        kinds = infer_kinds(frames[0].drop(columns=[self.target, *self.ignore]), self.kinds)
        table = self._type(frames, files, kinds, is_regression=is_regression)
        target = pd.concat([frame[self.target] for frame in frames])
        num_train = len(frames[0])
        return Raw(
            x=table,
            y=to_target(target, is_regression=is_regression),
            target=self.target,
            is_regression=is_regression,
            reason=reason,
            names=np.concatenate([frame.index.to_numpy() for frame in frames]),
            given={"test": np.arange(num_train, len(target))} if self.test_path else {},
            notes=(f"{dropped} rows without {self.target} left out",) if dropped else (),
        )

    def _type(
        self,
        frames: list[pd.DataFrame],
        files: list[str],
        kinds: dict[str, ColumnKind],
        *,
        is_regression: bool,
    ) -> pd.DataFrame:
        """Convert the columns of all files to their kinds, or list every cell that does not fit."""
        typed, problems = [], []
        for file, frame in zip(files, frames, strict=True):
            features, mistakes = type_columns(frame, kinds, file)
            typed.append(features)
            target = frame[self.target]
            problems += mistakes + target_problems(target, is_regression=is_regression, file=file)
        if problems:
            raise DataError(*problems)
        return pd.concat(typed, ignore_index=True)

    def _refuse_absent_columns(self, frames: list[pd.DataFrame], files: list[str]) -> None:
        """Every name that was asked for must be in the first file; its features in the second."""
        asked = {"data.target": [self.target], "data.ignore": self.ignore, "data.kinds": self.kinds}
        problems = [
            problem
            for key, names in asked.items()
            for problem in absent_columns(names, frames[0], f"{files[0]} ({key})")
        ]
        problems += self._unusable(frames, files)
        wanted = [name for name in frames[0] if name not in self.ignore]
        for file, frame in zip(files[1:], frames[1:], strict=True):
            problems += absent_columns(wanted, frame, file)
        if problems:
            raise DataError(*problems)

    def _unusable(self, frames: list[pd.DataFrame], files: list[str]) -> list[Problem]:
        """List what cannot work, whatever the cells hold."""
        problems = [
            Problem(f"{file} must have rows", "a header only", "give a table with rows")
            for file, frame in zip(files, frames, strict=True)
            if len(frame) == 0
        ]
        if self.target in self.ignore:
            rule = "the target cannot be left out"
            got = f"{self.target!r} in data.ignore"
            problems.append(Problem(rule, got, "take it out of data.ignore"))
        if set(frames[0]) <= {self.target, *self.ignore}:
            rule = "a table needs a column to learn from, beside the target"
            fix = "shorten data.ignore" if self.ignore else "is another character its separator?"
            problems.append(Problem(rule, f"none in {files[0]}", fix))
        for name, kind in self.kinds.items():
            if kind not in get_args(ColumnKind):
                fix = f"choose from {', '.join(get_args(ColumnKind))}"
                problems.append(Problem(f"data.kinds.{name} must be a kind", str(kind), fix))
        return problems


def read_frame(path: str) -> pd.DataFrame:
    """Read a file into columns with string names; Parquet by its ending, CSV otherwise."""
    try:
        if Path(path).suffix in {".parquet", ".pq"}:
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, low_memory=False)
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        ValueError,
        pa.ArrowException,
    ) as error:
        reason = str(error).splitlines()[0]
        fix = "give a CSV file in UTF-8 with a header, or a Parquet file"
        raise DataError(Problem(f"{path} must be a table", reason, fix)) from error
    return frame.rename(columns=str).reset_index(drop=True)


def absent_columns(names: Iterable[str], frame: pd.DataFrame, where: str) -> list[Problem]:
    """List the names that are no columns, each with the nearest one."""
    columns = list(frame.columns)
    problems = []
    for name in names:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
            fix = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(columns)}"
            if len(columns) == 1 and not near:
                fix = f"its only column is {columns[0]!r}: columns must be separated by commas"
            problems.append(Problem(f"a column {name!r} must be in {where}", "none", fix))
    return problems


def _what_is_at(path: str) -> str:
    """Say what was found in place of a file, and what lies beside it."""
    place = Path(path)
    if place.is_dir():
        return f"the folder {path}"
    beside = [p.name for p in place.parent.glob("*")] if place.parent.is_dir() else []
    near = difflib.get_close_matches(place.name, beside, n=1)
    return f"nothing at {place.absolute()}" + (f", but there is {near[0]}" if near else "")
