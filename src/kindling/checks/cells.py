"""Check how the cells of one column are written: markers, commas, dates, units, codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out, read_as
from kindling.tables.column import Column
from kindling.tables.invalid_cells import DECIMAL
from kindling.tables.number_text import MARKERS, NUMBER_MARKERS, known_text
from kindling.tables.part_files import PartFiles, locate

# One sign before or one short word behind: $5, 12.5%, 3 kg, 1,000 km/h; without digits, the unit
WITH_UNIT = r"^([$€£¥] ?[+-]?[\d.,]+|[+-]?[\d.,]*\d[\d.,]* ?([%$€£¥°]|[A-Za-zµ°²³/]{1,5}\.?))$"
DIGITS = r"[\d.,+\- ]"
MAX_WORDS = 5  # among numbers, that may stand for missing ones
ODD_NUMBER = r"[^\d.eE+\- ]|\d[ -]|^[+-]?\d+\.\d+\."  # is written otherwise than 1234.5 and -5e3
MOSTLY = 0.9  # share of cells
FEW_ZEROS = 0.1  # likewise


class Cells(NamedTuple):
    """N cells of one column as they were read, int64 (N,) numbers of their rows, and the files."""

    raw: pa.ChunkedArray
    rows: np.ndarray
    file: str | PartFiles = ""

    def where(self, found: pa.ChunkedArray) -> str:
        """Say how many were found and where the first stands, or "" of none."""
        places = np.flatnonzero(found.fill_null(False))
        if not len(places):
            return ""
        first = self._row(int(places[0]))
        return f"{len(places):,} of {len(self.raw):,} cells, the first in row {first}"

    def _row(self, place: int) -> str:
        """Name the row of a cell, and its file where there are several."""
        name, numbers = locate(self.file, self.rows[[place]])
        is_one = not isinstance(self.file, PartFiles) or len(self.file.files) == 1
        return f"{numbers[0]}" if is_one else f"{numbers[0]} of {Path(name).name}"

    def first(self, found: pa.ChunkedArray) -> str:
        """Show the first cell that was found, and its row."""
        place = int(np.flatnonzero(found.fill_null(False))[0])
        return f"{shown(self.raw[place].as_py())} in row {self._row(place)}"

    def fields(self, column: str, found: pa.ChunkedArray) -> dict[str, Any]:
        """Return where the cells that were found stand, as the fields of a Problem."""
        places = np.flatnonzero(found.fill_null(False))
        name, numbers = locate(self.file, self.rows[places[:1]])
        more = {"file": name} if isinstance(self.file, PartFiles) else {}
        return {"column": column, "row": int(numbers[0]), "count": len(places)} | more


def check_infinity(column: Column, cells: Cells) -> Iterator[Problem]:
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
        yield Problem(rule, got, fix, "D108", **cells.fields(column.name, found))


def check_markers(column: Column, cells: Cells) -> Iterator[Problem]:
    """Count what people write where they know nothing: missing numbers, or words as any other."""
    if not column_types.is_text(cells.raw):
        return
    is_category = column.column_type == "category"
    words = (*(MARKERS if is_category else NUMBER_MARKERS), *column.missing)
    text = pc.utf8_trim_whitespace(cells.raw)
    is_marker = pc.is_in(text, value_set=pa.array([word for word in words if word]))
    if is_category:
        is_marker = pc.and_not(
            is_marker, pc.is_in(text, value_set=pa.array(column.missing, text.type))
        )
    where = cells.where(is_marker)
    if not where:
        return
    found = pc.unique(text.filter(is_marker)).to_pylist()
    got, fields = f"{first_few(map(repr, found))} in {where}", cells.fields(column.name, is_marker)
    if is_category:
        rule = f"words of {column.name!r} should say what they mean"
        named = Setting("data.csv.missing", found, "if nothing is known there", is_added=True)
        fix: Fix = ("nothing, if it is a value", named)
        yield Problem(rule, f"{got}: taken for a category", fix, "D111", **fields)
    else:
        rule = f"missing cells of {column.name!r} are written as words"
        yield Problem(
            rule, f"{got}: counted as missing", "nothing, if that is right", "D110", **fields
        )


def check_mixture(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that a category has numbers among its words, or codes with leading zeros."""
    if column.column_type != "category" or not column_types.is_text(cells.raw):
        return
    known = known_text(cells.raw, (*MARKERS, *column.missing))
    if column.has_leading_zeros:
        found = pc.match_substring_regex(known, column_types.LEADING_ZEROS)
        rule = f"{column.name!r} holds codes with leading zeros"
        got = f"{cells.first(found)}: taken as categories"
        if _are_few_zeros(known, found):
            rule = f"numbers of {column.name!r} should not begin with 0"
            fix = read_as(column.name, "number", "if they are quantities")
            got = f"{cells.first(found)}, in {cells.where(found)}: all are taken as categories"
            yield Problem(rule, got, fix, "D129", **cells.fields(column.name, found))
            return
        fix = read_as(column.name, "number", "if they are quantities")
        yield Problem(rule, got, fix, "D115", **cells.fields(column.name, found))
        return
    is_number = pc.is_valid(column_types.to_number(known, column.style))
    if 0 < pc.sum(is_number).as_py() < pc.count(known).as_py():
        rule = f"{column.name!r} should hold words or numbers"
        got = f"numbers in {cells.where(is_number)}: taken as categories"
        fields = cells.fields(column.name, is_number)
        words = pc.unique(known.filter(pc.invert(is_number))).drop_null().to_pylist()
        is_mostly = pc.sum(is_number).as_py() > pc.count(known).as_py() / 2
        code = "D129" if is_mostly else "D112"
        if is_mostly:
            got += f"; words such as {first_few(map(shown, words))}"
        yield Problem(rule, got, _words_as_missing(words), code, **fields)


def _are_few_zeros(known: pa.ChunkedArray, found: pa.ChunkedArray) -> bool:
    """Say whether few cells have leading zeros, and all are not of one width as codes are."""
    ends = pc.min_max(pc.utf8_length(known)).as_py()
    count = pc.sum(found).as_py() or 0
    return ends["min"] != ends["max"] and count < FEW_ZEROS * pc.count(known).as_py()


def _words_as_missing(words: list[str]) -> Fix:
    """Offer to count words among numbers as missing; as numbers, their cells would be refused."""
    if len(words) > MAX_WORDS:
        return ("nothing, if they are categories", "correct the cells")
    missing = Setting("data.csv.missing", words, "if they say that nothing is known", is_added=True)
    return ("nothing, if they are categories", missing, "correct the cells")


def check_signs(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say how numbers with commas, units or two readings were read."""
    if column.column_type == "number" and column_types.is_text(cells.raw):
        fix = read_as(column.name, "category", "if they are codes")
        yield from read_signs(column, cells, fix)


def read_signs(column: Column, cells: Cells, fix: Fix) -> Iterator[Problem]:
    """Say it of any numbers that are written as text, and of the target.

    Args:
        column: how they are written.
        cells: with their rows.
        fix: where the numbers are no quantities.
    """
    name, values = column.name, column_types.to_number(cells.raw, column.style)
    if column.is_doubtful:
        body = pc.utf8_trim_whitespace(cells.raw)
        found = pc.and_(pc.match_substring_regex(body, r"\d[.,]\d"), pc.is_valid(values))
        if cells.where(found):
            other = "." if column.decimal == "," else ","
            rule = f"numbers of {name!r} should have one reading"
            got = f"{_as_read(cells, found, values)}, with {DECIMAL[column.decimal]}"
            way = Setting("data.csv.decimal", other, f"if it is {DECIMAL[other]}")
            sure = Setting("data.csv.decimal", column.decimal, "if that is right")
            yield Problem(rule, got, (way, sure), "D124", **cells.fields(name, found))
            return
    is_odd = pc.match_substring_regex(cells.raw, ODD_NUMBER)
    found = pc.and_(is_odd, pc.is_valid(values))
    if cells.where(found):
        rule = f"numbers of {name!r} have commas, units or groups"
        yield Problem(
            rule, _as_read(cells, found, values), fix, "D113", **cells.fields(name, found)
        )


def _as_read(cells: Cells, found: pa.ChunkedArray, values: pa.ChunkedArray) -> str:
    return f"{cells.first(found)} read as {values.filter(found)[0].as_py():.10g}"


def check_units(column: Column, cells: Cells) -> Iterator[Problem]:
    """Suspect numbers behind a sign or before a unit, which are read as text."""
    if not column_types.is_text(cells.raw) or column.column_type not in ("category", "id", "text"):
        return
    known = known_text(cells.raw, (*NUMBER_MARKERS, *column.missing))
    has_unit = pc.match_substring_regex(known, WITH_UNIT)
    found = pc.replace_substring_regex(known.filter(has_unit), DIGITS, "")
    counts = pc.value_counts(found).field("counts").to_numpy()
    if max(counts, default=0) >= MOSTLY * pc.count(known).as_py() > 0:  # of one and the same unit
        rule = f"cells of {column.name!r} look like numbers with a unit"
        got = f"{cells.first(has_unit)}: taken for {column.column_type}"
        fix = read_as(column.name, "number", "to read the numbers")
        yield Problem(rule, got, fix, "D121", **cells.fields(column.name, has_unit))


def check_large_integers(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that whole numbers are too long for a float64."""
    is_text = column_types.is_text(cells.raw)
    if column.column_type != "number" or not (is_text or pa.types.is_integer(cells.raw.type)):
        return
    numbers = column_types.to_number(cells.raw, column.style)
    is_large = pc.greater(pc.abs(numbers), column_types.EXACT)
    if is_text:
        text = pc.utf8_trim_whitespace(cells.raw)
        is_large = pc.and_(is_large, pc.match_substring_regex(text, r"^[+-]?\d+$"))
    if where := cells.where(is_large):
        rule = f"whole numbers of {column.name!r} should stay below 2^53"
        got = f"larger ones in {where}: their last digits are lost"
        fix = (read_as(column.name, "category", "if they are codes"), leave_out(column.name))
        yield Problem(rule, got, fix, "D116", **cells.fields(column.name, is_large))


def check_durations(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say in which unit durations are read."""
    cell_type = cells.raw.type
    if pa.types.is_duration(cell_type) or pa.types.is_time(cell_type):
        rule, got = f"{column.name!r} holds durations or times of the day", f"{cell_type}"
        yield Problem(rule, f"{got}: read as seconds", "nothing", "D119", column=column.name)


CELL_CHECKS = (
    check_infinity,
    check_markers,
    check_mixture,
    check_signs,
    check_units,
    check_large_integers,
    check_durations,
)
