"""A column as it was described in; the same out, or a constant, an id or text that is left out."""

import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables import column_types
from kindling.tables.schema import Column, ColumnType

ALL_OTHERS = 0.95  # share of cells that are the only one of their value, in a name or an id
FEW_ROWS = 20  # in fewer rows, all values may differ by chance
COUNTER = 3.0  # whole numbers that all differ and lie this dense count the rows
ID_NAMES = ("id", "uuid", "guid", "key", "pid", "index", "nr", "no", "number", "code")
LONG_TEXT = 3.0  # words in a cell, on average, that make it free text


def leave_out(column: Column, cells: pa.ChunkedArray, known: pa.ChunkedArray) -> Column:
    """Turn a column that says nothing of other rows into one that is left out, by name."""
    is_varied = column.column_type in ("number", "date") and column.low != column.high
    if is_varied and not (column.column_type == "number" and _counts_rows(column, len(known))):
        return column
    distinct = pc.count_distinct(known).as_py()
    if distinct == 1 and column.num_missing == 0:
        why = f"only {known[0].as_py()!r} in the train rows"
        return replace(column, column_type="constant", why=why)
    if len(known) < FEW_ROWS or distinct < ALL_OTHERS * len(known):
        return column
    if column.column_type == "category":
        words = (
            pc.mean(pc.count_substring(known, " ")).as_py() + 1
            if column_types.is_text(cells)
            else 1
        )
        kind: ColumnType = "text" if words >= LONG_TEXT else "id"
        return replace(
            column, column_type=kind, why=_all_differ(distinct, len(known)), categories=()
        )
    if column.column_type == "number" and distinct == len(known) and _counts_rows(column, distinct):
        return replace(column, column_type="id", why=_all_differ(distinct, len(known)))
    return column


def _counts_rows(column: Column, rows: int) -> bool:
    """Say whether numbers that all differ are a count, a key by name, or too long for a measure."""
    assert column.low is not None
    assert column.high is not None
    is_long = column.high > column_types.EXACT and column.high % 1 == 0 and column.low % 1 == 0
    is_dense = column.high - column.low < COUNTER * rows
    return is_long or (column.is_whole and (is_dense or _is_named_id(column.name)))


def _all_differ(distinct: int, rows: int) -> str:
    return f"{distinct:,} values in {rows:,} rows"


def _is_named_id(name: str) -> bool:
    """Say whether a name ends in a word for a key, as in customer_id, PID or orderNumber."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return bool(words) and words[-1].lower() in ID_NAMES
