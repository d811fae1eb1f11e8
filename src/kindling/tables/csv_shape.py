"""Find the table in the first lines of a CSV file: separator, lines above, header, rows of units.

Each rule takes what only one reading explains; where two do, the first line with the most frequent
number of cells is the header, and the reader refuses the rows that do not fit it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from kindling.tables.csv_cleaning import split_lines, squeeze
from kindling.tables.csv_dialect import BLANKS, Dialect
from kindling.tables.csv_evidence import (
    MARKERS,
    ColumnCells,
    Row,
    are_years,
    has_no_names,
    is_header,
    is_number,
)

SEPARATORS = (",", ";", "\t", "|")
COMMENTS = ("#", "%", "//", "!")  # that lines above a header begin with
MAX_UNITS = 3  # lines below a header that are no rows
BETWEEN_WORDS = re.compile(r"(?<!\d),|,(?!\d)")  # such a comma is no decimal sign
EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Shape:
    """Where a table lies in its file, and what its columns are called.

    Args:
        separator: of its cells.
        names: of its columns, "" where there is none.
        first_line: lines above the first row, the header's among them.
        above: text of the lines before the header that were left out.
        units: likewise, of those below it.
        has_header: False where the first line is a row already.
        is_shifted: whether the header has no name for the first column, as R writes it.
        width: cells of most rows.
        width_line: lines above the first row that has so many.
    """

    separator: str
    names: list[str]
    first_line: int
    above: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    has_header: bool = True
    is_shifted: bool = False
    width: int = 0
    width_line: int = 0


def find_shape(lines: list[str], asked: Dialect) -> Shape | None:
    """Find the table in the first lines of a file; None where they hold nothing."""
    told = EXCEL.fullmatch(lines[0]) if lines and asked.skip is None else None
    if told:  # Excel's own line; blank from here on, so that lines keep their numbers
        lines = ["\n", *lines[1:]]
    separator = asked.separator
    if separator == "auto":
        separator = told[1] if told else guess_separator(lines, asked)
    rows = split_rows(lines, separator, asked.quote)
    if asked.skip is not None:
        rows = [row for row in rows if row.first >= asked.skip]
    return _shape_of(rows, lines, separator, asked) if rows else None


def guess_separator(lines: list[str], asked: Dialect) -> str:
    """Return the sign that cuts most lines into the same number of cells, two at least."""
    known = [sign for sign in SEPARATORS if sign != asked.decimal]

    def score(separator: str) -> tuple[float, bool, int]:
        width, fitting, widths = _widths(lines, separator, asked)
        # A comma may be a decimal sign: it comes behind what fits as well.
        return (fitting / max(1, len(widths)) if width > 1 else 0.0), separator != ",", width

    scores = {sign: score(sign) for sign in known}
    best = max(known, key=lambda sign: scores[sign])
    # Blanks last: words of a text, and dates beside times, are parted by them, too.
    if scores[best][0] == 1 or _parts_a_table(lines, best, asked):
        return best
    return BLANKS if score(BLANKS) > scores[best] and _are_blanks(lines, asked) else best


def _widths(lines: list[str], separator: str, asked: Dialect) -> tuple[int, int, list[int]]:
    """Return the usual number of cells, how many rows have so many, and the cells of each row."""
    widths = [len(cells) for cells in _reader(lines, separator, asked.quote) if cells]
    return *max(Counter(widths).items(), key=_votes, default=(0, 0)), widths


def _parts_a_table(lines: list[str], separator: str, asked: Dialect) -> bool:
    """Say whether a sign parts every row alike, apart from lines above them."""
    width, fitting, widths = _widths(lines, separator, asked)
    if width < 2 or set(widths[-fitting:]) != {width}:
        return False
    return separator != "," or bool(BETWEEN_WORDS.search("".join(lines[-fitting:])))


def _are_blanks(lines: list[str], asked: Dialect) -> bool:
    """Say whether blanks, and no other sign beside them, part every row of a table."""
    rows = split_rows(lines, BLANKS, asked.quote)
    shape = _shape_of(rows, lines, BLANKS, asked)
    body = [row.cells for row in rows if row.first >= shape.first_line]
    if {len(shape.names)} != {len(cells) for cells in body}:
        return False
    # One name above two words in each row is the name of a text.
    is_text = shape.is_shifted and shape.width == 2 and not all(is_number(c[0]) for c in body)
    return not is_text and not any(c.endswith(SEPARATORS) for cells in body for c in cells[:-1])


def split_rows(lines: Iterable[str], separator: str, quote: str) -> list[Row]:
    """Split lines into rows; blank ones are none."""
    rows, first, reader = [], 0, _reader(lines, separator, quote)
    for cells in reader:
        if cells:
            rows.append(Row(first, reader.line_num, [cell.strip() for cell in cells]))
        first = reader.line_num
    return rows


def _reader(lines: Iterable[str], separator: str, quote: str) -> Any:
    text = "".join(lines)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # all of it may be one cell
    if separator == BLANKS:
        lines = split_lines(squeeze(text, quote))
    return csv.reader(lines, delimiter=separator, quotechar=quote)


def usual_width(rows: Sequence[Row]) -> int:
    """Return the number of cells that most rows have."""
    return max(Counter(len(row.cells) for row in rows).items(), key=_votes, default=(0, 0))[0]


def _votes(width: tuple[int, int]) -> tuple[int, bool]:
    """Order widths by their rows; of as many, those of one cell are lines of text above a table."""
    cells, rows = width
    return rows, cells > 1


def _shape_of(rows: list[Row], lines: list[str], separator: str, asked: Dialect) -> Shape:
    width = usual_width(rows)
    start = _start(rows, asked) if asked.skip is None else 0
    header, body = rows[start], rows[start + 1 :]
    has_header = asked.header
    if has_header is None:
        has_header = not has_no_names(header, body)
    fitting = next(row for row in rows if len(row.cells) == width)
    above = tuple(text for line in lines[: header.first] if (text := line.strip()))
    shape = Shape(separator, header.cells, header.end, above, width=width, width_line=fitting.first)
    if not has_header:
        names = [f"column_{number}" for number in range(1, len(header.cells) + 1)]
        return replace(shape, names=names, first_line=header.first, has_header=False)
    header = _without_sign(header, width)
    count = _count_units(body, asked)
    if count:
        units = tuple(lines[row.first].strip() for row in body[:count])
        shape = replace(shape, units=units, first_line=body[count - 1].end)
    return _with_names(shape, header.cells, body[count:])


def _with_names(shape: Shape, names: list[str], body: list[Row]) -> Shape:
    """Fit the names to rows that all have some cells more, or one name less."""
    width = shape.width
    if {len(row.cells) for row in body} != {width} or len(names) == width:
        return replace(shape, names=names)
    more = len(names)
    if more > width and not any(names[width:]):  # the header alone ends in separators
        return replace(shape, names=names[:width])
    if not any(cell for row in body for cell in row.cells[more:]):  # the rows do
        return replace(shape, names=[*names, *[""] * (width - more)])
    firsts = {row.cells[0] for row in body} - {""}
    are_alike = len({is_number(cell) for cell in firsts}) == 1
    if more == width - 1 and len(firsts) == len(body) and are_alike:
        return replace(shape, names=["", *names], is_shifted=True)
    return replace(shape, names=names)


def _start(rows: list[Row], asked: Dialect) -> int:
    """Return the number of the row that is the header, or the first row."""
    width = usual_width(rows)
    lead = next(number for number, row in enumerate(rows) if len(row.cells) == width)
    if asked.header is not False:
        start = _behind_comments(rows, lead, width)
        if start is not None:
            return start
        start = _behind_titles(rows, lead)
        if start is not None:
            return start
    return lead if _are_above(rows, lead, width) else 0


def _behind_comments(rows: list[Row], lead: int, width: int) -> int | None:
    """Find a header that is, or stands below, the last of the comments that a table begins with."""
    last = next((n for n, row in enumerate(rows) if not row.cells[0].startswith(COMMENTS)), 0) - 1
    if last < 0 or last + 1 < lead:
        return None
    if is_header(rows[last + 1], rows[last + 2 :]):
        return last + 1
    named = _without_sign(rows[last], width)
    return last if len(named.cells) == width and is_header(named, rows[last + 1 :]) else None


def _without_sign(row: Row, width: int) -> Row:
    """Take the sign of a comment off a header, where it stands apart: `# a b` above `1 2`."""
    is_apart = len(row.cells) == width + 1 and row.cells[0] in COMMENTS
    return row._replace(cells=row.cells[1:]) if is_apart else row


def _behind_titles(rows: list[Row], lead: int) -> int | None:
    """Find a header below titles that are filled up with empty cells, as spreadsheets do."""
    width = len(rows[lead].cells)
    for number in range(lead, len(rows)):
        row = rows[number]
        if len(row.cells) != width or 2 * sum(map(bool, row.cells)) > width:
            break
    else:
        return None
    is_full = all(row.cells) and len(set(row.cells)) == width > 2
    return number if number > lead and is_full and is_header(row, rows[number + 1 :]) else None


def _are_above(rows: list[Row], lead: int, width: int) -> bool:
    """Say whether the rows before the first of the usual width are no part of the table."""
    body = rows[lead + 1 :]
    if not lead or not body or any(len(row.cells) != width for row in body):
        return False
    before = rows[lead - 1]
    if all(row.cells[0].startswith(COMMENTS) for row in rows[:lead]):
        return True
    if has_no_names(rows[lead], body):  # then they may be the header
        return False
    # One cell more or less may be a header without a name, or with a separator at its end.
    is_apart = before.end < rows[lead].first
    if is_header(rows[lead], body):
        return True
    if not are_years(rows[lead], body):
        return False
    has_numbers = any(map(is_number, rows[lead].cells))
    return is_apart or (abs(len(before.cells) - width) > 1 and not has_numbers)


def _count_units(body: list[Row], asked: Dialect) -> int:
    """Count the rows below a header that hold units or descriptions, not cells.

    Such a row has words where all others have numbers, and none of the others' words.
    """
    if asked.units is not None:
        return min(asked.units, len(body))
    most = MAX_UNITS if len(body) > 2 * MAX_UNITS else 1
    columns = ColumnCells(body[most:]) if len(body) > most + 1 else ColumnCells([])

    def are_units(row: Row) -> bool:
        cells = list(enumerate(row.cells))
        if any(is_number(cell) and columns.is_numeric(n) for n, cell in cells):
            return False
        recurs = any(cell and columns.holds(n, cell) for n, cell in cells)
        return not recurs and any(c not in MARKERS and columns.is_numeric(n) for n, c in cells)

    return len(list(takewhile(are_units, body[:most])))
