"""Read numbers as people, ledgers and other countries write them: signs, groups, currencies.

Whether "1.234" is a thousand or one and a bit is a question of the column: see decimal_sign.py.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Text: TypeAlias = pa.Array | pa.ChunkedArray
# What people write where they know nothing: in any column, and where a number or a date is.
MARKERS = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>", "?")
NUMBER_MARKERS = (*MARKERS, "-", "--", ".", "none", "n.a.", "missing", "unknown")
MOSTLY = 0.9  # share of cells that must fit before the others look like mistakes
SAMPLE = 200  # cells that are tried before all

_EXPONENT = r"(?:[eE][+-]?\d+)?"
PLAIN = {  # nothing but digits, a sign before them and the decimal sign; "" knows none
    ".": rf"^[+-]?(\d+\.?\d*|\.\d+){_EXPONENT}$",
    ",": rf"^[+-]?(\d+,?\d*|,\d+){_EXPONENT}$",
    "": rf"^[+-]?\d+{_EXPONENT}$",
}
_BARE = rf"^[+-]?(?:[\d.,]|[\d.,][\d.,]*[\d.,]){_EXPONENT}$"
# By spaces or apostrophes, by the sign that is not the decimal one, or as in India: 1,23,456. No
# group begins with 0: in 0,785 the comma is the decimal sign.
_GROUPED = r"[1-9]\d{0,2}(?: \d{3})+|[1-9]\d{0,2}(?:'\d{3})+"
_SIGNED = {
    ",": r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3}",
    ".": r"[1-9]\d{0,2}(?:\.\d{3})+",
}
BODIES = {
    ".": rf"^(?:(?:{_GROUPED}|{_SIGNED[',']}|\d+)(?:\.\d*)?|\.\d+){_EXPONENT}$",
    ",": rf"^(?:(?:{_GROUPED}|{_SIGNED['.']}|\d+)(?:,\d*)?|,\d+){_EXPONENT}$",
}
GROUPS = {".": "[ ',]", ",": "[ '.]"}  # what stands between groups of digits
# Two readings: 1.234 and 1,234 are a thousand or one and a bit.
TWO_READINGS = r"^[1-9]\d{0,2}[.,]\d{3}$"

_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|BRL"
    "|MXN|ARS|CLP|COP|PEN|ZAR|KRW|SGD|HKD|TWD|THB|IDR|MYR|PHP|VND|AED|SAR|ILS|EGP|NGN|KES|MAD|PKR"
)
# z\u0142 and K\u010d are the Polish and Czech short words.
_WORDS = r"Euro|euro|Fr\.|kr\.?|z\x{142}|K\x{10D}|Ft|lei|Rs\.?|RM|(?:R|US|A|AU|C|CA|NZ|HK|S)\$"
CURRENCY = rf"{_CODES}|{_WORDS}|\p{{Sc}}"
SURE_UNIT = rf"{CURRENCY}|[%\x{{2030}}]"  # what can be nothing but a unit of its number
ANY_UNIT = rf"{CURRENCY}|[%\x{{2030}}\x{{B0}}]|[\pL\x{{B5}}\x{{B0}}\x{{B2}}\x{{B3}}/]{{1,5}}\.?"
_ALIKE = {"\u20ac": "EUR", "Euro": "EUR", "euro": "EUR", "\xa3": "GBP"}
REPLACED = {  # before a number is looked for: expression -> what takes its place
    r"[\x{A0}\x{2007}\x{2009}\x{202F}]": " ",
    r"\x{2212}": "-",
    r"\x{2019}": "'",
    r"(\d)[.,](?:--?|\x{2013}|\x{2014})([^\d]*)$": r"\1\2",  # 5,- is 5
}


@dataclass(frozen=True)
class NumberStyle:
    """How the numbers of a column are written as text.

    Args:
        decimal: "." or ","; "" where no cell has shown any: then 1.5 and 1,5 are alike, and what
            has two readings is no number.
        unit: the currency or percent sign of the column, or another unit; cells may lack it.
        missing: words that stand for no value, beside NUMBER_MARKERS.
    """

    decimal: str = "."
    unit: str = ""
    missing: tuple[str, ...] = ()


def known_text(column: pa.ChunkedArray, markers: Iterable[str] = MARKERS) -> pa.ChunkedArray:
    """Trim text and make its markers of missing cells null."""
    trimmed = pc.utf8_trim_whitespace(column)
    is_marker = pc.is_in(trimmed, value_set=pa.array(markers, trimmed.type))
    if not pc.any(is_marker).as_py():
        return trimmed  # copied once rather than twice
    return pc.if_else(is_marker, pa.scalar(None, trimmed.type), trimmed)


def text_to_number(column: pa.ChunkedArray, style: NumberStyle) -> pa.ChunkedArray:
    """Return float64; null where a cell is no number in this style."""
    numbers = None if style.missing else _if_all_plain(column, style.decimal)
    if numbers is not None:
        return numbers
    text = pc.cast(known_text(column, (*NUMBER_MARKERS, *style.missing)), pa.string())
    text = text.combine_chunks()
    numbers = _if_all_plain(text, style.decimal)
    if numbers is None:
        is_plain = pc.fill_null(pc.match_substring_regex(text, PLAIN[style.decimal]), True)
        rest = _tidy(text.filter(pc.invert(is_plain)), style)  # few cells take this way
        text = pc.replace_with_mask(_with_point(text, style.decimal), pc.invert(is_plain), rest)
        numbers = pc.cast(text, pa.float64())
    return numbers if isinstance(numbers, pa.ChunkedArray) else pa.chunked_array([numbers])


def _if_all_plain(text: Text, decimal: str) -> Text | None:
    """Read cells as Arrow reads them: the usual case, and fast."""
    if decimal != "." and (pc.any(pc.match_substring(text, ".")).as_py() or False):
        return None
    try:
        return pc.cast(_with_point(text, decimal), pa.float64())
    except pa.ArrowInvalid:
        return None


def _with_point(text: Text, decimal: str) -> Text:
    return pc.replace_substring(text, ",", ".") if decimal == "," else text


def unsigned(text: Text) -> Text | None:
    """Return cells without + and - before them if nothing but digits and , and . follows.

    What `cell_parts` does takes a hundred times as long, and a table may have 10,000 columns.
    """
    if not pc.all(pc.match_substring_regex(text, _BARE), min_count=0).as_py():
        return None
    return pc.replace_substring_regex(text, r"^[+-]", "")


def parts_pattern(unit: str) -> str:
    """Return an expression of a number whose unit is one of those of another expression."""
    one, two, three = (rf"(?: ?(?P<unit{k}>{unit}) ?)?" for k in (1, 2, 3))
    return (
        rf"^(?P<open>\()?(?P<sign1>[+-])?{one}(?P<sign2>[+-])? ?"
        rf"(?P<body>[\d.,](?:[\d.,' ]*[\d.,])?{_EXPONENT})"
        rf"{two} ?(?P<trail>-)?(?P<close>\))?{three}$"
    )


def cell_parts(text: Text, unit: str) -> dict[str, Text]:
    """Cut N cells into what stands before, within and behind a number; null where there is none.

    Args:
        text: trimmed.
        unit: an expression of the units that may stand there.
    """
    text = pc.cast(text, pa.string())
    for pattern, instead in REPLACED.items():
        text = pc.replace_substring_regex(text, pattern, instead)
    found = pc.extract_regex(text, parts_pattern(unit))
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    fields = {field.name: pc.struct_field(found, field.name) for field in found.type}
    join = pc.binary_join_element_wise
    units = join(fields["unit1"], fields["unit2"], fields["unit3"], "")
    signs = join(fields["sign1"], fields["sign2"], fields["trail"], fields["open"], "")
    is_one = pc.less_equal(pc.utf8_length(signs), 1)
    is_closed = pc.equal(pc.equal(fields["open"], "("), pc.equal(fields["close"], ")"))
    counts = [pc.not_equal(fields[f"unit{k}"], "") for k in (1, 2, 3)]
    num_units = pc.add(pc.add(*(c.cast(pa.int8()) for c in counts[:2])), counts[2].cast(pa.int8()))
    is_sound = pc.and_(pc.and_(is_one, is_closed), pc.less_equal(num_units, 1))
    nothing = pa.scalar(None, pa.string())
    return {
        "body": pc.if_else(is_sound, fields["body"], nothing),
        "unit": pc.if_else(is_sound, units, nothing),
        "sign": pc.if_else(pc.is_in(signs, value_set=pa.array(["-", "("])), "-", ""),
    }


def _tidy(text: Text, style: NumberStyle) -> Text:
    """Write numbers as Arrow reads them; null where a cell is none."""
    parts = cell_parts(text, unit_pattern(style.unit))
    body = parts["body"]
    if style.decimal:
        body = _ungroup(body, style.decimal)
    else:
        is_clear = pc.invert(pc.match_substring_regex(body, TWO_READINGS))
        body = pc.if_else(is_clear, body, pa.scalar(None, pa.string()))
        body = pc.coalesce(_ungroup(body, "."), _ungroup(body, ","))
    return pc.binary_join_element_wise(parts["sign"], body, "")


def _ungroup(body: Text, decimal: str) -> Text:
    is_number = pc.match_substring_regex(body, BODIES[decimal])
    bare = _with_point(pc.replace_substring_regex(body, GROUPS[decimal], ""), decimal)
    return pc.if_else(is_number, bare, pa.scalar(None, pa.string()))


def rewrite_sign(text: pa.ChunkedArray, found: str, wanted: str) -> pa.ChunkedArray:
    """Write numbers of one decimal sign with another.

    Args:
        text: cells with the sign `found`.
        found: "." or ",".
        wanted: likewise, or "": then what has two readings gets one.
    """
    if not wanted:
        other = "," if found == "." else "."
        start, end = r"^\s*([+-]?[1-9]\d{0,2})", r"(\d{3})\s*$"
        text = pc.replace_substring_regex(text, rf"{start}[{other}]{end}", r"\1\2")
        return pc.replace_substring_regex(text, rf"{start}[{found}]{end}", r"\1.\2e0")
    if found == wanted:
        return text
    for old, new in ((",", "\x00"), (".", ","), ("\x00", ".")):
        text = pc.replace_substring(text, old, new)
    return text


def unit_pattern(unit: str) -> str:
    """Return an expression of one unit, and of those that say the same."""
    alike = [sign for sign, code in _ALIKE.items() if code == unit]
    return "|".join(map(re.escape, (unit, *alike))) if unit else "[^\\x00-\\x{10FFFF}]"


def find_unit(known: Text, units: str = SURE_UNIT) -> str:
    """Return the unit that the most cells have, or "" where none is one number with a unit.

    Args:
        known: text without markers of missing cells.
        units: an expression of the units that are looked for.
    """
    if unsigned(known) is not None:
        return ""
    found = pc.drop_null(cell_parts(known, units)["unit"])
    counts: dict[str, int] = {}
    for pair in pc.value_counts(found.filter(pc.not_equal(found, ""))).to_pylist():
        unit = _ALIKE.get(pair["values"], pair["values"])
        counts[unit] = counts.get(unit, 0) + pair["counts"]
    return max(counts, key=counts.__getitem__) if counts else ""
