"""Find the columns that say nothing of other rows: constants, ids and free text."""

import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from kindling.fixes import Fix
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out, read_as
from kindling.tables.column import Column, ColumnType

ALL_OTHERS = 0.95  # share of cells that are the only one of their value, in a name or an id
FEW_ROWS = 20  # in fewer rows, all values may differ by chance
YEARS = (1500, 2200)  # whole numbers between these are years rather than a count of rows
COUNTER = 3.0  # whole numbers that all differ and lie this dense count the rows
ID_NAMES = ("id", "uuid", "guid", "key", "pid", "index", "nr", "no", "number", "code")
LONG_TEXT = 3.0  # words in a cell, on average, that make it free text


def unless_useless(column: Column, cells: pa.ChunkedArray, known: pa.ChunkedArray) -> Column:
    """Turn a column that says nothing of other rows into a constant, an id or free text.

    Args:
        column: as it was described.
        cells: of the train rows, as they were read.
        known: those of them that have a value.
    """
    is_varied = column.column_type in ("number", "date") and column.low != column.high
    if is_varied and not (column.column_type == "number" and _counts_rows(column, len(known))):
        return column
    distinct = pc.count_distinct(known).as_py()
    if distinct == 1 and column.num_missing == 0:
        why = f"only {known[0].as_py()!r} in the train rows"
        return replace(column, column_type="constant", why=why)
    if len(known) < FEW_ROWS or distinct < ALL_OTHERS * len(known):
        return column
    why = f"{distinct:,} values in {len(known):,} rows"
    if column.column_type == "category":
        is_text = column_types.is_text(cells)
        words = pc.mean(pc.count_substring(known, " ")).as_py() + 1 if is_text else 1
        left_out: ColumnType = "text" if words >= LONG_TEXT else "id"
        return replace(column, column_type=left_out, why=why, categories=())
    if column.column_type == "number" and distinct == len(known) and _counts_rows(column, distinct):
        return replace(column, column_type="id", why=why)
    return column


def take_in(column: Column) -> Fix:
    """Say how a column that was left out can be learnt from, where that helps."""
    if column.column_type == "constant":
        return "nothing, while all rows have the same"
    if column.high is not None and column.high <= column_types.EXACT:
        return read_as(column.name, "number", "to take it in")
    return ("nothing: next to no two rows have the same", leave_out(column.name, "to say so"))


def _counts_rows(column: Column, rows: int) -> bool:
    """Say whether numbers that all differ are a count, a key by name, or too long for a measure."""
    assert column.low is not None
    assert column.high is not None
    is_long = column.high > column_types.EXACT and column.high % 1 == 0 and column.low % 1 == 0
    is_dense = column.high - column.low < COUNTER * rows
    is_year = column.low >= YEARS[0] and column.high <= YEARS[1]
    is_count = column.low >= 0 and ((is_dense and not is_year) or _is_named_id(column.name))
    return is_long or (column.is_whole and is_count)


def _is_named_id(name: str) -> bool:
    """Say whether a name ends in a word for a key, as in customer_id, PID or orderNumber."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return bool(words) and words[-1].lower() in ID_NAMES
