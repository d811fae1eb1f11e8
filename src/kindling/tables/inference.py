"""RawData columns of the train rows in, what each of them is, and why, out."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.tables import column_types
from kindling.tables.describe import (
    DESCRIBE,
    MOSTLY,
    RARE,
    SAMPLE,
    date_pattern,
    decimal_sign,
)
from kindling.tables.dialect import AUTO, Dialect
from kindling.tables.left_out import leave_out
from kindling.tables.schema import DATE_PARTS, USED, Column, ColumnType, TableSchema


def infer_schema(train: pa.Table, asked: Mapping[str, str], dialect: Dialect = AUTO) -> TableSchema:
    """Name each column's kind from the train rows.

    Args:
        train: the raw train rows.
        asked: data.kinds, which has the last word.
        dialect: data.csv, which the rows of later are read by.

    Raises:
        DataError: a kind that was asked for is none, or no column is left to learn from.
    """
    choices = USED
    problems = [
        Problem(
            f"data.kinds.{name} must be a kind",
            str(kind),
            f"choose from {', '.join(choices)}",
            "D104",
        )
        for name, kind in asked.items()
        if kind not in choices
    ]
    problems += [
        Problem(
            f"data.kinds.{name} needs cells that are single values",
            f"cells of type {train.column(name).type}",
            "make columns of their parts",
            "D104",
        )
        for name in asked
        if name in train.column_names and not column_types.is_single(train.column(name))
    ]
    if problems:
        raise DataError(*problems)
    taken = set(train.column_names)
    columns = tuple(
        _with_features(infer_column(name, train.column(name), asked.get(name)), taken)
        for name in train.column_names
    )
    return TableSchema(columns, dialect)


def infer_column(name: str, cells: pa.ChunkedArray, asked: str | None) -> Column:
    """Describe one column; a kind that was asked for is taken, whatever the cells hold."""
    if asked is not None:
        return DESCRIBE[asked](Column(name, asked, "data.kinds"), cells)  # type: ignore[arg-type]
    known = column_types.known_text(cells) if column_types.is_text(cells) else cells
    known = pc.drop_null(known)
    if len(known) == 0 or pa.types.is_null(cells.type):
        return Column(name, "empty", "no value in the train rows", num_missing=len(cells))
    if not column_types.is_single(cells):
        return Column(name, "text", f"cells of type {cells.type}", num_missing=0)
    kind, why = _kind_of(cells, known)
    column = DESCRIBE[kind](Column(name, kind, why), cells)
    if column.column_type == "number" and column.low is None:
        return replace(column, column_type="empty", why="no finite number in the train rows")
    return leave_out(column, cells, known)


def _kind_of(cells: pa.ChunkedArray, known: pa.ChunkedArray) -> tuple[ColumnType, str]:
    """Choose between what is learnt from, by the type of the column or the look of its text."""
    if pa.types.is_boolean(cells.type):
        return "boolean", "true and false"
    if column_types.is_moment(cells):
        return "date", "dates"
    if not column_types.is_text(cells):
        return "number", "numbers"
    if _are_true_or_false(known.slice(0, SAMPLE)) and _are_true_or_false(known):
        return "boolean", "true and false"
    if has_leading_zeros(known):
        return "category", "codes with leading zeros"
    share = _share_of_numbers(known, decimal_sign(known))
    if share >= MOSTLY:
        return "number", "numbers" if share == 1 else f"numbers in {share:.0%} of the cells"
    pattern = date_pattern(known)
    return ("date", f"dates like {known[0]}") if pattern else ("category", "text")


def _are_true_or_false(known: pa.ChunkedArray) -> bool:
    return pc.all(pc.is_in(pc.utf8_lower(known), value_set=pa.array(["true", "false"]))).as_py()


def has_leading_zeros(known: pa.ChunkedArray) -> bool:
    """Say whether a cell is a code such as 007."""
    some = known.filter(pc.starts_with(known, "0"))  # an expression takes long on all
    return bool(pc.any(pc.match_substring_regex(some, r"^0\d+$")).as_py())


def _share_of_numbers(known: pa.ChunkedArray, decimal: str) -> float:
    """Return the share of known cells that are numbers, not counting markers of missing ones."""
    some = column_types.known_text(known.slice(0, SAMPLE), column_types.NUMBER_MARKERS)
    if (
        len(known) > SAMPLE
        and 0 < pc.count(some).as_py() <= column_types.to_number(some, decimal).null_count
    ):
        return 0.0  # not a single number there: surely not nearly all
    if column_types.to_number(known, decimal).null_count == 0:
        return 1.0
    real = pc.drop_null(column_types.known_text(known, column_types.NUMBER_MARKERS))
    if len(real) == 0:
        return 0.0
    others = real.filter(pc.is_null(column_types.to_number(real, decimal)))
    infinite = pc.is_in(pc.utf8_lower(others), value_set=pa.array(column_types.INFINITE))
    return 1 - (len(others) - (pc.sum(infinite).as_py() or 0)) / len(real)


def _with_features(column: Column, taken: set[str]) -> Column:
    """Name the typed columns that it becomes; no two alike."""
    if column.column_type not in USED:
        return column
    names = [column.name]
    if column.column_type == "date":
        parts = DATE_PARTS[:-1] if column.is_whole else DATE_PARTS
        names = [f"{column.name} ({part})" for part in parts]
    elif column.column_type == "number" and column.num_missing > RARE:
        names.append(f"{column.name} is missing")
    free = [names[0] if names[0] == column.name else _free(names[0], taken)]
    free += [_free(name, taken) for name in names[1:]]
    return replace(column, features=tuple(free))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name
