"""Raw columns of the train rows in, what each of them is, and why, out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kindling.data.columns import kinds
from kindling.data.columns.dialect import AUTO, Dialect
from kindling.data.columns.schema import DATE_PARTS, USED, Column, ColumnKind, TableSchema
from kindling.errors import DataError, Problem

MOSTLY = 0.9  # share of cells that must be numbers before the others look like mistakes
ALL_OTHERS = 0.95  # share of cells that are the only one of their value, in a name or an id
FEW_ROWS = 20  # in fewer rows, all values may differ by chance
RARE = 2  # what occurs in this many train rows or fewer is no level, and no gap, of its own
COUNTER = 3.0  # whole numbers that all differ and lie this dense count the rows
ID_NAMES = ("id", "uuid", "guid", "key", "pid", "index", "nr", "no", "number", "code")
LONG_TEXT = 3.0  # words in a cell, on average, that make it free text
SAMPLE = 200  # cells that are tried before all


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
        if name in train.column_names and not kinds.is_single(train.column(name))
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
    known = kinds.known_text(cells) if kinds.is_text(cells) else cells
    known = pc.drop_null(known)
    if len(known) == 0 or pa.types.is_null(cells.type):
        return Column(name, "empty", "no value in the train rows", num_missing=len(cells))
    if not kinds.is_single(cells):
        return Column(name, "text", f"cells of type {cells.type}", num_missing=0)
    kind, why = _kind_of(cells, known)
    column = DESCRIBE[kind](Column(name, kind, why), cells)
    if column.kind == "number" and column.low is None:
        return replace(column, kind="empty", why="no finite number in the train rows")
    return _left_out(column, cells, known)


def _kind_of(cells: pa.ChunkedArray, known: pa.ChunkedArray) -> tuple[ColumnKind, str]:
    """Choose between what is learnt from, by the type of the column or the look of its text."""
    if pa.types.is_boolean(cells.type):
        return "boolean", "true and false"
    if kinds.is_moment(cells):
        return "date", "dates"
    if not kinds.is_text(cells):
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
    some = kinds.known_text(known.slice(0, SAMPLE), kinds.NUMBER_MARKERS)
    if (
        len(known) > SAMPLE
        and 0 < pc.count(some).as_py() <= kinds.to_number(some, decimal).null_count
    ):
        return 0.0  # not a single number there: surely not nearly all
    if kinds.to_number(known, decimal).null_count == 0:
        return 1.0
    real = pc.drop_null(kinds.known_text(known, kinds.NUMBER_MARKERS))
    if len(real) == 0:
        return 0.0
    others = real.filter(pc.is_null(kinds.to_number(real, decimal)))
    infinite = pc.is_in(pc.utf8_lower(others), value_set=pa.array(kinds.INFINITE))
    return 1 - (len(others) - (pc.sum(infinite).as_py() or 0)) / len(real)


def decimal_sign(known: pa.ChunkedArray) -> str:
    """Return the sign by which more cells are numbers; "." where both do as well."""
    if not kinds.is_text(known):
        return "."
    some = known.slice(0, SAMPLE)
    if pc.count(kinds.to_number(some, ",")).as_py() <= pc.count(kinds.to_number(some)).as_py():
        return "."
    counts = [pc.count(kinds.to_number(known, sign)).as_py() for sign in (".", ",")]
    return "," if counts[1] > counts[0] else "."


def date_pattern(known: pa.ChunkedArray) -> str:
    """Return the first pattern by which all cells are dates, or ""."""
    some = known.slice(0, SAMPLE)
    if not pc.all(pc.match_substring_regex(some, r"^\d")).as_py():
        return ""  # each of them begins with a digit
    for pattern in kinds.DATE_PATTERNS:
        if kinds.to_days(some, pattern).null_count == 0:
            days = kinds.to_days(known, pattern)
            if days.null_count <= (1 - MOSTLY) * len(known):
                return pattern
    return ""


def _describe_number(column: Column, cells: pa.ChunkedArray) -> Column:
    decimal = decimal_sign(cells)
    numbers = kinds.to_number(cells, decimal)
    return replace(
        column,
        num_missing=numbers.null_count,
        **_range(numbers),
        is_whole=kinds.is_whole(numbers),
        decimal=decimal,
    )


def _describe_boolean(column: Column, cells: pa.ChunkedArray) -> Column:
    return replace(column, num_missing=kinds.to_boolean(cells).null_count)


def _describe_date(column: Column, cells: pa.ChunkedArray) -> Column:
    pattern = date_pattern(pc.drop_null(kinds.known_text(cells))) if kinds.is_text(cells) else ""
    days = kinds.to_days(cells, pattern or "ISO8601")
    return replace(
        column,
        num_missing=days.null_count,
        **_range(days),
        is_whole=kinds.is_whole(days),  # no time of the day
        pattern=pattern,
    )


def _describe_category(column: Column, cells: pa.ChunkedArray) -> Column:
    text = kinds.to_category(cells)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(text).to_pylist()}
    missing = counts.pop(kinds.MISSING, 0)
    rare = [level for level, count in counts.items() if count <= RARE]
    why = column.why + (f", {len(rare)} rare levels pooled" if rare else "")
    levels = tuple(sorted(set(counts) - set(rare)))
    return replace(column, num_missing=missing, levels=levels, why=why)


DESCRIBE: dict[str, Callable[[Column, pa.ChunkedArray], Column]] = {
    "number": _describe_number,
    "boolean": _describe_boolean,
    "date": _describe_date,
    "category": _describe_category,
}


def _range(numbers: pa.ChunkedArray) -> dict[str, Any]:
    ends = pc.min_max(numbers)
    return {"low": ends["min"].as_py(), "high": ends["max"].as_py()}


def _left_out(column: Column, cells: pa.ChunkedArray, known: pa.ChunkedArray) -> Column:
    """Turn a column that says nothing of other rows into one that is left out, by name."""
    is_varied = column.kind in ("number", "date") and column.low != column.high
    if is_varied and not (column.kind == "number" and _counts_rows(column, len(known))):
        return column
    distinct = pc.count_distinct(known).as_py()
    if distinct == 1 and column.num_missing == 0:
        why = f"only {known[0].as_py()!r} in the train rows"
        return replace(column, kind="constant", why=why)
    if len(known) < FEW_ROWS or distinct < ALL_OTHERS * len(known):
        return column
    if column.kind == "category":
        words = pc.mean(pc.count_substring(known, " ")).as_py() + 1 if kinds.is_text(cells) else 1
        kind: ColumnKind = "text" if words >= LONG_TEXT else "id"
        return replace(column, kind=kind, why=_all_differ(distinct, len(known)), levels=())
    if column.kind == "number" and distinct == len(known) and _counts_rows(column, distinct):
        return replace(column, kind="id", why=_all_differ(distinct, len(known)))
    return column


def _counts_rows(column: Column, rows: int) -> bool:
    """Say whether numbers that all differ are a count, a key by name, or too long for a measure."""
    assert column.low is not None
    assert column.high is not None
    is_long = column.high > kinds.EXACT and column.high % 1 == 0 and column.low % 1 == 0
    is_dense = column.high - column.low < COUNTER * rows
    return is_long or (column.is_whole and (is_dense or _is_named_id(column.name)))


def _all_differ(distinct: int, rows: int) -> str:
    return f"{distinct:,} values in {rows:,} rows"


def _is_named_id(name: str) -> bool:
    """Say whether a name ends in a word for a key, as in customer_id, PID or orderNumber."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return bool(words) and words[-1].lower() in ID_NAMES


def _with_features(column: Column, taken: set[str]) -> Column:
    """Name the typed columns that it becomes; no two alike."""
    if column.kind not in USED:
        return column
    names = [column.name]
    if column.kind == "date":
        parts = DATE_PARTS[:-1] if column.is_whole else DATE_PARTS
        names = [f"{column.name} ({part})" for part in parts]
    elif column.kind == "number" and column.num_missing > RARE:
        names.append(f"{column.name} is missing")
    free = [names[0] if names[0] == column.name else _free(names[0], taken)]
    free += [_free(name, taken) for name in names[1:]]
    return replace(column, features=tuple(free))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name
