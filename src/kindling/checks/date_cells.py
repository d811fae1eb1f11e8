"""Check how the dates of a column are written: two readings, placeholders, zones, other forms."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.checks.cells import Cells
from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import first_few
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out
from kindling.tables.categories import digits_as_text
from kindling.tables.column import Column, convert
from kindling.tables.date_forms import DATE_LIKE, guess_form
from kindling.tables.date_inference import usual_range
from kindling.tables.date_text import ZERO_DATE, date_patterns, known_dates
from kindling.tables.number_text import MOSTLY

LATE = 23_741.0  # days since 1970 of the first of January 2035
FEW_DATES = 8  # of which none is far from the others


def check_dates(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say how dates that can be read in two ways were read, and which stand for none."""
    if column.column_type != "date":
        return
    name, days = column.name, convert(replace(column, gaps=()), cells.raw)
    found = pc.is_valid(days)
    if column.is_doubtful and cells.where(found):
        rule = f"dates of {name!r} should have one reading"
        known = pc.drop_null(known_dates(digits_as_text(cells.raw), column.missing))
        others = [p for p in date_patterns(known) if p != column.pattern]
        got = f"{cells.first(found)} read as {_day(days.filter(found)[0].as_py())}"
        fix = tuple(
            Setting("data.dates", {name: p}, is_added=True) for p in (*others, column.pattern)
        )
        yield Problem(rule, got, fix, "D114", **cells.fields(name, found))
    if "%y" in column.pattern:
        yield from _check_short_years(column, cells, days)
    if column.zones and "" in column.zones:
        rule = f"times of {name!r} should all have a time zone, or none"
        got = f"{first_few(z or 'none' for z in column.zones)}: each is read by its own clock"
        yield Problem(rule, got, "write them in one zone", "D130", column=name)
    yield from check_far_dates(column, cells, days)


def _check_short_years(column: Column, cells: Cells, days: pa.ChunkedArray) -> Iterator[Problem]:
    """Doubt years of two digits that are read as years to come."""
    late = pc.greater(days, LATE)
    if cells.where(late):
        rule = f"years of {column.name!r} should have four digits"
        got = f"{cells.first(late)} read as {_day(days.filter(late)[0].as_py())}"
        fix = "write them with four digits, if that is wrong"
        yield Problem(rule, got, fix, "D114", **cells.fields(column.name, late))


def check_far_dates(column: Column, cells: Cells, days: pa.ChunkedArray) -> Iterator[Problem]:
    """Say which dates stand for none, or lie far from all others."""
    is_gap = pc.is_in(pc.floor(days), value_set=pa.array(column.gaps, pa.float64()))
    if column_types.is_text(cells.raw):
        text = pc.utf8_trim_whitespace(cells.raw)
        is_gap = pc.or_(is_gap, pc.match_substring_regex(text, ZERO_DATE))
    rule = f"dates of {column.name!r} should be dates"
    if where := cells.where(is_gap):
        got = f"{cells.first(is_gap)}, {where}: counted as missing"
        fix = "nothing, if no date is known there; else correct them"
        yield Problem(rule, got, fix, "D127", **cells.fields(column.name, is_gap))
    known = pc.if_else(is_gap, pa.scalar(None, pa.float64()), days)
    numbers = known.drop_null().to_numpy()
    if len(numbers) < FEW_DATES:
        return
    first, last = usual_range(numbers)
    is_far = pc.or_(pc.less(known, first), pc.greater(known, last))
    if where := cells.where(is_far):
        got = f"{cells.first(is_far)}, {where}: kept, and far from all others"
        ways = ("correct them", leave_out(column.name))
        yield Problem(rule, got, ways, "D127", **cells.fields(column.name, is_far))


def _day(days: float) -> str:
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(np.floor(days)), "D"))


def check_date_like(column: Column, cells: Cells) -> Iterator[Problem]:
    """Suspect dates and times of a form that is not known, which are read as text."""
    if not column_types.is_text(cells.raw) or column.column_type not in ("category", "id", "text"):
        return
    known = known_dates(cells.raw, column.missing)
    found = pc.match_substring_regex(known, DATE_LIKE)
    if (pc.sum(found).as_py() or 0) >= MOSTLY * pc.count(known).as_py() > 0:
        rule = f"cells of {column.name!r} look like dates or times"
        got = f"{cells.first(found)}, a form that is not known: taken for {column.column_type}"
        first = known.filter(pc.fill_null(found, False))[0].as_py()
        form = Setting(
            "data.dates", {column.name: guess_form(first)}, "with their form", is_added=True
        )
        yield Problem(rule, got, form, "D125", **cells.fields(column.name, found))
