"""Find what is wrong with a CSV file that Arrow cannot read: rows, quotes, text that is none.

Arrow names no line, so such a file is read once more to look for the reason.
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from kindling.errors import Problem
from kindling.fixes import Setting, Way
from kindling.formatting import first_few, shown
from kindling.tables.csv_cleaning import clean_blocks, split_lines
from kindling.tables.csv_layout import Layout, open_bytes
from kindling.tables.csv_shape import COMMENTS

BLOCK_BYTES = 1 << 20  # that are read at once
OTHER_QUOTES = "^~|`$'"  # one that a file does not have leaves its quotes in the text
KEPT_ROWS = 5  # of those that do not fit; a message names no more
MOST_ROWS = 1_000_000  # that are counted to find a line

Gather = Callable[["WrongRow"], str]


class WrongRow(NamedTuple):
    """A row with more or fewer cells than there are columns.

    Args:
        number: lines above the first row, and the rows up to this one; blank lines do not count.
        width: its cells.
        text: all of it.
    """

    number: int
    width: int
    text: str


class RaggedRows:
    """Counts the rows that do not fit, and keeps the first few and the last one."""

    def __init__(self) -> None:
        self.some: list[WrongRow] = []
        self.widths: set[int] = set()
        self.count, self.last = 0, ""

    def __call__(self, row: WrongRow) -> str:
        self.count, self.last = self.count + 1, row.text
        self.widths.add(row.width)
        if self.count <= KEPT_ROWS:
            self.some.append(row)
        return "skip"

    def problem(self, path: Path, layout: Layout) -> Problem:
        """Name the first rows that are too long or too short, and guess why they are."""
        width, shape = len(layout.names), layout.shape
        rule = f"every row of {path} must have {width} cells, as its header"
        lines = line_numbers(path, layout, [row.number for row in self.some])
        some = [f"{row.width} in line {lines[row.number]}" for row in self.some]
        got = first_few(some, total=self.count, noun="such rows")
        fix: tuple[Way, ...]
        if {*self.widths, shape.width} == {width + 1} and self.count > 1:
            first = f"if line {shape.width_line + 1} is the header"
            fix = (
                "name the first column in the header, or remove what ends each row",
                Setting("data.csv.skip", shape.width_line, first),
            )
        elif shape.width != width:
            got += f"; most rows have {shape.width} cells, from line {shape.width_line + 1} on"
            fix = (Setting("data.csv.skip", shape.width_line), "correct the rows")
        else:
            sign = _sign_of_all(self.some)
            fix = (Setting("data.csv.comment", sign),) if sign else ("correct them",)
        separator = f"if something else than {layout.dialect.separator!r} parts the cells"
        fix += (Setting("data.csv.separator", words=separator),)
        return Problem(rule, got, fix, "D005", file=str(path), count=self.count)


def _sign_of_all(rows: list[WrongRow]) -> str:
    """Return the sign that rows begin with which are comments, perhaps; "" where there is none."""
    signs = (sign for sign in COMMENTS if all(row.text.startswith(sign) for row in rows))
    return next(signs, "")


def line_numbers(path: Path, layout: Layout, numbers: list[int]) -> dict[int, int]:
    """Find the lines, counted from 1, in which some rows begin, each by its `WrongRow.number`.

    Arrow counts no blank lines, and several of one row as one. Far down in a file it stays so.
    """
    found = {number: number for number in numbers}
    with open_bytes(path, is_gzip=layout.is_gzip) as file:
        lines = chain.from_iterable(map(split_lines, clean_blocks(file, layout.dialect)))
        rows = csv.reader(
            islice(lines, layout.header_lines, None),
            delimiter=layout.dialect.separator,
            quotechar=layout.dialect.quote,
        )
        number, line = layout.header_lines, layout.header_lines + 1
        for cells in islice(rows, MOST_ROWS):
            number += bool(cells)
            if cells and number in found:
                found[number] = line
            if number >= max(numbers):
                break
            line = layout.header_lines + rows.line_num + 1
    return found


def explain(path: Path, layout: Layout, read: Callable[[Gather], None]) -> Problem | None:
    """Look for what Arrow stumbled over.

    Args:
        path: the file.
        layout: how it is written.
        read: reads it once more, and hands over every row that does not fit.
    """
    problem = undecodable(path, layout)  # first: Arrow cannot hand over a row that is no text
    if problem:
        return problem
    ragged = RaggedRows()
    read(ragged)
    if not ragged.count:
        return None
    return open_quote([ragged.last], layout, path) or ragged.problem(path, layout)


def undecodable(path: Path, layout: Layout) -> Problem | None:
    """Find the first bytes that are no text in the file's encoding."""
    encoding, line = layout.dialect.encoding, 1
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_bytes(path, is_gzip=layout.is_gzip) as file:
        for block in _blocks(file):
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                got = f"{error.object[error.start : error.end]!r} in line {line}"
                rule = f"all of {path} must be text in {encoding}, as its start is"
                fix = ("save it as UTF-8", Setting("data.csv.encoding", "latin-1"))
                return Problem(rule, got, fix, "D004", file=str(path))
    return None


def too_long(path: Path, layout: Layout, most: int) -> Problem | None:
    """Find the first row of more bytes than that; often a quote in it is not closed."""
    line = _line_of_long_row(path, layout, most)
    if line is None:
        return None
    if _has_open_quote(layout, path):
        return _unclosed(path, layout, f"one that opens in line {line} and never ends")
    rule = f"every row of {path} must be shorter than {most / 2**20:.0f} MB"
    fix = "close a quote there, shorten the row, or save the table as Parquet"
    got = f"a longer one that begins in line {line}"
    return Problem(rule, got, fix, "D015", file=str(path))


def _line_of_long_row(path: Path, layout: Layout, most: int) -> int | None:
    dialect, line = layout.dialect, 1
    form: Any = {"delimiter": dialect.separator, "quotechar": dialect.quote}
    text: Any = {"encoding": dialect.encoding, "errors": "replace", "newline": ""}
    limit = csv.field_size_limit(most)  # else a cell would take the rest of the file into memory
    try:
        with TextIOWrapper(open_bytes(path, is_gzip=layout.is_gzip), **text) as file:
            rows = csv.reader(file, **form)
            for row in rows:
                if sum(len(cell.encode()) for cell in row) > most:
                    return line
                line = rows.line_num + 1
    except csv.Error:
        return line
    finally:
        csv.field_size_limit(limit)
    return None


def open_quote(last: Iterable[str], layout: Layout, path: Path) -> Problem | None:
    """Find that the last cell has swallowed the end of the file."""
    cell = next((cell for cell in last if "\n" in cell), None)
    if cell is None or not _has_open_quote(layout, path):
        return None
    return _unclosed(path, layout, f"one that opens before {shown(cell)} and never ends")


def _unclosed(path: Path, layout: Layout, got: str) -> Problem:
    """Offer to read quotes as text: another sign, which the file does not have, is the quote."""
    left = {*OTHER_QUOTES} - {layout.dialect.separator, layout.dialect.quote}
    for block in _texts(path, layout):
        left -= {sign for sign in left if sign in block}
    sign = min(left, key=OTHER_QUOTES.index, default=...)
    as_text = Setting("data.csv.quote", sign, f"if {layout.dialect.quote} belongs to the text")
    rule = f"every quote in {path} must be closed"
    return Problem(rule, got, ("close it", as_text), "D006", file=str(path))


def _has_open_quote(layout: Layout, path: Path) -> bool:
    """Count the quotes of a whole file: they come in pairs where every cell is closed."""
    quote = layout.dialect.quote
    return sum(block.count(quote) for block in _texts(path, layout)) % 2 == 1


def _blocks(file: Any) -> Iterator[bytes]:
    """Give a file block by block, the last one empty."""
    while block := file.read(BLOCK_BYTES):
        yield block
    yield b""


def _texts(path: Path, layout: Layout) -> Iterator[str]:
    """Give the text of a file block by block: in UTF-16, a minus sign has the byte of a quote."""
    text: Any = {"encoding": layout.dialect.encoding, "errors": "replace", "newline": ""}
    with TextIOWrapper(open_bytes(path, is_gzip=layout.is_gzip), **text) as file:
        while block := file.read(BLOCK_BYTES):
            yield block
