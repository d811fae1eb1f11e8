"""The train cells of one column in; what is odd about how they are written out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import Problem
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.schema import Column

CODES_PATTERN = r"^[A-Z]{2}$"  # of countries and states, of which NA is one
# One sign before or one short word behind: $5, 12.5%, 3 kg, 1,000 km/h; without digits, the unit
WITH_UNIT = r"^([$€£¥] ?[+-]?[\d.,]+|[+-]?[\d.,]*\d[\d.,]* ?([%$€£¥°]|[A-Za-zµ°²³/]{1,5}\.?))$"
DIGITS = r"[\d.,+\- ]"
MOSTLY = 0.9  # share of cells
MAX_NAMED = 5


class Cells(NamedTuple):
    """N cells of one column as they were read, and int64 (N,) numbers of their rows."""

    raw: pa.ChunkedArray
    rows: np.ndarray

    def where(self, found: pa.ChunkedArray) -> str:
        """Say how many were found and where the first stands, or "" of none."""
        places = np.flatnonzero(found.fill_null(False))
        if not len(places):
            return ""
        first = f"{self.rows[places[0]]}"
        return f"{len(places):,} of {len(self.raw):,} cells, the first in row {first}"

    def first(self, found: pa.ChunkedArray) -> str:
        """Show the first cell that was found, and its row."""
        place = int(np.flatnonzero(found.fill_null(False))[0])
        return f"{shown(self.raw[place].as_py())} in row {self.rows[place]}"


def infinite(column: Column, cells: Cells) -> Iterator[Problem]:
    """Count cells that hold infinity."""
    if column.column_type != "number":
        return
    if column_types.is_text(cells.raw):
        text = pc.utf8_lower(pc.utf8_trim_whitespace(cells.raw))
        found = pc.is_in(text, value_set=pa.array(column_types.INFINITE))
    elif pa.types.is_floating(cells.raw.type):
        found = pc.is_inf(cells.raw)
    else:
        return
    if where := cells.where(found):
        rule = f"numbers of {column.name!r} should be finite"
        got, fix = f"infinity in {where}: counted as missing", "correct the cells or empty them"
        yield Problem(rule, got, fix, "D108")


def markers(column: Column, cells: Cells) -> Iterator[Problem]:
    """Count what people write where they know nothing, and doubt whether it was meant so."""
    if not column_types.is_text(cells.raw):
        return
    words = column_types.NUMBER_MARKERS if column.column_type == "number" else column_types.MARKERS
    text = pc.utf8_trim_whitespace(cells.raw)
    is_marker = pc.is_in(text, value_set=pa.array([word for word in words if word]))
    where = cells.where(is_marker)
    if not where:
        return
    found = pc.unique(text.filter(is_marker)).to_pylist()
    got = f"{', '.join(map(repr, found[:MAX_NAMED]))} in {where}: counted as missing"
    empty = pc.sum(pc.equal(text, "")).as_py() or 0
    if column.column_type == "category" and _looks_real(set(found), text, empty):
        rule = f"NA or None in {column.name!r} may be a value of its own"
        yield Problem(rule, got, "write another word, such as 'nothing', if it is", "D111")
    else:
        rule = f"missing cells of {column.name!r} are written as words"
        yield Problem(rule, got, "nothing, if that is right", "D110")


def _looks_real(found: set[str], text: pa.ChunkedArray, empty: int) -> bool:
    if "NA" in found:
        known = pc.drop_null(column_types.known_text(text))
        return len(known) > 0 and pc.all(pc.match_substring_regex(known, CODES_PATTERN)).as_py()
    return found == {"None"} and empty == 0


def mixed(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that a category has numbers among its words, or codes with leading zeros."""
    if column.column_type != "category" or not column_types.is_text(cells.raw):
        return
    as_number = f"'data.kinds={{{column.name}: number}}' if"
    known = column_types.known_text(cells.raw)
    if column.why.startswith("codes with leading zeros"):
        rule = f"{column.name!r} holds codes with leading zeros"
        got = f"{cells.first(pc.match_substring_regex(known, r'^0[0-9]+$'))}: taken as categories"
        yield Problem(rule, got, f"{as_number} they are quantities", "D115")
        return
    is_number = pc.is_valid(column_types.to_number(known))
    if 0 < pc.sum(is_number).as_py() < pc.count(known).as_py():
        rule = f"{column.name!r} should hold words or numbers"
        got = f"numbers in {cells.where(is_number)}: taken as categories"
        yield Problem(rule, got, f"{as_number} the words are mistakes", "D112")


def commas(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say what a number with a comma was taken for."""
    if column.column_type == "number" and column_types.is_text(cells.raw):
        fix = f"'data.kinds={{{column.name}: category}}' if they are codes"
        yield from read_commas(column.name, column.decimal, cells, fix)


def read_commas(name: str, decimal: str, cells: Cells, fix: str) -> Iterator[Problem]:
    """Say it of any numbers that are written as text."""
    values = column_types.to_number(cells.raw, decimal)
    found = pc.and_(pc.match_substring(cells.raw, ","), pc.is_valid(values))
    if cells.where(found):
        got = f"{cells.first(found)} read as {values.filter(found)[0].as_py():g}"
        yield Problem(f"numbers of {name!r} have commas", got, fix, "D113")


def unclear_dates(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say how dates that can be read in two ways were read."""
    if not column_types.is_text(cells.raw) or not column.pattern.startswith("%m/%d"):
        return
    known = column_types.known_text(cells.raw)
    other = column.pattern.replace("%m/%d", "%d/%m")
    if column_types.to_days(known, other).null_count == known.null_count:
        rule, fix = f"dates of {column.name!r} should be clear", "write them as 2024-12-31"
        got = f"{cells.first(pc.is_valid(known))} read month first"
        yield Problem(rule, got, fix, "D114")


def units(column: Column, cells: Cells) -> Iterator[Problem]:
    """Suspect numbers behind a sign or before a unit, which are read as text."""
    if not column_types.is_text(cells.raw) or column.column_type not in ("category", "id", "text"):
        return
    known = column_types.known_text(cells.raw, column_types.NUMBER_MARKERS)
    has_unit = pc.match_substring_regex(known, WITH_UNIT)
    found = pc.replace_substring_regex(known.filter(has_unit), DIGITS, "")
    counts = pc.value_counts(found).field("counts").to_numpy()
    if max(counts, default=0) >= MOSTLY * pc.count(known).as_py() > 0:  # of one and the same unit
        rule = f"cells of {column.name!r} look like numbers with a unit"
        got = f"{cells.first(has_unit)}: taken for {column.column_type}"
        yield Problem(rule, got, "write the numbers alone, the unit into the name", "D121")


def large_integers(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that whole numbers are too long for a float64."""
    is_text = column_types.is_text(cells.raw)
    if column.column_type != "number" or not (is_text or pa.types.is_integer(cells.raw.type)):
        return
    numbers = column_types.to_number(cells.raw, column.decimal)
    is_large = pc.greater(pc.abs(numbers), column_types.EXACT)
    if is_text:
        text = pc.utf8_trim_whitespace(cells.raw)
        is_large = pc.and_(is_large, pc.match_substring_regex(text, r"^[+-]?\d+$"))
    if where := cells.where(is_large):
        rule = f"whole numbers of {column.name!r} should stay below 2^53"
        got = f"larger ones in {where}: their last digits are lost"
        fix = f"'data.kinds={{{column.name}: category}}', or data.ignore=[{column.name}]"
        yield Problem(rule, got, fix, "D116")


def durations(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say in which unit durations are read."""
    kind = cells.raw.type
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        rule = f"{column.name!r} holds durations or times of the day"
        yield Problem(rule, f"{kind}: read as seconds", "nothing", "D119")
