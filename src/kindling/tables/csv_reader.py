"""Read a CSV file with Arrow, every cell as text, and find what is wrong where Arrow cannot.

Arrow names no line of a broken file, so such a file is read once more to look for the reason.
"""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from kindling.errors import DataError
from kindling.tables.csv_cleaning import clean_blocks, needs_cleaning, split_lines
from kindling.tables.csv_dialect import Dialect
from kindling.tables.csv_faults import Gather, WrongRow, explain, open_quote, too_long
from kindling.tables.csv_layout import Layout, open_bytes, sniff

BLOCK_BYTES = 1 << 20  # that are read at once
BLOCKS_PER_CHUNK, CELL_BYTES = 2, 64  # a block has room for so many bytes of each cell


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
    """Read text only.

    Without `gather`, a row that does not fit is an error; Arrow calls nothing of ours.
    """
    if needs_cleaning(layout.dialect):
        yield from _cleaned_batches(path, layout, names, gather)
        return
    # By Arrow's own streams: it reads ahead, which a Python file may not outlive.
    options = _options(layout, names, gather and (lambda row: gather(_wrong_row(row))))
    options["read_options"] = pacsv.ReadOptions(
        column_names=layout.names,
        skip_rows=layout.header_lines,
        block_size=_block_bytes(layout),
        encoding=layout.dialect.encoding,
        use_threads=False,  # only then a row that does not fit has a number
    )
    compression = "gzip" if layout.is_gzip else None
    with pa.input_stream(os.fspath(path), compression=compression) as file:
        yield from pacsv.open_csv(file, **options)


def _cleaned_batches(
    path: Path, layout: Layout, names: list[str], gather: Gather | None
) -> Iterator[pa.RecordBatch]:
    """Read text that is mended first, a block of whole rows after the other."""
    count = above = layout.header_lines
    with open_bytes(path, is_gzip=layout.is_gzip) as file:
        for block in clean_blocks(file, layout.dialect):
            lines = split_lines(block) if above else []
            text = "".join(lines[above:]) if above else block
            above = max(0, above - len(lines))
            data = text.encode()
            if not data.strip():
                continue
            wrong: list[WrongRow] = []

            def keep(row: pacsv.InvalidRow, before: int = count, into: Any = wrong) -> str:
                into.append(_wrong_row(row, before))
                return "skip"

            options = _options(layout, names, keep if gather else None)
            options["read_options"] = pacsv.ReadOptions(
                column_names=layout.names, block_size=len(data) + 1, use_threads=False
            )
            table = pacsv.read_csv(pa.py_buffer(data), **options)
            for row in wrong:
                assert gather is not None
                gather(row)
            count += len(table) + len(wrong)
            yield from table.to_batches()


def _options(
    layout: Layout, names: list[str], gather: Callable[[pacsv.InvalidRow], str] | None
) -> dict[str, Any]:
    return {
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


def _wrong_row(row: pacsv.InvalidRow, before: int = 0) -> WrongRow:
    return WrongRow(before + row.number, row.actual_columns, row.text)
