"""Cells whose kind is known in; their column's range, levels and way of writing out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables import column_types
from kindling.tables.schema import Column

MOSTLY = 0.9  # share of cells that must fit before the others look like mistakes
RARE = 2  # what occurs in this many train rows or fewer is no level, and no gap, of its own
SAMPLE = 200  # cells that are tried before all


def decimal_sign(known: pa.ChunkedArray) -> str:
    """Return the sign by which more cells are numbers; "." where both do as well."""
    if not column_types.is_text(known):
        return "."
    some = known.slice(0, SAMPLE)
    if (
        pc.count(column_types.to_number(some, ",")).as_py()
        <= pc.count(column_types.to_number(some)).as_py()
    ):
        return "."
    counts = [pc.count(column_types.to_number(known, sign)).as_py() for sign in (".", ",")]
    return "," if counts[1] > counts[0] else "."


def date_pattern(known: pa.ChunkedArray) -> str:
    """Return the first pattern by which all cells are dates, or ""."""
    some = known.slice(0, SAMPLE)
    if not pc.all(pc.match_substring_regex(some, r"^\d")).as_py():
        return ""  # each of them begins with a digit
    for pattern in column_types.DATE_PATTERNS:
        if column_types.to_days(some, pattern).null_count == 0:
            days = column_types.to_days(known, pattern)
            if days.null_count <= (1 - MOSTLY) * len(known):
                return pattern
    return ""


def _describe_number(column: Column, cells: pa.ChunkedArray) -> Column:
    decimal = decimal_sign(cells)
    numbers = column_types.to_number(cells, decimal)
    return replace(
        column,
        num_missing=numbers.null_count,
        **_range(numbers),
        is_whole=column_types.is_whole(numbers),
        decimal=decimal,
    )


def _describe_boolean(column: Column, cells: pa.ChunkedArray) -> Column:
    return replace(column, num_missing=column_types.to_boolean(cells).null_count)


def _describe_date(column: Column, cells: pa.ChunkedArray) -> Column:
    pattern = (
        date_pattern(pc.drop_null(column_types.known_text(cells)))
        if column_types.is_text(cells)
        else ""
    )
    days = column_types.to_days(cells, pattern or "ISO8601")
    return replace(
        column,
        num_missing=days.null_count,
        **_range(days),
        is_whole=column_types.is_whole(days),  # no time of the day
        pattern=pattern,
    )


def _describe_category(column: Column, cells: pa.ChunkedArray) -> Column:
    text = column_types.to_category(cells)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(text).to_pylist()}
    missing = counts.pop(column_types.MISSING, 0)
    rare = [level for level, count in counts.items() if count <= RARE]
    why = column.why + (f", {len(rare)} rare levels pooled" if rare else "")
    levels = tuple(sorted(set(counts) - set(rare)))
    return replace(column, num_missing=missing, categories=levels, why=why)


def _range(numbers: pa.ChunkedArray) -> dict[str, Any]:
    ends = pc.min_max(numbers)
    return {"low": ends["min"].as_py(), "high": ends["max"].as_py()}


DESCRIBE: dict[str, Callable[[Column, pa.ChunkedArray], Column]] = {
    "number": _describe_number,
    "boolean": _describe_boolean,
    "date": _describe_date,
    "category": _describe_category,
}
