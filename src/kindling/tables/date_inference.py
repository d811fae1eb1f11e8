"""Find how the dates of a column are written: form, order of day and month, zones, placeholders."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables import column_types
from kindling.tables.categories import digits_as_text
from kindling.tables.column import Column
from kindling.tables.date_forms import ISO
from kindling.tables.date_text import (
    COMPACT,
    DateStyle,
    date_patterns,
    find_zones,
    known_dates,
    zone_of,
)
from kindling.tables.number_text import SAMPLE

# What people and programs write where no date is known, in the order of time.
PLACEHOLDERS = (
    *("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"),
    *("2099-12-31", "2100-01-01", "2222-02-22", "2999-12-31", "3000-01-01", "4712-12-31"),
    *("9999-01-01", "9999-12-30", "9999-12-31"),
)
FIRST_COMPACT, LAST_COMPACT = 19_000_101, 21_000_101_000_000  # of digits, with or without time
FAR = 3.0  # times the span of the other dates
FAR_DAYS = 3652.0  # and ten years


def describe_date(column: Column, cells: pa.ChunkedArray) -> Column:
    """Complete a column of dates from its train rows; a pattern that it has is kept.

    Args:
        column: of type "date".
        cells: as they were read.
    """
    text = digits_as_text(cells)
    patterns: tuple[str, ...] = (column.pattern,)
    zones: tuple[str, ...] = ()
    if column_types.is_text(text):
        known = pc.drop_null(known_dates(text, column.missing))
        patterns = patterns if column.pattern else date_patterns(known) or (ISO,)
        zones = find_zones(known)
    elif zone_of(cells.type):
        zones = (zone_of(cells.type),)
    style = DateStyle(patterns[0], None, column.missing)
    days = column_types.to_days(text, style)
    gaps = placeholders_of(days)
    real = days
    if gaps:
        is_gap = pc.is_in(pc.floor(days), value_set=pa.array(gaps, pa.float64()))
        real = pc.if_else(is_gap, pa.scalar(None, pa.float64()), days)
    return replace(
        column,
        num_missing=real.null_count,
        **range_of(real),
        is_whole=column_types.is_whole(real),  # no time of the day
        pattern=patterns[0] if column_types.is_text(text) else "",
        is_doubtful=column.is_doubtful or len(patterns) > 1,
        zones=zones,
        gaps=gaps,
    )


def range_of(numbers: pa.ChunkedArray) -> dict[str, Any]:
    """Return the ends of numbers as fields of a column."""
    ends = pc.min_max(numbers)
    return {"low": ends["min"].as_py(), "high": ends["max"].as_py()}


def are_compact_dates(known: pa.ChunkedArray) -> bool:
    """Say whether cells of eight or fourteen digits are dates of 1900 to 2099, as 20240131 is."""
    if not column_types.is_text(known):
        ends = pc.min_max(pc.cast(known, pa.float64(), safe=False)).as_py()
        if ends["min"] is None or ends["min"] < FIRST_COMPACT or ends["max"] >= LAST_COMPACT:
            return False  # which is quick
        known = digits_as_text(known)
    dates = known
    for cells in (known.slice(0, SAMPLE), known):
        dates = pc.drop_null(known_dates(cells))  # a "-" among them is a gap
        if len(dates) and not pc.all(pc.match_substring_regex(dates, COMPACT)).as_py():
            return False
    found = date_patterns(dates) if len(dates) else ()
    return bool(found) and column_types.to_days(dates, DateStyle(found[0])).null_count == 0


def placeholders_of(days: pa.ChunkedArray) -> tuple[float, ...]:
    """Return the placeholders that lie far from the other dates, whether they occur or not."""
    known = np.floor(days.drop_null().to_numpy())
    usual = np.array(PLACEHOLDERS, dtype="datetime64[D]").astype(np.float64)
    others = known[~np.isin(known, usual)]
    if not len(others):
        return ()
    first, last = usual_range(others)
    return tuple(usual[(usual < first) | (usual > last)].tolist())


def usual_range(days: np.ndarray) -> tuple[float, float]:
    """Return between which days dates (N,) are not far from the others."""
    # By quantiles: a single wild date shall not hide the others.
    low, high = np.quantile(days, [0.01, 0.99])
    reach = max(FAR * (high - low), FAR_DAYS)
    return low - reach, high + reach


def settle_order(columns: Sequence[Column], train: pa.Table) -> list[Column]:
    """Read days and months in the order that another column of the table shows beyond doubt."""
    dates = [c for c in columns if c.column_type == "date" and c.pattern]
    sure = {_order(c.pattern) for c in dates if not c.is_doubtful} - {""}
    if len(sure) != 1:
        return list(columns)
    settled = []
    for column in columns:
        if column in dates and column.is_doubtful:
            known = pc.drop_null(known_dates(digits_as_text(train.column(column.name))))
            fits = [p for p in date_patterns(known) if _order(p) in sure]
            if len(fits) == 1:
                blank = replace(column, pattern=fits[0], is_doubtful=False)
                column = describe_date(blank, train.column(column.name))
        settled.append(column)
    return settled


def _order(pattern: str) -> str:
    """Return the order of day, month and year in numbers, "" of another form."""
    order = "".join(sign for sign in pattern.lower() if sign in "dmy")
    return order if "%b" not in pattern.lower() and pattern != ISO and "%d" in pattern else ""
