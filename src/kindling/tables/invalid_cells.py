"""Find the cells that do not fit their column, and say what to type against them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import Problem
from kindling.fixes import Setting, Way
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out, read_as
from kindling.tables.column import Column, convert
from kindling.tables.date_forms import guess_form
from kindling.tables.date_text import cut_zones, known_dates
from kindling.tables.number_text import MARKERS, NUMBER_MARKERS, known_text
from kindling.tables.part_files import PartFiles, locate

NOUNS = {"number": "numbers", "boolean": "booleans", "date": "dates", "category": "single values"}
CORRECT = "correct the cells or empty them"
DECIMAL = {".": "a decimal point", ",": "a decimal comma", "": "a clear decimal sign"}


@dataclass(frozen=True)
class InvalidCells:
    """Cells of one column of one table that do not fit it.

    Args:
        column: what they should fit.
        code: D103 (something else than the column holds) or D109 (beyond float32).
        table: what to call the table.
        file: what to call the file of the first one.
        row: its row there, counted from 0.
        cell: the first one.
        count: how many there are.
    """

    column: Column
    code: str
    table: str
    file: str
    row: int
    cell: Any
    count: int

    def problem(self) -> Problem:
        """Put it into words."""
        name = self.column.name
        ways: tuple[Way, ...] = (CORRECT, leave_out(name))
        for_rows: tuple[Way, ...] = (CORRECT,)
        if self.code == "D103":
            nouns = NOUNS[self.column.column_type]
            rule = f"column {name!r} of {self.file} holds {nouns}, so every cell must be one"
            sign = self._other_sign()
            if sign:
                rule += f", with {DECIMAL[self.column.decimal]}"
                decimal = Setting("data.csv.decimal", sign, f"if all of it has {DECIMAL[sign]}")
                for_rows = (CORRECT, decimal)
            if self.column.column_type == "date":
                rule += clock(self.column, self.cell)
            if self.column.column_type == "date" and isinstance(self.cell, str):
                form = {name: guess_form(self.cell)}
                words = "if that is how the dates are written"
                for_rows = (f"write them as the train rows were: {self.column.why}",)
                ways = (*ways, Setting("data.dates", form, words, is_added=True))
            as_words = read_as(name, "category", "to read categories")
            ways = (*for_rows, *ways[2:], as_words, leave_out(name))
        else:
            rule = f"numbers of column {name!r} of {self.file} must lie within float32, to 3.4e38"
        got = point_at(shown(self.cell), self.row, self.count)
        where: dict[str, Any] = {"file": self.file, "column": name, "row": self.row}
        return Problem(rule, got, ways, self.code, for_rows, count=self.count, **where)

    def _other_sign(self) -> str:
        """Return the decimal sign by which the cell is a number of the column, or ""."""
        if self.column.column_type != "number" or not isinstance(self.cell, str):
            return ""
        cells = pa.chunked_array([pa.array([self.cell])])
        for sign in {*DECIMAL} - {self.column.decimal, ""}:
            if not convert(replace(self.column, decimal=sign), cells).null_count:
                return sign
        return ""


def clock(column: Column, cell: Any) -> str:
    """Say in which zone the times of the train rows were, where that of a cell is another."""
    has_zone = getattr(cell, "tzinfo", None) is not None
    if isinstance(cell, str):
        has_zone = bool(cut_zones(pa.array([cell.strip()]))[1][0].as_py())
    if has_zone and not column.zones:
        return ", and has no time zone, as the train rows"
    is_absent = bool(column.zones) and "" not in column.zones and not has_zone
    if has_zone or is_absent:
        return f", in the time zone {' or '.join(column.zones)}"
    return ""


def point_at(cell: str, row: int, count: int) -> str:
    """Say where the first of some cells stands, and how many they are."""
    return f"{cell} in row {row} (counted from 0), {count:,} such cells in all"


def merge_invalid(found: Iterable[InvalidCells]) -> list[InvalidCells]:
    """Make one of those that several chunks of a table have of a column; the first cell stays."""
    merged: dict[tuple[str, str, str], InvalidCells] = {}
    for cells in found:
        key = (cells.table, cells.column.name, cells.code)
        first = merged.get(key)
        merged[key] = replace(first, count=first.count + cells.count) if first else cells
    return list(merged.values())


def find_invalid(
    column: Column,
    cells: pa.ChunkedArray,
    values: pa.ChunkedArray,
    file: str | PartFiles,
    rows: np.ndarray,
) -> Iterator[InvalidCells]:
    """Find cells that hold something else than the column, and numbers that are too large.

    Args:
        column: what the cells should be.
        cells: N of them, as they were read.
        values: what `convert` has made of them: null where it could make nothing.
        file: what to call the table, or the files that it lies in.
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
    if column.missing or column.gaps:  # what stands for nothing is no mistake
        values = convert(replace(column, missing=(), gaps=()), cells)
    if not column_types.is_text(cells):
        is_bad = pc.and_(pc.is_valid(cells), pc.is_null(values))
        if pa.types.is_floating(cells.type):  # NaN and infinity are missing, not unreadable
            is_bad = pc.and_(is_bad, pc.is_finite(cells))
        return cells, is_bad
    is_number = column.column_type == "number"
    markers = NUMBER_MARKERS if is_number else MARKERS
    known = known_text(cells, (*markers, *column.missing))
    if column.column_type == "date":
        known = known_dates(cells, column.missing)
    is_infinite = pc.is_in(pc.utf8_lower(known), value_set=pa.array(column_types.INFINITE))
    is_bad = pc.and_(pc.is_valid(known), pc.is_null(values))
    return known, pc.and_not(is_bad, is_infinite)


def _as_invalid(
    column: Column,
    code: str,
    cells: pa.ChunkedArray,
    is_bad: pa.ChunkedArray,
    file: str | PartFiles,
    rows: np.ndarray,
) -> Iterator[InvalidCells]:
    places = np.flatnonzero(is_bad.fill_null(False))
    if len(places):
        name, numbers = locate(file, rows[places[:1]])
        cell, row = cells[int(places[0])].as_py(), int(numbers[0])
        yield InvalidCells(column, code, str(file), name, row, cell, len(places))
