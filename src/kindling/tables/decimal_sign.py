"""Find whether the numbers of a table have a decimal point or a comma, by evidence of all columns.

"1.234" alone has two readings. A cell such as "12,5" or "0.785" has one: enough of them decide for
their column, and columns that are decided decide for the others of the same file.
"""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables.number_text import (
    MOSTLY,
    NUMBER_MARKERS,
    SAMPLE,
    SURE_UNIT,
    TWO_READINGS,
    NumberStyle,
    Text,
    cell_parts,
    find_unit,
    known_text,
    text_to_number,
    unsigned,
)

FEW = 0.1  # a share of the cells that shows nothing, where it is a single cell
MOST_SIGNED = 50_000  # cells with a sign that are looked at
# One reading each. Only a decimal sign has other than three digits behind it, a zero or more than
# three digits before it, or groups of another sign before it; groups of thousands come in twos.
_AFTER_GROUPS = (
    r"^\d{{1,3}}(?:[ '{other}]\d{{3}})+{sign}\d*$|^[1-9]\d?(?:,\d{{2}})+,\d{{3}}{sign}\d*$"
)
_ALONE = (
    r"^(?:0\d*|\d{{4,}})?{sign}\d*$|^\d*{sign}(?:\d{{0,2}}|\d{{4,}})$|^\d*{sign}\d*[eE][+-]?\d+$"
)
_GROUPS = r"^[1-9]\d{{0,2}}(?:[{other}]\d{{3}}){{2,}}$"


OTHER = {".": ",", ",": "."}
SURE = {
    sign: "|".join(part.format(sign=f"[{sign}]", other=other) for part in (_AFTER_GROUPS, _ALONE))
    for sign, other in OTHER.items()
}
GROUPS = {sign: _GROUPS.format(other=other) for sign, other in OTHER.items()}


class FileEvidence(NamedTuple):
    """How many columns of a file have shown each sign, and what separates its cells, if it is CSV.

    Args:
        points, commas: columns that decide by their own cells.
        separator: of a CSV file, else "".
    """

    points: int = 0
    commas: int = 0
    separator: str = ""

    @property
    def decided(self) -> str:
        """Return the sign of the most columns, or ""."""
        return "" if self.points == self.commas else "." if self.points > self.commas else ","

    @property
    def is_unanimous(self) -> bool:
        return min(self.points, self.commas) == 0


NOTHING_SHOWN = FileEvidence()


class Evidence(NamedTuple):
    """What the cells of a column say for a decimal sign.

    Args:
        points, commas: how many have one reading, with that sign.
        only_groups: whether these are all like 1.234.567, without a decimal sign.
        unclear: how many have two readings.
        grouped: whether whole numbers below 1000 are there, and none of four digits: as where the
            others group their thousands.
        sign: of those with two readings, if they have one in common.
    """

    points: int = 0
    commas: int = 0
    only_groups: bool = False
    unclear: int = 0
    grouped: bool = False
    sign: str = ""

    @property
    def decided(self) -> str:
        """Return the sign that the cells show beyond doubt, or ""; one cell alone shows nothing."""
        most = max(self.points, self.commas)
        total = self.points + self.commas + self.unclear
        if self.points == self.commas or (most < 2 and most <= FEW * total):
            return ""
        return "." if self.points > self.commas else ","


class Decision(NamedTuple):
    """The decimal sign of a column, "" where none was ever seen, and whether there is a doubt."""

    sign: str
    is_doubtful: bool = False


def evidence_of(known: Text) -> Evidence:
    """Count what the cells of one column show.

    Args:
        known: text, trimmed, without markers of missing cells.
    """
    has_sign = pc.or_(pc.match_substring(known, "."), pc.match_substring(known, ","))
    signed = known.filter(has_sign).slice(0, MOST_SIGNED).combine_chunks()
    if len(signed) == 0:
        return Evidence()
    body = unsigned(signed)
    if body is None:
        body = cell_parts(signed, SURE_UNIT)["body"]
    single = {sign: _count(body, pattern) for sign, pattern in SURE.items()}
    groups = {sign: _count(body, pattern) for sign, pattern in GROUPS.items()}
    points, commas = (single[sign] + groups[sign] for sign in OTHER)
    only_groups = not any(single.values())
    two = body.filter(pc.fill_null(pc.match_substring_regex(body, TWO_READINGS), False))
    if len(two) == 0:
        return Evidence(points, commas, only_groups)
    has_point = pc.sum(pc.match_substring(two, ".")).as_py()
    sign = "." if has_point == len(two) else "," if has_point == 0 else ""
    whole = known.filter(pc.invert(has_sign))
    is_small = _count(whole, r"^[+-]?\d{1,3}$") > 0 == _count(whole, r"^[+-]?\d{4,}$")
    return Evidence(points, commas, only_groups, len(two), is_small, sign)


def _count(text: Text, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(text, pattern)).as_py() or 0


def evidence_of_file(columns: Iterable[pa.ChunkedArray], separator: str) -> FileEvidence:
    """Count the columns whose own cells decide; columns that are no text say nothing."""
    votes = {".": 0, ",": 0}
    for column in columns:
        if not pa.types.is_string(column.type):
            continue
        known = pc.drop_null(known_text(column, NUMBER_MARKERS))
        # Most columns decide within a few cells; where they do not, all are looked at.
        for cells in (known.slice(0, SAMPLE), known)[: 1 + (len(known) > SAMPLE)]:
            sign = evidence_of(cells).decided
            if sign:
                style = NumberStyle(sign, find_unit(cells.slice(0, SAMPLE)))
                numbers = text_to_number(cells, style)
                votes[sign] += pc.count(numbers).as_py() >= MOSTLY * len(cells)
                break
    return FileEvidence(votes["."], votes[","], separator)


def decide(own: Evidence, file: FileEvidence, asked: str) -> Decision:
    """Choose the decimal sign of a column.

    Args:
        own: of its cells.
        file: of all columns of the file.
        asked: data.csv.decimal, which has the last word.
    """
    if asked != "auto":
        return Decision(asked)
    usual = "," if file.separator == ";" else "."  # as spreadsheets separate cells
    if own.decided:
        is_alone = own.only_groups and own.decided not in (usual, file.decided)
        return Decision(own.decided, is_alone)
    if not (own.unclear or own.points or own.commas):
        return Decision(file.decided if file.is_unanimous else "")
    if file.decided:
        return Decision(file.decided, not file.is_unanimous)
    if own.grouped and own.sign:
        return Decision(OTHER[own.sign], True)
    return Decision(usual, True)
