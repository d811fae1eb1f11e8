"""Cells as they were read and as they were typed in; those that do not fit their column out."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import Problem
from kindling.formatting import shown
from kindling.tables import column_types

if TYPE_CHECKING:
    from kindling.tables.schema import Column

WORDS = {"number": "numbers", "boolean": "booleans", "date": "dates", "category": "single values"}
CORRECT = "correct the cells or empty them"


class Place(NamedTuple):
    """What a message calls the table, and its rows (counted from 0 by default)."""

    file: str
    rows: np.ndarray | None


@dataclass(frozen=True)
class InvalidCells(Problem):
    """Cells of one column that do not fit; `got` shows the first of `count`."""

    count: int = 1

    def with_count(self, count: int) -> "InvalidCells":
        """Say that there are so many."""
        where = self.got.split(" (counted from 0)")[0]
        got = f"{where} (counted from 0), {count:,} such cells in all"
        return replace(self, got=got, count=count)


def invalid_cells(
    column: "Column", cells: pa.ChunkedArray, values: pa.ChunkedArray, place: Place
) -> list[InvalidCells]:
    """Point at cells that hold something else than the column, or a number that is too large."""
    found = []
    if values.null_count > cells.null_count:
        found.append(_unreadable(column, cells, values, place))
    if column.column_type == "number":
        found.append(_too_large(column, values, place))
    return [invalid for invalid in found if invalid]


def _unreadable(
    column: "Column", cells: pa.ChunkedArray, values: pa.ChunkedArray, place: Place
) -> InvalidCells | None:
    markers = (
        column_types.NUMBER_MARKERS if column.column_type == "number" else column_types.MARKERS
    )
    known = column_types.known_text(cells, markers) if column_types.is_text(cells) else cells
    is_bad = pc.and_(pc.is_valid(known), pc.is_null(values))
    if column_types.is_text(cells):
        is_infinite = pc.is_in(pc.utf8_lower(known), value_set=pa.array(column_types.INFINITE))
        is_bad = pc.and_not(is_bad, is_infinite)
    elif pa.types.is_floating(cells.type):
        is_bad = pc.and_(is_bad, pc.is_finite(cells))
    name = column.name
    rule = f"column {name!r} of {place.file} holds {WORDS[column.column_type]}, so every cell must be one"
    fix = (
        f"{CORRECT}; read it as categories: "
        f"'data.kinds={{{name}: category}}'; or leave it out: data.ignore=[{name}]"
    )
    return _first(known, is_bad, place, InvalidCells(rule, "", fix, "D103", CORRECT))


def _too_large(column: "Column", values: pa.ChunkedArray, place: Place) -> InvalidCells | None:
    is_bad = pc.greater(pc.abs(values), column_types.LARGEST)
    rule = f"numbers of column {column.name!r} of {place.file} must lie within float32, to 3.4e38"
    fix = f"{CORRECT}, or leave it out: data.ignore=[{column.name}]"
    return _first(values, is_bad, place, InvalidCells(rule, "", fix, "D109", CORRECT))


def _first(
    cells: pa.ChunkedArray, is_bad: pa.ChunkedArray, place: Place, invalid: InvalidCells
) -> InvalidCells | None:
    bad = np.flatnonzero(is_bad.fill_null(False))
    if not len(bad):
        return None
    first = int(bad[0])
    row = first if place.rows is None else place.rows[first]
    where = f"{shown(cells[first].as_py())} in row {row}"
    return replace(invalid, got=where).with_count(len(bad))


def joined(invalid_cells: list[Problem]) -> list[Problem]:
    """Make one of those that several chunks have of a column, as the first chunk shows it."""
    joint: dict[str, Problem] = {}
    for invalid in invalid_cells:
        before = joint.setdefault(invalid.rule, invalid)
        if (
            before is not invalid
            and isinstance(before, InvalidCells)
            and isinstance(invalid, InvalidCells)
        ):
            joint[invalid.rule] = before.with_count(before.count + invalid.count)
    return list(joint.values())
