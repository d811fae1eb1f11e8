"""A CSV or Parquet file in, Arrow tables of its raw columns out; every CSV cell stays text.

Text, because a reader that guesses types guesses anew for every file: a code "007" would be 7 in
training and "007" in serving.
"""

import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kindling.errors import DataError, Problem, permitted
from kindling.formatting import shown
from kindling.tables.broken_csv import (
    BLOCK_BYTES,
    MAX_NAMED,
    Gather,
    explain,
    open_quote,
    too_long,
)
from kindling.tables.dialect import AUTO, Dialect, Layout, sniff

CHUNK_ROWS = 1 << 14  # of Parquet in one chunk
BLOCKS, CELL_BYTES = 2, 64  # of CSV in one chunk; room for a cell in a block
HELD_BYTES = 1 << 24  # of a file that is held in memory


def read_table(
    path: str | Path, dialect: Dialect = AUTO, names: list[str] | None = None
) -> pa.Table:
    """Read a whole file, or these columns of it."""
    return pa.concat_tables(open_table(path, dialect, names)).combine_chunks()


def open_table(
    path: str | Path, dialect: Dialect = AUTO, names: list[str] | None = None
) -> Iterator[pa.Table]:
    """Read a file chunk by chunk, so that memory does not grow with it; one chunk at least.

    Args:
        path: CSV or Parquet; its content decides, not its name.
        dialect: how a CSV file is written.
        names: the columns to read, in any order; None reads all.

    Raises:
        DataError: the file is no table, or its rows have different lengths.
    """
    path = Path(path)
    try:
        with permitted(path):
            layout = sniff(path, dialect)
        yield from _parquet(path, names) if layout is None else _csv(path, layout, names)
    except OSError as error:
        if error.errno is None:  # of gzip or Arrow: what was read is at fault
            raise no_table(path, error) from error
        rule, fix = f"{path} must be a file that may be read", f"type chmod u+r {path}"
        raise DataError(Problem(rule, error.strerror or str(error), fix, "D014")) from error
    except (pa.ArrowException, EOFError, zlib.error, UnicodeError, LookupError) as error:
        raise no_table(path, error) from error


def no_table(path: Path, error: Exception) -> DataError:
    """Say that a file is no table, with the first line of the reason."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    fix = "give a CSV file with a header, or a Parquet file"
    return DataError(Problem(f"{path} must be a table", shown(reason), fix, "D003"))


def refuse_repeated(names: list[str], path: Path) -> None:
    """Raise a DataError where two columns have the same name."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        got = ", ".join(f"{name!r} {names.count(name)} times" for name in repeated[:MAX_NAMED])
        fix = "rename them in the file"
        rule = f"every column of {path} must have a name of its own"
        raise DataError(Problem(rule, got, fix, "D007"))


def _parquet(path: Path, wanted: list[str] | None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path, pre_buffer=False) as file:  # else the whole file stays in memory
        schema = file.schema_arrow
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        refuse_repeated(schema.names, path)
        names = [name for name in schema.names if name not in index]
        names = names if wanted is None else wanted
        yield plain(schema.empty_table().select(names))
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=names):
            yield plain(pa.Table.from_batches([batch]))


def plain(table: pa.Table) -> pa.Table:
    """Replace dictionaries by their values, and large text by text: storage is no kind."""
    for number, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        if kind != field.type:
            table = table.set_column(number, field.name, table.column(number).cast(kind))
    return table


def _csv(path: Path, layout: Layout, wanted: list[str] | None) -> Iterator[pa.Table]:
    refuse_repeated(layout.names, path)
    names = layout.names if wanted is None else wanted
    yield pa.table({name: pa.array([], pa.string()) for name in names})
    last: pa.Table | None = None
    try:
        for batches in _in_groups(_batches(path, layout, names)):
            table = pa.Table.from_batches(batches)
            last = table.slice(len(table) - 1) if len(table) else last
            yield table
    except (pa.ArrowInvalid, UnicodeError) as error:

        def read(gather: Gather) -> None:
            for _ in _batches(path, layout, names, gather):
                pass

        if "straddling" in str(error):  # Arrow's word for a row that does not fit into a block
            problem = too_long(path, layout, _block_bytes(layout))
        else:
            problem = explain(path, layout, read)
        if problem is None:
            raise
        raise DataError(problem) from error
    cells = [] if last is None else last.to_pylist()[0].values()
    unclosed = open_quote(cells, layout, path)
    if unclosed:
        raise DataError(unclosed)


def _block_bytes(layout: Layout) -> int:
    """Choose how much Arrow reads at once; no row may be longer."""
    return max(BLOCK_BYTES, CELL_BYTES * len(layout.names))


def _in_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Give a few at a time: Arrow keeps some dozen of them ahead, so that each is small."""
    while group := list(islice(batches, BLOCKS)):
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


class TableFile:
    """A file that is held in memory, or read anew whenever it is looked at.

    Args:
        path: CSV or Parquet.
        dialect: how a CSV file is written.
        may_hold: whether a small file is to be held; a large one would take more memory raw
            than what becomes of it, and is read again in the time that this takes.
    """

    def __init__(self, path: str, dialect: Dialect, may_hold: bool) -> None:
        self.path, self.dialect = path, dialect
        is_held = may_hold and Path(path).stat().st_size <= HELD_BYTES
        self.table = read_table(path, dialect) if is_held else None
        first = next(open_table(path, dialect)) if self.table is None else self.table
        self.names: list[str] = first.column_names

    def open(self) -> Iterator[pa.Table]:
        """Give all rows chunk by chunk."""
        if self.table is None:
            return open_table(self.path, self.dialect)
        starts = range(0, max(1, len(self.table)), CHUNK_ROWS)
        return (self.table.slice(start, CHUNK_ROWS) for start in starts)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column of all rows."""
        table = self.table
        if table is None:
            table = read_table(self.path, self.dialect, [name])
            pa.default_memory_pool().release_unused()  # which is far more than one column
        return table.column(name)
