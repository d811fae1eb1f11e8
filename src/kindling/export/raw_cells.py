"""Turn cells as they stand in a file into the inputs of an exported model, with Python alone.

A model that was exported to ONNX takes numbers and categories; how raw cells become these is told
by its metadata, one description for each column, and done here in full: this file needs nothing
else of Kindling, and may be copied. `read_cell(" 3.0 ", column)` returns what goes into the input.
"""

import math
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1)
WHOLE, NUMBER = r"[+-]?\d{1,99}(\.0*)?", r"[+-]?(\d+\.?\d*|\.\d+)"
DAY = r"(\d{4}-\d\d-\d\d)([ T]00:00:00)?"
ISO = (  # a year, a month or a day; the clock only behind a day
    r"(\d{4})(?:([-/. ]?)(\d\d?)(?:\2(\d\d?)"
    r"(?:[T ](\d\d?)(?::?(\d\d?)(?::?(\d\d?)(?:\.(\d*))?)?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?)?)?"
)
EXACT = 2**53  # a float64 holds every integer up to here


def read_cell(cell: Any, column: dict[str, Any]) -> float | str:
    """Return what the model takes for a cell: a number, NaN where it is missing, or a category.

    Args:
        cell: text as it stands in a CSV file, or a value of Python; None where there is none.
        column: of the list `columns` in the metadata of the exported file.

    Raises:
        ValueError: the cell does not fit its column, and `kindling predict` refuses it.
    """
    kind, how = column["column_type"], column["cells"]
    if cell is None or cell != cell:  # NaN
        cell = ""
    if isinstance(cell, str):
        cell = cell.strip()
        cell = "" if cell in how["missing"] else cell
    if kind == "category":
        return read_category(cell, how)
    if cell == "" or (isinstance(cell, str) and cell.lower() in how["infinite"]):
        return math.nan
    try:
        number = READ[kind](cell, how)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{cell!r} is no {kind}") from error
    return math.nan if number in how["missing_numbers"] else number


def read_category(cell: Any, how: dict[str, Any]) -> str:
    """Return the category that is meant; what is returned as it is, may be unknown to the model."""
    text = write(cell)
    if text == "" or text in how["missing"]:
        return how["empty"]
    return how["meant"].get(meaning(text, isinstance(cell, float | Decimal)), text)


def meaning(text: str, is_float: bool) -> str | None:
    """Return what text says beyond its letters: a truth value, a number or a day."""
    if text.lower() in ("true", "false"):
        return f"truth {text.lower()}"
    if is_float and re.fullmatch(NUMBER, text, re.ASCII) and abs(float(text)) <= EXACT:
        return f"float {float(text)!r}"
    if not is_float and re.fullmatch(WHOLE, text, re.ASCII):
        return f"whole {int(text.partition('.')[0])}"
    day = re.fullmatch(DAY, text, re.ASCII)
    return f"day {day[1]}" if day else None


def write(cell: Any) -> str:
    """Write a value of Python as a category is written."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= EXACT:
        return str(int(cell))
    if isinstance(cell, float):
        return re.sub(r"e-0(\d)$", r"e-\1", repr(cell))
    if isinstance(cell, datetime) and cell.tzinfo is None and cell.time() == time():
        cell = cell.date()
    return str(cell)


def read_number(cell: Any, how: dict[str, Any]) -> float:
    """Return a number that is written as the column's numbers are."""
    if isinstance(cell, timedelta):
        return cell / timedelta(seconds=1)
    if isinstance(cell, time):
        return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second).total_seconds()
    if isinstance(cell, bool) and not how["true"]:
        raise ValueError(f"{cell} is no number")
    number = text_to_number(cell, how) if isinstance(cell, str) else float(cell)
    if math.isinf(number) and not isinstance(cell, str):
        return math.nan  # it is no measurement; text such as 1e999 is a mistake
    if abs(number) > how["largest"]:
        raise ValueError(f"{cell} is too large")
    return number


def text_to_number(text: str, how: dict[str, Any]) -> float:
    """Return the number that text says."""
    if text.lower() in (*how["true"], *how["false"]):
        return float(text.lower() in how["true"])
    if re.fullmatch(how["plain"], text, re.ASCII):
        return float(text.replace(",", "."))
    for pattern, instead in how["replace"]:
        text = re.sub(pattern, instead, text, flags=re.ASCII)
    found = re.fullmatch(how["number"], text, re.ASCII)
    parts = {name: part or "" for name, part in found.groupdict().items()} if found else {}
    signs = "".join(parts.get(name, "") for name in ("sign1", "sign2", "trail", "open"))
    units = [name for name in ("unit1", "unit2", "unit3") if parts.get(name)]
    is_closed = bool(parts.get("open")) == bool(parts.get("close"))
    body = parts.get("body", "") if len(signs) < 2 and len(units) < 2 and is_closed else ""
    if how["two_readings"] and re.fullmatch(how["two_readings"], body, re.ASCII):
        raise ValueError(f"{text!r} can be read as two numbers")
    for pattern, groups in how["bodies"]:
        if re.fullmatch(pattern, body, re.ASCII):
            number = float(re.sub(groups, "", body).replace(",", "."))
            return -number if signs in ("-", "(") else number
    raise ValueError(f"{text!r} is no number")


def read_boolean(cell: Any, how: dict[str, Any]) -> float:
    """Return 1 for true, 0 for false."""
    number = text_to_number(cell, how) if isinstance(cell, str) else float(cell)
    if number not in (0.0, 1.0):
        raise ValueError(f"{cell!r} is neither true nor false")
    return number


def read_date(cell: Any, how: dict[str, Any]) -> float:
    """Return days since 1970 of a date or a moment, by the clock of the train rows."""
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        cell = write(cell)  # 20240131
    if isinstance(cell, str):
        if re.search(how["zero"], cell):
            return math.nan
        moment = text_to_moment(cell, how)
    elif isinstance(cell, datetime):
        moment = by_clock(cell.replace(tzinfo=None), name_of_zone(cell), how["zones"])
    elif isinstance(cell, date):
        moment = by_clock(datetime(cell.year, cell.month, cell.day), "", how["zones"])
    else:
        raise ValueError(f"{cell!r} is no date")
    days = ((moment - EPOCH) // timedelta(microseconds=1)) / 86_400e6
    return math.nan if math.floor(days) in how["gaps"] else days


def text_to_moment(text: str, how: dict[str, Any]) -> datetime:
    """Read text by the column's pattern, then without its zone, which says by what clock it is."""
    if "" in how["zones"]:
        with suppress(ValueError):
            return parse(text, how["pattern"], may_have_zone=False)
    found = re.search(how["with_zone"], text)
    text, zone = (found["moment"], found["zone"]) if found else (text, "")
    for pattern, instead in how["tidy"]:
        text = re.sub(pattern, instead, text)
    zone = re.sub(r"^(UTC|GMT)(?=[+-])", "", zone)
    zone = re.sub(r"^([+-]\d\d):?(\d\d)?$", lambda f: f"{f[1]}:{f[2] or '00'}", zone)
    zone = "+00:00" if zone in ("Z", "UTC", "GMT", "-00:00") else zone
    return by_clock(parse(text, how["pattern"], may_have_zone=True), zone, how["zones"])


def by_clock(moment: datetime, zone: str, zones: list[str]) -> datetime:
    """Turn a moment without a zone from the clock of its own to that of the train rows."""
    if zone in zones or (zone and "*" in zones):
        return moment
    if not zone or len(zones) > 1 or zones[0] in ("", "*"):
        raise ValueError(f"{moment} of the zone {zone or 'none'!r} is by another clock")
    try:
        return (
            moment.replace(tzinfo=zone_of(zone)).astimezone(zone_of(zones[0])).replace(tzinfo=None)
        )
    except KeyError as error:
        raise ValueError(f"{zone} is the name of no one zone") from error


def zone_of(name: str) -> tzinfo:
    """Return the zone of +02:00 or of a name such as Europe/Berlin."""
    if name[0] not in "+-":
        return ZoneInfo(name)
    offset = timedelta(hours=int(name[1:3]), minutes=int(name[4:6]))
    return timezone(-offset if name[0] == "-" else offset)


def name_of_zone(moment: datetime) -> str:
    """Return the zone of a value of Python, "" where it has none."""
    name = getattr(moment.tzinfo, "key", None) or getattr(moment.tzinfo, "zone", None)
    name = name or f"{moment:%z}"
    name = re.sub(r"^([+-]\d\d)(\d\d)$", r"\1:\2", name)
    return "+00:00" if name in ("UTC", "GMT", "Z") else name


def parse(text: str, pattern: str, *, may_have_zone: bool) -> datetime:
    """Read a date by a pattern of strptime, or as ISO 8601 has it."""
    if pattern == "ISO8601":
        return read_iso(text, may_have_zone=may_have_zone)
    if "%V" in pattern and "%u" not in pattern:  # a week is its Monday
        text, pattern = f"{text} 1", f"{pattern} %u"
    return datetime.strptime(text, pattern)


def read_iso(text: str, *, may_have_zone: bool) -> datetime:
    """Read a date as ISO 8601 writes it, with any one sign between its parts."""
    found = re.fullmatch(ISO, text, re.ASCII)
    if not found or (found[found.re.groups] and not may_have_zone):
        raise ValueError(f"{text!r} is no date")
    year, _, month, day, *clock, fraction, zone = found.groups()
    hour, minute, second = (int(part or 0) for part in clock)
    micro = int(((fraction or "") + "000000")[:6])
    moment = datetime(int(year), int(month or 1), int(day or 1), hour, minute, second, micro)
    if zone in (None, "Z"):
        return moment
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return moment - offset if zone[0] == "+" else moment + offset


READ = {"number": read_number, "boolean": read_boolean, "date": read_date}
