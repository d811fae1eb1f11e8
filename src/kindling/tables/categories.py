"""Find the category that a cell means, however it is typed: the code 3 comes as 3, 3.0 or "3.0".

What stands between a table and its model changes how cells are written: a gap turns a column of
whole numbers into floats, a spreadsheet takes the zeros from 007, and true becomes True.
"""

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables.column_types import (
    EXACT,
    MISSING,
    is_numeric,
    is_single,
    is_text,
)
from kindling.tables.number_text import known_text

WHOLE = re.compile(r"[+-]?\d{1,99}(\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)  # with an exponent it is rather a code
DAY = re.compile(r"(\d{4}-\d\d-\d\d)([ T]00:00:00)?", re.ASCII)
TRUTH = ("true", "false")

Key = tuple[str, float | str]


def to_category(
    column: pa.ChunkedArray,
    categories: Iterable[str] | None = None,
    missing: Iterable[str] = (),
    empty: str = MISSING,
) -> pa.ChunkedArray:
    """Return text, trimmed; cells that are no single values become null.

    Of words, NA and its like are categories as any other: only where numbers are expected they can
    be nothing but a gap.

    Args:
        column: N cells of any type; what one becomes does not depend on the others.
        categories: that are known, so that "3.0" may become "3"; see `match_categories`.
        missing: words that stand for no value.
        empty: what a cell without a value becomes.
    """
    if not is_single(column):
        return pc.if_else(pc.is_valid(column), pa.scalar(None, pa.string()), MISSING)
    text = known_text(_to_text(column), (MISSING, *missing))
    text = pc.fill_null(text, empty)
    if categories is None:
        return text
    is_float = pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    return match_categories(text, categories, is_float=is_float)


def digits_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write numbers as the digits that they were read from: a date 20240131 is no number."""
    return to_category(column) if is_numeric(column) else column


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write each cell as text; a whole float has no ".0", and a moment at midnight no time."""
    kind = column.type
    if is_text(column):
        return column
    text = pc.cast(column, pa.string())
    if pa.types.is_floating(kind):
        numbers = pc.cast(column, pa.float64())
        is_whole = pc.less_equal(pc.abs(numbers), float(EXACT))
        is_whole = pc.and_(is_whole, pc.equal(pc.floor(numbers), numbers))
        whole = pc.if_else(is_whole, numbers, pa.scalar(None, pa.float64()))
        text = pc.coalesce(pc.cast(pc.cast(whole, pa.int64()), pa.string()), text)
        return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.string()), text)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        text = pc.replace_substring_regex(text, r"\.0+(Z|[+-]\d{4})?$", r"\1")
        text = pc.replace_substring_regex(text, "Z$", "+0000")
        text = pc.replace_substring_regex(text, r"([+-]\d\d)(\d\d)$", r"\1:\2")
        return pc.replace_substring_regex(text, f"^{DAY.pattern}$", r"\1")
    return text


def match_categories(
    text: pa.ChunkedArray, categories: Iterable[str], *, is_float: bool = False
) -> pa.ChunkedArray:
    """Put the category that is meant in the place of text that is none letter by letter.

    Of such text the one category that is the same whole number, truth value or day is taken. Where
    none would do, or two, the text stays as it is, and is unknown.

    Args:
        text: N cells without spaces around them.
        categories: that are known.
        is_float: the cells were floats, so that 1.5 is also 1.50.
    """
    known = pa.array([*categories], pa.string())
    is_other = pc.invert(pc.is_in(text, value_set=known))
    if not pc.any(is_other).as_py():
        return text  # the usual case
    others = pc.unique(text.filter(is_other))
    meant = meanings(known.to_pylist(), is_float=is_float)
    found = [meant.get(meaning_of(cell, is_float=is_float)) for cell in others.to_pylist()]
    if not any(found):
        return text
    which = pc.index_in(text, value_set=others)  # null where it is a category
    return pc.coalesce(pa.chunked_array([pa.array(found, pa.string())]).take(which), text)


def meanings(categories: Iterable[str], *, is_float: bool = False) -> dict[Key | None, str]:
    """Return the category of each number, truth value or day that one category alone has."""
    meant: dict[Key | None, str] = {}
    twice: set[Key | None] = {None}
    for name in categories:
        key = meaning_of(name, is_float=is_float)
        twice |= {key} & meant.keys()
        meant[key] = name
    return {key: name for key, name in meant.items() if key not in twice}


def other_spellings(categories: Iterable[str]) -> dict[str, str]:
    """Return the usual other ways to write categories, where no two are meant: 3.0, 3 and TRUE."""
    known = {*categories}
    meant, spellings = meanings(known), {}
    for name in known:
        for text in (f"{name}.0", name.partition(".")[0], name.lower(), name.upper(), name.title()):
            key = meaning_of(text)
            if text not in known and key is not None and meant.get(key) == name:
                spellings[text] = name
    return spellings


def meaning_of(text: str, *, is_float: bool = False) -> Key | None:
    """Return what text says beyond its letters; None where it is but text.

    Args:
        text: without spaces around it.
        is_float: numbers may have decimals, to the precision of a float.
    """
    if text.lower() in TRUTH:
        return "truth", text.lower()
    if is_float and NUMBER.fullmatch(text) and abs(float(text)) <= EXACT:
        return "number", float(text)
    if not is_float and WHOLE.fullmatch(text):
        return "number", int(text.partition(".")[0])
    day = DAY.fullmatch(text)
    return ("day", day[1]) if day else None
