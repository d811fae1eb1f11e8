"""The schema of a table: what each column is, and how raw cells are cast to numbers and categories.

It is inferred from the train rows, kept with the model, and casts cells in training and in serving
alike. Cells that do not fit their column are named.
"""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out, read_as
from kindling.tables.categories import digits_as_text, to_category
from kindling.tables.csv_dialect import AUTO, Dialect

ColumnType = Literal["number", "boolean", "category", "date", "id", "constant", "text", "empty"]
USED: tuple[ColumnType, ...] = ("number", "boolean", "category", "date")  # the others are left out


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: as in the user's file.
        column_type: what it is taken for; "id", "constant", "text" and "empty" are left out.
        why: the reason, in words for a person.
        features: names of the features that it becomes; none where it is left out.
        num_missing: train rows without a value.
        low, high: least and largest number (days since 1970 of a date) of the train rows.
        is_whole: whether all numbers of the train rows are whole.
        decimal: the decimal sign where numbers are written as text.
        pattern: how a date is written as text.
        categories: a category's values, in the order of their codes behind unknown and missing.
        has_leading_zeros: whether it is a category because its cells are codes such as 007.
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
    has_leading_zeros: bool = False

    @property
    def is_zero_or_one(self) -> bool:
        """Whether all numbers of the train rows are 0 or 1, so that they may come as booleans."""
        return self.is_whole and self.low in (0.0, 1.0) and self.high in (0.0, 1.0)


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

    def cast(self, table: pa.Table, file: str, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Convert raw columns, in whatever order, to the features in the order of the schema.

        Args:
            table: N raw rows; columns that the schema does not use are not looked at.
            file: what to call the table in a message.
            rows: int64 (N,), what to call the rows in a message; counted from 0 by default.

        Returns:
            N rows: float64 numbers, 0 and 1 for booleans (NaN where missing), and text for
            categories ("" where missing).

        Raises:
            DataError: columns are absent, or cells do not fit their column's type.
        """
        problems = absent_columns([c.name for c in self.used], table.column_names, file)
        if problems:
            raise DataError(*problems)
        features, invalid = self.cast_cells(table, file, rows)
        if invalid:
            raise DataError(*(cells.problem() for cells in invalid))
        return features

    def cast_cells(
        self, table: pa.Table, file: str, rows: np.ndarray | None
    ) -> tuple[pd.DataFrame, list["InvalidCells"]]:
        """Convert as `cast` does, but return the cells that do not fit; they are missing then."""
        numbers = np.arange(len(table)) if rows is None else rows
        features: dict[str, np.ndarray | pd.Series] = {}
        invalid: list[InvalidCells] = []
        for column in self.used:
            cells = table.column(column.name)
            values = convert(column, cells)
            # Null where a cell could not be converted: only such columns are looked at twice.
            invalid += find_invalid(column, cells, values, file, numbers)
            features |= dict(zip(column.features, features_of(column, values), strict=True))
        return pd.DataFrame(features, index=pd.RangeIndex(len(table)), copy=False), invalid


def convert(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return float64 with nulls, or text without, by the column's type.

    What one cell becomes depends on what the train rows were, on no other cell, and as little as
    can be on its own type: a number may come as text, and a category as a number.
    """
    if column.column_type == "category":
        return to_category(cells, column.categories)
    if column.column_type == "boolean":
        return column_types.to_boolean(cells)
    if column.column_type == "date":
        return column_types.to_days(digits_as_text(cells), column.pattern)
    is_truth = pa.types.is_boolean(cells.type)
    if is_truth and not column.is_zero_or_one:  # of any other number, True is none
        return pa.chunked_array([pa.nulls(len(cells), pa.float64())])
    numbers = column_types.to_number(cells, column.decimal)
    if column.is_zero_or_one and column_types.is_text(cells):
        return pc.coalesce(numbers, column_types.to_truth(cells))
    return numbers


def features_of(column: Column, values: pa.ChunkedArray) -> list[np.ndarray | pd.Series]:
    """Make the features of one column: itself, or the parts of a date, and what is missing."""
    if column.column_type == "category":
        return [values.to_pandas()]  # shares the memory, where an array would hold objects
    array = values.to_numpy()
    if column.column_type == "date":
        return column_types.date_parts(array)[: len(column.features)]
    if len(column.features) == 2:
        return [array, np.isnan(array).astype(np.float64)]
    return [array]


def absent_columns(
    names: Iterable[str], columns: list[str], file: str, key: str = ""
) -> list[Problem]:
    """List the names that are no columns of a file, each with the nearest one.

    Args:
        names: that were asked for.
        columns: of the file.
        file: what to call it.
        key: that the names were typed behind, such as data.target.
    """
    problems = []
    for name in names:
        if name in columns:
            continue
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
        fix: Fix = f"did you mean {near[0]!r}?" if near else f"choose from {first_few(columns, 12)}"
        if len(columns) == 1 and not near:
            signs = Counter(sign for sign in columns[0] if not sign.isalnum() and sign != "_")
            likely = signs.most_common(1)[0][0] if signs else ...
            fix = (
                f"its only column is {shown(columns[0])}: say what separates columns there",
                Setting("data.csv.separator", likely, "if that sign does"),
            )
        rule = f"a column {name!r} must be in {file}" + (f" ({key})" if key else "")
        problems.append(Problem(rule, "none", fix, "D101", file=file, column=name))
    return problems


NOUNS = {"number": "numbers", "boolean": "booleans", "date": "dates", "category": "single values"}
CORRECT = "correct the cells or empty them"


@dataclass(frozen=True)
class InvalidCells:
    """Cells of one column of one file that do not fit it.

    Args:
        column: what they should fit.
        code: D103 (something else than the column holds) or D109 (beyond float32).
        file: what to call the table.
        row: the first one's row, counted from 0.
        cell: the first one.
        count: how many there are.
    """

    column: Column
    code: str
    file: str
    row: int
    cell: Any
    count: int

    def problem(self) -> Problem:
        """Put it into words."""
        name = self.column.name
        if self.code == "D103":
            nouns = NOUNS[self.column.column_type]
            rule = f"column {name!r} of {self.file} holds {nouns}, so every cell must be one"
            fix: Fix = (CORRECT, read_as(name, "category", "to read categories"), leave_out(name))
        else:
            rule = f"numbers of column {name!r} of {self.file} must lie within float32, to 3.4e38"
            fix = (CORRECT, leave_out(name))
        got = point_at(shown(self.cell), self.row, self.count)
        where: dict[str, Any] = {"file": self.file, "column": name, "row": self.row}
        return Problem(rule, got, fix, self.code, count=self.count, **where)


def point_at(cell: str, row: int, count: int) -> str:
    """Say where the first of some cells stands, and how many they are."""
    return f"{cell} in row {row} (counted from 0), {count:,} such cells in all"


def merge_invalid(found: Iterable[InvalidCells]) -> list[InvalidCells]:
    """Make one of those that several chunks of a file have of a column; the first cell stays."""
    merged: dict[tuple[str, str, str], InvalidCells] = {}
    for cells in found:
        key = (cells.file, cells.column.name, cells.code)
        first = merged.get(key)
        merged[key] = replace(first, count=first.count + cells.count) if first else cells
    return list(merged.values())


def find_invalid(
    column: Column, cells: pa.ChunkedArray, values: pa.ChunkedArray, file: str, rows: np.ndarray
) -> Iterator[InvalidCells]:
    """Find cells that hold something else than the column, and numbers that are too large.

    Args:
        column: what the cells should be.
        cells: N of them, as they were read.
        values: what `convert` has made of them: null where it could make nothing.
        file: what to call the table.
        rows: int64 (N,), what to call the rows.
    """
    if values.null_count > cells.null_count:  # else no cell was lost, which is the usual case
        known, is_unreadable = _unreadable(column, cells, values)
        yield from _as_invalid(column, "D103", known, is_unreadable, file, rows)
    if column.column_type == "number":
        is_large = pc.greater(pc.abs(values), column_types.LARGEST)
        yield from _as_invalid(column, "D109", values, is_large, file, rows)


def _unreadable(
    column: Column, cells: pa.ChunkedArray, values: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the cells without markers of missing ones, and which of them became nothing."""
    if not column_types.is_text(cells):
        is_bad = pc.and_(pc.is_valid(cells), pc.is_null(values))
        if pa.types.is_floating(cells.type):  # NaN and infinity are missing, not unreadable
            is_bad = pc.and_(is_bad, pc.is_finite(cells))
        return cells, is_bad
    is_number = column.column_type == "number"
    markers = column_types.NUMBER_MARKERS if is_number else column_types.MARKERS
    known = column_types.known_text(cells, markers)
    is_infinite = pc.is_in(pc.utf8_lower(known), value_set=pa.array(column_types.INFINITE))
    is_bad = pc.and_(pc.is_valid(known), pc.is_null(values))
    return known, pc.and_not(is_bad, is_infinite)


def _as_invalid(
    column: Column,
    code: str,
    cells: pa.ChunkedArray,
    is_bad: pa.ChunkedArray,
    file: str,
    rows: np.ndarray,
) -> Iterator[InvalidCells]:
    places = np.flatnonzero(is_bad.fill_null(False))
    if len(places):
        row, cell = int(rows[places[0]]), cells[int(places[0])].as_py()
        yield InvalidCells(column, code, file, row, cell, len(places))
