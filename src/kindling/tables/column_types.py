"""Convert the cells of a column to numbers, booleans, categories or dates, however written.

The same conversions in training and in serving: what a cell means never depends on its neighbours.
How a column is written (decimal sign, pattern of dates) is found once, on the train rows.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MISSING = ""  # of a category; scikit-learn and ONNX agree on the empty string
# What people write where they know nothing: in any column, and where a number is expected.
MARKERS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>", "?")
NUMBER_MARKERS = (*MARKERS, "-", "--", ".", "none", "n.a.", "missing", "unknown")
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
INFINITE = ("inf", "-inf", "+inf", "infinity", "-infinity")  # numbers, but no measurements
PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # of a duration, or a time of the day
LARGEST = float(np.finfo(np.float32).max)  # networks compute in float32
EXACT = 2**53  # float64 holds every integer up to here
MOSTLY = 0.9  # share of cells that must fit before the others look like mistakes
SAMPLE = 200  # cells that are tried before all
# As pandas takes them. Month first where both would do; what else would do is said in the plan.
DATE_PATTERNS = (
    *("ISO8601", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y", "%d %b %Y"),
)
PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# No group begins with 0: in 0,785 the comma is the decimal sign.
GROUPED = {
    ".": r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$",
    ",": r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$",
}
LEADING_ZEROS = r"^0\d+$"
COMMA = r"^[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?$"


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


def known_text(column: pa.ChunkedArray, markers: Iterable[str] = MARKERS) -> pa.ChunkedArray:
    """Trim text and make its markers of missing cells null."""
    trimmed = pc.utf8_trim_whitespace(column)
    is_marker = pc.is_in(trimmed, value_set=pa.array(markers, trimmed.type))
    return pc.if_else(is_marker, pa.scalar(None, trimmed.type), trimmed)


def to_number(column: pa.ChunkedArray, decimal: str = ".") -> pa.ChunkedArray:
    """Return float64; a cell that is no finite number is null.

    Args:
        column: any type; text may group thousands, by the sign that is not `decimal`.
        decimal: "." or ",".
    """
    kind = column.type
    if is_text(column):
        numbers = _text_to_number(column, decimal)
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
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def _text_to_number(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    numbers = _if_all_plain(column) if decimal == "." else None
    if numbers is not None:
        return numbers
    text = known_text(column, NUMBER_MARKERS)
    numbers = _if_all_plain(text) if decimal == "." else None
    if numbers is not None:
        return numbers
    other = "," if decimal == "." else "."
    grouped = pc.match_substring_regex(text, GROUPED[decimal])
    text = pc.if_else(grouped, pc.replace_substring(text, other, ""), text)
    if decimal == ",":
        comma = pc.match_substring_regex(text, COMMA)
        text = pc.if_else(comma, pc.replace_substring(text, ",", "."), text)
    plain = pc.match_substring_regex(text, PLAIN)
    return pc.cast(pc.if_else(plain, text, pa.scalar(None, text.type)), pa.float64())


def _if_all_plain(text: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Read cells as Arrow reads them: the usual case, and fast."""
    try:
        return pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        return None


def to_boolean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return float64 0 and 1; what is neither true nor false is null."""
    words = to_truth(column, TRUE, FALSE) if is_text(column) else None
    if words is not None and words.null_count == column.null_count:
        return words
    numbers = to_number(column)  # text may say 1.0
    is_either = pc.is_in(numbers, value_set=pa.array([0.0, 1.0]))
    numbers = pc.if_else(is_either, numbers, pa.scalar(None, pa.float64()))
    return numbers if words is None else pc.coalesce(words, numbers)


def to_truth(
    text: pa.ChunkedArray, true: Iterable[str] = ("true",), false: Iterable[str] = ("false",)
) -> pa.ChunkedArray:
    """Return float64 1 and 0 for these words, in whatever case, and null for any other text."""
    lower = pc.utf8_lower(known_text(text))
    yes, no = (pc.is_in(lower, value_set=pa.array([*words], lower.type)) for words in (true, false))
    nothing = pa.scalar(None, pa.float64())
    return pc.if_else(yes, pa.scalar(1.0), pc.if_else(no, pa.scalar(0.0), nothing))


def is_whole(numbers: pa.ChunkedArray) -> bool:
    """Say whether all numbers are integers that float64 holds exactly."""
    known = np.asarray(pc.drop_null(numbers), dtype=np.float64)
    return bool((np.abs(known) <= EXACT).all() and (np.floor(known) == known).all())


def to_days(column: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    """Return float64 days since 1970-01-01 UTC; text is read by `pattern` (see DATE_PATTERNS)."""
    if is_text(column):
        encoded = known_text(column).combine_chunks().dictionary_encode()  # days are often alike
        text = encoded.dictionary.to_pandas()
        # A model that learnt from dates which were no text has no pattern.
        read = pd.to_datetime(text, format=pattern or "ISO8601", errors="coerce", utc=True)
        distinct = pa.array(read, pa.timestamp("us"), from_pandas=True)
        column = pa.chunked_array([distinct.take(encoded.indices)])
    if not is_moment(column):
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    microseconds = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    return pc.divide(pc.cast(microseconds, pa.float64(), safe=False), 86_400e6)


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


def decimal_sign(known: pa.ChunkedArray) -> str:
    """Return the sign by which more cells are numbers; "." where both do as well."""
    if not is_text(known):
        return "."
    some = known.slice(0, SAMPLE)
    if pc.count(to_number(some, ",")).as_py() <= pc.count(to_number(some)).as_py():
        return "."
    counts = [pc.count(to_number(known, sign)).as_py() for sign in (".", ",")]
    return "," if counts[1] > counts[0] else "."


def date_pattern(known: pa.ChunkedArray) -> str:
    """Return the first pattern by which all cells are dates, or ""."""
    some = known.slice(0, SAMPLE)
    if not pc.all(pc.match_substring_regex(some, r"^\d")).as_py():
        return ""  # each of them begins with a digit
    for pattern in DATE_PATTERNS:
        if to_days(some, pattern).null_count == 0:
            days = to_days(known, pattern)
            if days.null_count <= (1 - MOSTLY) * len(known):
                return pattern
    return ""


def has_leading_zeros(known: pa.ChunkedArray) -> bool:
    """Say whether a cell is a code such as 007."""
    some = known.filter(pc.starts_with(known, "0"))  # an expression takes long on all
    return bool(pc.any(pc.match_substring_regex(some, LEADING_ZEROS)).as_py())
