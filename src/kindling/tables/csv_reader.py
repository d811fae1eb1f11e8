"""Read a CSV file with Arrow, every cell as text, and find what is wrong where Arrow cannot.

Arrow names no line of a broken file, so such a file is read once more to look for the reason.
"""

import codecs
import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from kindling.errors import DataError, Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.tables.csv_dialect import Dialect
from kindling.tables.csv_layout import Layout, sniff

BLOCK_BYTES = 1 << 20  # that are read at once
BLOCKS_PER_CHUNK, CELL_BYTES = 2, 64  # a block has room for so many bytes of each cell
OTHER_QUOTES = "^~|`$'"  # one that a file does not have leaves its quotes in the text
KEPT_ROWS = 5  # of those that do not fit; a message names no more

Gather = Callable[[pacsv.InvalidRow], str]


def read_csv(path: Path, dialect: Dialect, names: list[str] | None) -> Iterator[pa.Table]:
    """Give a table without rows that has all columns, then the rows of these columns.

    Raises:
        DataError: rows have different lengths, a quote is open, or the text is in two encodings.
    """
    layout = sniff(path, dialect)
    nothing = [pa.array([], pa.string())] * len(layout.names)
    yield pa.Table.from_arrays(nothing, names=layout.names)
    wanted = layout.names if names is None else names
    last: pa.Table | None = None
    try:
        for batches in _in_groups(_batches(path, layout, wanted)):
            table = pa.Table.from_batches(batches)
            last = table.slice(len(table) - 1) if len(table) else last
            yield table
    except (pa.ArrowInvalid, UnicodeError) as error:

        def read(gather: Gather) -> None:
            for _ in _batches(path, layout, wanted, gather):
                pass

        if "straddling" in str(error):  # Arrow's word for a row that does not fit into a block
            problem = too_long(path, layout, _block_bytes(layout))
        else:
            problem = explain(path, layout, read)
        if problem is None:
            raise
        raise DataError(problem) from error
    # Arrow takes a quote that is never closed for a last cell with the rest of the file in it.
    cells = [] if last is None else last.to_pylist()[0].values()
    unclosed = open_quote(cells, layout, path)
    if unclosed:
        raise DataError(unclosed)


def _block_bytes(layout: Layout) -> int:
    """Choose how much Arrow reads at once; no row may be longer."""
    return max(BLOCK_BYTES, CELL_BYTES * len(layout.names))


def _in_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Give a few at a time: Arrow keeps some dozen of them ahead, so that each is small."""
    while group := list(islice(batches, BLOCKS_PER_CHUNK)):
        yield group


def _batches(
    path: Path, layout: Layout, names: list[str], gather: Gather | None = None
) -> Iterator[pa.RecordBatch]:
    """Read text only, by Arrow's own streams: it reads ahead, which a Python file may not outlive.

    Without `gather`, a row that does not fit is an error; Arrow calls nothing of ours.
    """
    options: dict[str, Any] = {
        "read_options": pacsv.ReadOptions(
            column_names=layout.names,
            skip_rows=layout.header_lines,
            block_size=_block_bytes(layout),
            encoding=layout.dialect.encoding,
            use_threads=False,  # only then a row that does not fit has a number
        ),
        "parse_options": pacsv.ParseOptions(
            delimiter=layout.dialect.separator,
            quote_char=layout.dialect.quote,
            newlines_in_values=True,
            invalid_row_handler=gather,
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict.fromkeys(layout.names, pa.string()),
            include_columns=names,
            strings_can_be_null=False,
        ),
    }
    compression = "gzip" if layout.is_gzip else None
    with pa.input_stream(str(path), compression=compression) as file:
        yield from pacsv.open_csv(file, **options)


class RaggedRows:
    """Counts the rows that do not fit, and keeps the first few and the last one."""

    def __init__(self) -> None:
        self.some: list[str] = []
        self.widths: set[int] = set()
        self.count, self.last = 0, ""

    def __call__(self, row: pacsv.InvalidRow) -> str:
        self.count, self.last = self.count + 1, row.text
        self.widths.add(row.actual_columns)
        if self.count <= KEPT_ROWS:
            self.some.append(f"{row.actual_columns} in line {row.number}")
        return "skip"

    def problem(self, path: Path, layout: Layout) -> Problem:
        """Name the first rows that are too long or too short."""
        width, separator = len(layout.names), layout.dialect.separator
        rule = f"every row of {path} must have {width} cells, as its header"
        other = Setting("data.csv.separator", ..., f"if it is another sign than {separator!r}")
        fix: Fix = ("correct them", other)
        if self.widths == {width + 1} and self.count > 1:
            fix = "name the first column in the header, or remove what ends each row"
        got = first_few(self.some, total=self.count, noun="such rows")
        return Problem(rule, got, fix, "D005", file=str(path), count=self.count)


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
    with _opened(path, layout) as file:
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
    if cell is None or not _has_open_quote(layout, path):
        return None
    return _unclosed(path, layout, f"one that opens before {shown(cell)} and never ends")


def _unclosed(path: Path, layout: Layout, got: str) -> Problem:
    """Offer to read quotes as text: another sign, which the file does not have, is the quote."""
    with _opened(path, layout) as file:
        left = {*OTHER_QUOTES} - {layout.dialect.separator, layout.dialect.quote}
        for block in _blocks(file):
            left -= {sign for sign in left if sign.encode() in block}
    sign = min(left, key=OTHER_QUOTES.index, default=...)
    as_text = Setting("data.csv.quote", sign, f"if {layout.dialect.quote} belongs to the text")
    rule = f"every quote in {path} must be closed"
    return Problem(rule, got, ("close it", as_text), "D006", file=str(path))


def _has_open_quote(layout: Layout, path: Path) -> bool:
    """Count the quotes of a whole file: they come in pairs where every cell is closed."""
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
