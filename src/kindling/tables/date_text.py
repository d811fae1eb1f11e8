"""Read dates and times as people write them, by the clock that they were written by.

12-hour clocks, names of months, two-digit years, weeks, offsets. A form is found once, on the train
rows, or told by data.dates. The hour of a time with an offset is the hour that stands there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables.date_forms import ISO, TIME, forms_of
from kindling.tables.number_text import MOSTLY, NUMBER_MARKERS, SAMPLE, known_text

ANY_ZONE = "*"  # so many that each time is read by its own clock
MOST_ZONES = 6
SCATTERED = 3.0  # times the span of dates by another reading
# What a database writes for no date at all.
ZERO_DATE = r"^(0000[-/.]00[-/.]00|00[-/.]00[-/.]0000)([ T][0:.]+Z?)?$"
_ZONE = r"Z|[A-Z]{3,4}|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?"
WITH_ZONE = rf"^(?P<moment>.*{TIME}) ?(?P<zone>{_ZONE})$"
TIDY = (
    (r"(\d) ?([AaPp])\.? ?([Mm])\.?$", r"\1 \2\3"),  # a.m. is am
    (r"(:\d{2}),(\d+)", r"\1.\2"),
    (r"(\d)(?:st|nd|rd|th)\b", r"\1"),
    (r"(\pL{3,})\.", r"\1"),  # Jan. is Jan
    (r"\bSept\b", "Sep"),
    (r"\s+", " "),
)
NOT_FIXED = ("now", "today")  # which pandas reads as the moment at which it does
COMPACT = r"^(19|20)\d{6}(\d{6})?$"  # dates that could be numbers: of these two centuries only


@dataclass(frozen=True)
class DateStyle:
    """How the dates of a column are written.

    Args:
        pattern: as pandas takes it; "ISO8601", or "" of dates that were no text.
        zones: those of the train rows, "" of a time without one; None takes any.
        missing: words that stand for no date, beside NUMBER_MARKERS.
    """

    pattern: str = ISO
    zones: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()


def known_dates(text: pa.ChunkedArray, missing: Iterable[str] = ()) -> pa.ChunkedArray:
    """Trim text and make null what stands for no date, such as 0000-00-00."""
    known = known_text(text, (*NUMBER_MARKERS, *missing))
    if not pc.any(pc.starts_with(known, "00")).as_py():  # quick
        return known
    is_zero = pc.match_substring_regex(known, ZERO_DATE)
    return pc.if_else(is_zero, pa.scalar(None, known.type), known)


def read_moments(text: pa.ChunkedArray, style: DateStyle) -> pa.ChunkedArray:
    """Return timestamps of the clock on the wall; null where a cell is no such date."""
    encoded = known_dates(text, style.missing).combine_chunks().dictionary_encode()
    distinct = pc.cast(encoded.dictionary, pa.string())  # days are often alike
    naive = _parse(distinct.to_pandas(), style.pattern) if "" in (style.zones or ("",)) else None
    if naive is None or naive.isna().any():
        moments, zones = cut_zones(distinct)
        naive = _parse(moments.to_pandas(), style.pattern, is_tidy=True)
        if naive is None:
            naive = pd.Series(pd.NaT, index=range(len(distinct)), dtype="datetime64[us]")
        naive = by_clock(naive, zones.to_pandas().fillna(""), style.zones)
    values = pa.array(naive, pa.timestamp("us"), from_pandas=True)
    return pa.chunked_array([values.take(encoded.indices)])


def plain_form(pattern: str) -> str:
    """Return a pattern as it is used: without a zone, and a space before am and pm."""
    return re.sub(r"(\S)%p", r"\1 %p", re.sub(r" ?%[zZ]$", "", pattern or ISO))


def _parse(text: pd.Series, pattern: str, *, is_tidy: bool = False) -> pd.Series | None:
    """Read text without zones; None where some of it has one, or nothing at all is text."""
    form, text = plain_form(pattern), text.mask(text.isin(NOT_FIXED))
    if "%V" in form and "%u" not in form:  # a week is its Monday
        text, form = text + " 1", form + " %u"
    try:
        read = pd.to_datetime(text, format=form, errors="coerce")
        is_naive = read.dt.tz is None
    except (ValueError, AttributeError, TypeError):  # of several zones
        if is_tidy:
            read, is_naive = pd.to_datetime(text, format=form, errors="coerce", utc=True), True
            return read.dt.tz_localize(None)
        return None
    return read.astype("datetime64[us]") if is_naive else None


def fault_of(pattern: str) -> str:
    """Say why a pattern cannot be one of dates, "" where it can."""
    if "%" not in pattern:
        return "it has no directive such as %d"
    try:
        _parse(pd.Series(["2000"]), pattern, is_tidy=True)
        pd.to_datetime(pd.Series(["2000"]), format=pattern, errors="coerce")
    except ValueError as error:
        return next(iter(str(error).splitlines()), "no pattern")
    return ""


def cut_zones(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Part times from their zones: +02:00, Z, CET; "" where there is none."""
    found = pc.extract_regex(text, WITH_ZONE)
    moment, zone = pc.struct_field(found, "moment"), pc.struct_field(found, "zone")
    moment = pc.coalesce(moment, text)
    for expression, tidy in TIDY:
        moment = pc.replace_substring_regex(moment, expression, tidy)
    zone = pc.replace_substring_regex(zone, r"^(UTC|GMT)([+-])", r"\2")
    zone = pc.replace_substring_regex(zone, r"^([+-]\d{2}):?(\d{2})$", r"\1:\2")
    zone = pc.replace_substring_regex(zone, r"^([+-]\d{2})$", r"\1:00")
    zone = pc.replace_substring_regex(zone, r"^(Z|UTC|GMT|[+-]00:00)$", "+00:00")
    return moment, pc.if_else(
        pc.is_valid(text), pc.fill_null(zone, ""), pa.scalar(None, pa.string())
    )


def by_clock(moments: pd.Series, zones: pd.Series, known: tuple[str, ...] | None) -> pd.Series:
    """Turn times to the clock of the train rows; NaT where it is not known which that is.

    Args:
        moments: datetime64 (N,) without a zone, as they were written.
        zones: text (N,), "" where there is none.
        known: the zones of the train rows; None takes each time as it is written.
    """
    if known is None:
        return moments
    known = known or ("",)
    for zone in zones.unique():
        if zone in known or (zone and ANY_ZONE in known):
            continue
        found = zones == zone
        can_turn = zone and len(known) == 1 and known[0] not in ("", ANY_ZONE)
        moments[found] = _turned(moments[found], zone, known[0]) if can_turn else pd.NaT
    return moments


def _turned(moments: pd.Series, zone: str, other: str) -> pd.Series | pd.api.typing.NaTType:
    try:
        aware = moments.dt.tz_localize(_tz(zone), ambiguous="NaT", nonexistent="NaT")
        return aware.dt.tz_convert(_tz(other)).dt.tz_localize(None)
    except (KeyError, ValueError):  # PST is the name of no one zone
        return pd.NaT


def _tz(zone: str) -> ZoneInfo | str:
    return f"UTC{zone}" if zone[0] in "+-" else ZoneInfo(zone)


def typed_moments(column: pa.ChunkedArray, zones: tuple[str, ...] | None) -> pa.ChunkedArray:
    """Return timestamps of the clock on the wall of cells that are dates or points in time."""
    zone = zone_of(column.type)
    if zone in (zones or ("",)) and not zone:
        return pc.cast(column, pa.timestamp("us"), safe=False)
    moments = pc.cast(column, pa.timestamp("us", zone or None), safe=False).to_pandas()
    if zone:
        moments = moments.dt.tz_localize(None)
    moments = moments.astype("datetime64[us]")
    read = by_clock(moments, pd.Series(zone, index=moments.index, dtype=object), zones)
    return pa.chunked_array([pa.array(read, pa.timestamp("us"), from_pandas=True)])


def zone_of(kind: pa.DataType) -> str:
    """Return the zone of a type, "" where it has none."""
    zone = getattr(kind, "tz", None) or ""
    return "+00:00" if zone in ("UTC", "GMT", "Z") else zone


def find_zones(text: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the zones of dates, most first; ANY_ZONE for many, () where none has one."""
    if not pc.any(pc.match_substring_regex(text, r":\d{2}.*[A-Z]$|:\d{2}.*[+-]\d{2}")).as_py():
        return ()  # which is quick
    zones = cut_zones(pc.cast(text.combine_chunks(), pa.string()))[1]
    counts = zones.to_pandas().value_counts()
    names = tuple(map(str, counts.index))
    if names in ((), ("",)):
        return ()
    return names if len(names) <= MOST_ZONES else (ANY_ZONE, *({""} & {*names}))


def date_patterns(known: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the forms by which the most cells are dates, and nearly all; several are a doubt.

    Args:
        known: text, trimmed, without markers of missing cells.
    """
    some = known.slice(0, SAMPLE)
    if not len(some):
        return ()
    fits: dict[str, int] = {}
    for pattern in _candidates(some):
        if _count(some, pattern) >= MOSTLY * len(some):
            fits[pattern] = _count(known, pattern)
            if pattern == ISO:
                break  # has one reading
    most = max(fits.values(), default=0)
    if most < MOSTLY * len(known):
        return ()
    best = _by_year([pattern for pattern, count in fits.items() if count == most], known)
    if ISO in best:
        return (ISO,)
    return tuple({re.sub("%[BA]", lambda m: m[0].lower(), p): p for p in reversed(best)}.values())[
        ::-1
    ]


def _by_year(patterns: list[str], known: pa.ChunkedArray) -> list[str]:
    """Leave out the forms by which the year comes first, or last, where they scatter the dates."""
    if not any(pattern.startswith("%y") for pattern in patterns):
        return patterns
    spans: dict[bool, float] = {}
    for pattern in patterns:
        ends = pc.min_max(pc.cast(read_moments(known, DateStyle(pattern)), pa.int64())).as_py()
        first = pattern.startswith("%y")
        spans[first] = min(spans.get(first, float("inf")), float(ends["max"] - ends["min"]))
    if len(spans) < 2 or max(spans.values()) < SCATTERED * min(spans.values()):
        return patterns
    is_first = spans[True] < spans[False]
    return [pattern for pattern in patterns if pattern.startswith("%y") == is_first]


def _count(text: pa.ChunkedArray, pattern: str) -> int:
    return pc.count(read_moments(text, DateStyle(pattern))).as_py()


def _candidates(some: pa.ChunkedArray) -> Iterator[str]:
    """Give the forms that the first cells look like, as few as can be."""
    moments = cut_zones(pc.cast(some.combine_chunks(), pa.string()))[0]
    seen: set[str] = set()
    for cell in dict.fromkeys(moments.drop_null().to_pylist()[:20]):
        for pattern in forms_of(cell):
            if pattern not in seen:
                seen.add(pattern)
                yield pattern
