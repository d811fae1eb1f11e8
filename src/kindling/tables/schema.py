"""What raw columns are, as the train rows showed them: plain values, kept with a model.

`TableSchema.type` turns raw columns into typed ones: the same in training and in serving.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.tables import column_types
from kindling.tables.dialect import AUTO, Dialect
from kindling.tables.invalid_cells import Place, invalid_cells

ColumnType = Literal["number", "boolean", "category", "date", "id", "constant", "text", "empty"]
USED: tuple[ColumnType, ...] = ("number", "boolean", "category", "date")  # the others are left out


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: as in the user's file.
        column_type: what it is taken for; "id", "constant", "text" and "empty" are left out.
        why: the reason, in words for a person.
        features: names of the typed columns that it becomes; none where it is left out.
        num_missing: train rows without a value.
        low, high: least and largest number (days since 1970 of a date) of the train rows.
        is_whole: whether all numbers of the train rows are whole.
        decimal: the decimal sign where numbers are written as text.
        pattern: how a date is written as text.
        categories: a category's values, in the order of their codes behind unknown and missing.
    """

    name: str
    column_type: ColumnType
    why: str = ""
    features: tuple[str, ...] = ()
    num_missing: int = 0
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    decimal: str = "."
    pattern: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in the order of the file, without the target.

    Args:
        columns: all that may be learnt from, whether they are used or not.
        dialect: how the user says that CSV files of such rows are written.
    """

    columns: tuple[Column, ...]
    dialect: Dialect = AUTO

    @property
    def used(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.column_type in USED)

    def type(self, table: pa.Table, file: str, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Convert raw columns, in whatever order, to the typed ones in the order of the schema.

        Args:
            table: N raw rows; columns that the schema does not use are not looked at.
            file: what to call the table in a message.
            rows: int64 (N,), what to call the rows in a message; counted from 0 by default.

        Returns:
            N rows: float64 numbers, 0 and 1 for booleans (NaN where missing), and text for
            categories ("" where missing).

        Raises:
            DataError: columns are absent, or cells do not fit their column's kind.
        """
        wanted = [column.name for column in self.used]
        problems = absent_columns(wanted, table.column_names, file)
        if problems:
            raise DataError(*problems)
        typed: dict[str, np.ndarray | pd.Series] = {}
        for column in self.used:
            cells = table.column(column.name)
            values = convert(column, cells)
            problems += invalid_cells(column, cells, values, Place(file, rows))
            typed |= dict(zip(column.features, features_of(column, values), strict=True))
        if problems:
            raise DataError(*problems)
        return pd.DataFrame(typed, index=pd.RangeIndex(len(table)), copy=False)


def convert(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return float64 with nulls, or text without, by the column's kind."""
    if column.column_type == "category":
        return column_types.to_category(cells)
    if column.column_type == "boolean":
        return column_types.to_boolean(cells)
    if column.column_type == "date":
        return column_types.to_days(cells, column.pattern)
    return column_types.to_number(cells, column.decimal)


def features_of(column: Column, values: pa.ChunkedArray) -> list[np.ndarray | pd.Series]:
    """Make the typed columns of one column: itself, or the parts of a date, and what is missing."""
    if column.column_type == "category":
        return [values.to_pandas()]  # shares the memory, where an array would hold objects
    array = values.to_numpy()
    if column.column_type == "date":
        return date_parts(array)[: len(column.features)]
    if len(column.features) == 2:
        return [array, np.isnan(array).astype(np.float64)]
    return [array]


MS_PER_DAY = 86_400_000.0
DATE_PARTS = ("days since 1970", "year", "month", "weekday", "hour")  # Monday is weekday 0


def date_parts(days: np.ndarray) -> list[np.ndarray]:
    """Return the DATE_PARTS of N days since 1970, to the millisecond; NaN where the day is."""
    ms = np.rint(days * MS_PER_DAY)
    day = np.floor(ms / MS_PER_DAY)
    known = np.isfinite(day)
    dates = day[known].astype(np.int64).astype("datetime64[D]")
    year, month = np.full_like(days, np.nan), np.full_like(days, np.nan)
    year[known] = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    month[known] = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    hour = np.floor((ms - day * MS_PER_DAY) / (MS_PER_DAY / 24))
    return [days, year, month, (day + 3) % 7, hour]  # the first of January 1970 was a Thursday


def absent_columns(names: Iterable[str], columns: list[str], where: str) -> list[Problem]:
    """List the names that are no columns, each with the nearest one."""
    problems = []
    for name in names:
        if name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
            fix = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(columns)}"
            if len(columns) == 1 and not near:
                fix = f"its only column is {columns[0]!r}: what separates columns there?"
            problems.append(Problem(f"a column {name!r} must be in {where}", "none", fix, "D101"))
    return problems
