"""Convert the cells of a column to numbers, booleans, categories or dates, however written.

The same conversions in training and in serving: what a cell means never depends on its neighbours.
How a column is written (decimal sign, pattern of dates) is found once, on the train rows.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables.date_text import DateStyle, read_moments, typed_moments
from kindling.tables.number_text import (
    MARKERS,
    NumberStyle,
    known_text,
    text_to_number,
)

MISSING = ""  # of a category; scikit-learn and ONNX agree on the empty string
POINT = NumberStyle()
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
INFINITE = ("inf", "-inf", "+inf", "infinity", "-infinity")  # numbers, but no measurements
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # of a duration, or a time of the day
LARGEST = float(np.finfo(np.float32).max)  # networks compute in float32
EXACT = 2**53  # float64 holds every integer up to here
LEADING_ZEROS = r"^0\d+$"


def is_text(column: pa.ChunkedArray) -> bool:
    """Say whether cells are strings."""
    return pa.types.is_string(column.type) or pa.types.is_large_string(column.type)


def is_numeric(column: pa.ChunkedArray) -> bool:
    """Say whether cells are numbers."""
    kind = column.type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def is_moment(column: pa.ChunkedArray) -> bool:
    """Say whether cells are dates or points in time."""
    return pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)


def is_single(column: pa.ChunkedArray) -> bool:
    """Say whether a cell is one value: no list, no structure, no bytes."""
    checks = (pa.types.is_boolean, pa.types.is_duration, pa.types.is_time, pa.types.is_null)
    is_other = any(check(column.type) for check in checks)
    return is_text(column) or is_numeric(column) or is_moment(column) or is_other


def to_number(column: pa.ChunkedArray, style: NumberStyle = POINT) -> pa.ChunkedArray:
    """Return float64; a cell that is no finite number, or stands for a missing one, is null.

    Args:
        column: any type.
        style: how numbers are written, where they are text.
    """
    kind = column.type
    if is_text(column):
        numbers = text_to_number(column, style)
    elif pa.types.is_boolean(kind):
        numbers = pc.cast(pc.cast(column, pa.int8()), pa.float64())
    elif pa.types.is_duration(kind) or pa.types.is_time(kind):
        count = pc.cast(column, pa.int32() if pa.types.is_time32(kind) else pa.int64())
        numbers = pc.divide(pc.cast(count, pa.float64(), safe=False), PER_SECOND[kind.unit])
    elif is_numeric(column):
        numbers = pc.cast(column, pa.float64(), safe=False)  # beyond 2^53 digits are lost
    else:
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    # Infinity is no measurement: it is missing too.
    is_known = pc.is_finite(numbers)
    if style.missing:  # -999 is also written -999.0
        words = pa.chunked_array([pa.array(style.missing)])
        gaps = pc.drop_null(text_to_number(words, replace(style, missing=()))).combine_chunks()
        is_known = pc.and_not(is_known, pc.is_in(numbers, value_set=gaps))
    return pc.if_else(is_known, numbers, pa.scalar(None, pa.float64()))


def to_boolean(column: pa.ChunkedArray, missing: tuple[str, ...] = ()) -> pa.ChunkedArray:
    """Return float64 0 and 1; what is neither true nor false, or named as missing, is null."""
    words = to_truth(column, TRUE, FALSE, missing) if is_text(column) else None
    if words is not None and words.null_count == column.null_count:
        return words
    numbers = to_number(column, NumberStyle(missing=missing))  # text may say 1.0
    is_either = pc.is_in(numbers, value_set=pa.array([0.0, 1.0]))
    numbers = pc.if_else(is_either, numbers, pa.scalar(None, pa.float64()))
    return numbers if words is None else pc.coalesce(words, numbers)


def to_truth(
    text: pa.ChunkedArray,
    true: Iterable[str] = ("true",),
    false: Iterable[str] = ("false",),
    missing: tuple[str, ...] = (),
) -> pa.ChunkedArray:
    """Return float64 1 and 0 for these words, in whatever case, and null for any other text."""
    lower = pc.utf8_lower(known_text(text, (*MARKERS, *missing)))
    yes, no = (pc.is_in(lower, value_set=pa.array([*words], lower.type)) for words in (true, false))
    nothing = pa.scalar(None, pa.float64())
    return pc.if_else(yes, pa.scalar(1.0), pc.if_else(no, pa.scalar(0.0), nothing))


def is_whole(numbers: pa.ChunkedArray) -> bool:
    """Say whether all numbers are integers that float64 holds exactly."""
    known = np.asarray(pc.drop_null(numbers), dtype=np.float64)
    return bool((np.abs(known) <= EXACT).all() and (np.floor(known) == known).all())


def to_days(column: pa.ChunkedArray, style: DateStyle) -> pa.ChunkedArray:
    """Return float64 days since 1970-01-01, by the clock that the cells were written by."""
    if is_text(column):
        moments = read_moments(column, style)
    elif is_moment(column):
        moments = typed_moments(column, style.zones)
    else:
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    return pc.divide(pc.cast(pc.cast(moments, pa.int64()), pa.float64(), safe=False), 86_400e6)


MS_PER_DAY = 86_400_000.0
DATE_PARTS = ("days since 1970", "year", "month", "weekday", "hour")  # Monday is weekday 0


def date_parts(days: np.ndarray) -> list[np.ndarray]:
    """Return the DATE_PARTS of N days since 1970, to the millisecond; NaN where the day is."""
    ms = np.rint(days * MS_PER_DAY)
    day = np.floor(ms / MS_PER_DAY)
    known = np.isfinite(day)
    dates = day[known].astype(np.int64).astype("datetime64[D]")
    year, month = np.full_like(days, np.nan), np.full_like(days, np.nan)
    year[known] = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    month[known] = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    hour = np.floor((ms - day * MS_PER_DAY) / (MS_PER_DAY / 24))
    return [days, year, month, (day + 3) % 7, hour]  # the first of January 1970 was a Thursday


def has_leading_zeros(known: pa.ChunkedArray) -> bool:
    """Say whether a cell is a code such as 007."""
    some = known.filter(pc.starts_with(known, "0"))  # an expression takes long on all
    return bool(pc.any(pc.match_substring_regex(some, LEADING_ZEROS)).as_py())
