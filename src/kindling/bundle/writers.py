"""Write tables of predictions, one after the other, as CSV, Parquet or JSON."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kindling.files import open_atomically
from kindling.formatting import inert, printable

Write = Callable[[pa.Table], None]
SPECIAL = r'[",\r\n]'  # what makes quotes necessary


@contextmanager
def open_writer(file: Path | None, suffix: str) -> Iterator[Write]:
    """Open a file that takes its place only when all is written; None is stdout.

    Args:
        file: in a folder that is there; an older one is replaced at the end.
        suffix: ".csv", ".parquet" or ".json".
    """
    if file is None:
        with WRITERS[suffix](sys.stdout.buffer) as write:
            yield _shown(write) if sys.stdout.isatty() else write
        sys.stdout.buffer.flush()
        return
    with open_atomically(file) as stream, WRITERS[suffix](stream) as write:
        yield write


def _shown(write: Write) -> Write:
    """Escape what would steer a terminal; a file or a pipe gets labels as they are."""

    def escaped(table: pa.Table) -> None:
        columns = [
            pa.array([text and printable(text) for text in column.to_pylist()])
            if pa.types.is_string(column.type)
            else column
            for column in table.columns
        ]
        write(pa.table(columns, names=[printable(name) for name in table.column_names]))

    return escaped


@contextmanager
def write_csv(stream: BinaryIO) -> Iterator[Write]:
    """Write a header, then lines; quotes only where they are needed."""
    is_first = True

    def write(table: pa.Table) -> None:
        nonlocal is_first
        table = pa.table([_inert(column) for column in table.columns], table.column_names)
        names = pa.chunked_array([table.column_names])
        options = {
            "quoting_header": "needed" if _has_special(names) else "none",
            "quoting_style": "needed" if any(map(_has_special, table.columns)) else "none",
        }
        pacsv.write_csv(table, stream, pacsv.WriteOptions(include_header=is_first, **options))
        is_first = False

    yield write


def _inert(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column for a spreadsheet; see `inert`."""
    if not pa.types.is_string(column.type):
        return column
    values = column.unique()  # labels repeat: look at each once
    changed = {text: inert(text) for text in values.to_pylist() if text and inert(text) != text}
    if not changed:
        return column
    cells = [changed.get(cell, cell) for cell in column.to_pylist()]
    return pa.chunked_array([pa.array(cells, pa.string())])


def _has_special(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return False
    values = column.unique()  # labels repeat: look at each once
    return bool(pc.any(pc.match_substring_regex(values, SPECIAL)).as_py())


@contextmanager
def write_parquet(stream: BinaryIO) -> Iterator[Write]:
    """Write a row group for each table."""
    writer: pq.ParquetWriter | None = None

    def write(table: pa.Table) -> None:
        nonlocal writer
        writer = writer or pq.ParquetWriter(stream, table.schema)
        writer.write_table(table)

    yield write
    if writer is not None:
        writer.close()


@contextmanager
def write_json(stream: BinaryIO) -> Iterator[Write]:
    """Write one list of objects, a line for each row."""
    before = b"["

    def write(table: pa.Table) -> None:
        nonlocal before
        for row in table.to_pylist():
            stream.write(before + b"\n  " + json.dumps(row, ensure_ascii=False).encode())
            before = b","

    yield write
    stream.write(b"]\n" if before == b"," else b"[]\n")


WRITERS: dict[str, Callable[[Any], AbstractContextManager[Write]]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".json": write_json,
}
