"""A CSV file that Arrow cannot read in; what is wrong with it, and in which line, out."""

import codecs
import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pyarrow.csv as pacsv

from kindling.errors import Problem
from kindling.formatting import shown
from kindling.tables.dialect import Layout

BLOCK_BYTES = 1 << 20
MAX_NAMED = 5  # rows that a message names

Gather = Callable[[pacsv.InvalidRow], str]


class Ragged:
    """Counts the rows that do not fit, and keeps the first few and the last one."""

    def __init__(self) -> None:
        self.some: list[str] = []
        self.widths: set[int] = set()
        self.count, self.last = 0, ""

    def __call__(self, row: pacsv.InvalidRow) -> str:
        self.count, self.last = self.count + 1, row.text
        self.widths.add(row.actual_columns)
        if self.count <= MAX_NAMED:
            self.some.append(f"{row.actual_columns} in line {row.number}")
        return "skip"

    def problem(self, path: Path, layout: Layout) -> Problem:
        """Name the first rows that are too long or too short."""
        width, separator = len(layout.names), layout.dialect.separator
        rule = f"every row of {path} must have {width} cells, as its header"
        more = f", {self.count:,} such rows in all" if self.count > MAX_NAMED else ""
        fix = f"correct them, or set another separator than {separator!r}: data.csv.separator=..."
        typed = "correct them, or type --csv separator=..."
        if self.widths == {width + 1} and self.count > 1:
            fix = typed = "name the first column in the header, or remove what ends each row"
        return Problem(rule, ", ".join(self.some) + more, fix, "D005", typed)


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
    ragged = Ragged()
    read(ragged)
    if not ragged.count:
        return None
    return open_quote([ragged.last], layout, path) or ragged.problem(path, layout)


def undecodable(path: Path, layout: Layout) -> Problem | None:
    """Find the first bytes that are no text in the file's encoding."""
    encoding, line = layout.dialect.encoding, 1
    decoder = codecs.getincrementaldecoder(encoding)()
    with _opened(path, layout) as file:
        for block in _blocks(file):
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                got = f"{error.object[error.start : error.end]!r} in line {line}"
                rule = f"all of {path} must be text in {encoding}, as its start is"
                fix = "save it as UTF-8, or type {}encoding=latin-1"
                return Problem(rule, got, fix.format("data.csv."), "D004", fix.format("--csv "))
    return None


def too_long(path: Path, layout: Layout, most: int) -> Problem | None:
    """Find the first row of more bytes than that; often a quote in it is not closed."""
    line = _line_of_long_row(path, layout, most)
    if line is None:
        return None
    if _is_odd(layout, path):
        return _unclosed(path, f"one that opens in line {line} and never ends")
    rule = f"every row of {path} must be shorter than {most / 2**20:.0f} MB"
    fix = "close a quote there, shorten the row, or save the table as Parquet"
    return Problem(rule, f"a longer one that begins in line {line}", fix, "D015")


def _line_of_long_row(path: Path, layout: Layout, most: int) -> int | None:
    dialect, line = layout.dialect, 1
    form: Any = {"delimiter": dialect.separator, "quotechar": dialect.quote}
    text: Any = {"encoding": dialect.encoding, "errors": "replace", "newline": ""}
    limit = csv.field_size_limit(most)  # else a cell would take the rest of the file into memory
    try:
        with TextIOWrapper(_opened(path, layout), **text) as file:
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
    if cell is None or not _is_odd(layout, path):
        return None
    return _unclosed(path, f"one that opens before {shown(cell)} and never ends")


def _unclosed(path: Path, got: str) -> Problem:
    rule, fix = f"every quote in {path} must be closed", "close it, or type {}quote=..."
    return Problem(rule, got, fix.format("data.csv."), "D006", fix.format("--csv "))


def _is_odd(layout: Layout, path: Path) -> bool:
    """Count the quotes of a whole file: a pair for each cell that is closed."""
    quote = layout.dialect.quote.encode()
    with _opened(path, layout) as file:
        return sum(block.count(quote) for block in _blocks(file)) % 2 == 1


def _opened(path: Path, layout: Layout) -> Any:
    return gzip.open(path) if layout.is_gzip else path.open("rb")


def _blocks(file: Any) -> Iterator[bytes]:
    """Give a file block by block, the last one empty."""
    while block := file.read(BLOCK_BYTES):
        yield block
    yield b""
