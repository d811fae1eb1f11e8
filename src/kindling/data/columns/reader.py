"""A CSV or Parquet file in, Arrow tables of its raw columns out; every CSV cell stays text.

Text, because a reader that guesses types guesses anew for every file: a code "007" would be 7 in
training and "007" in serving.
"""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from kindling.data.columns.dialect import AUTO, Dialect, Layout, sniff
from kindling.errors import DataError, Problem

BLOCK_BYTES = 4 << 20  # of CSV text in one chunk
CHUNK_ROWS = 1 << 17  # of Parquet in one chunk
MAX_NAMED = 5  # rows that a message names


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
        layout = sniff(path, dialect)
        yield from _parquet(path, names) if layout is None else _csv(path, layout, names)
    except (pa.ArrowException, OSError, EOFError, UnicodeError, LookupError) as error:
        reason = str(error).splitlines()[0]
        fix = "give a CSV file with a header, or a Parquet file"
        code = "D003"
        if "UTF8" in reason:
            code, fix = "D004", "save it as UTF-8, or type data.csv.encoding=latin-1"
        raise DataError(Problem(f"{path} must be a table", reason, fix, code)) from error


def refuse_repeated(names: list[str], path: Path) -> None:
    """Raise a DataError where two columns have the same name."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        got = ", ".join(f"{name!r} {names.count(name)} times" for name in repeated[:MAX_NAMED])
        fix = "rename them in the file"
        rule = f"every column of {path} must have a name of its own"
        raise DataError(Problem(rule, got, fix, "D007"))


def _parquet(path: Path, wanted: list[str] | None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
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
    ragged: list[pacsv.InvalidRow] = []
    last: pa.RecordBatch | None = None
    # Arrow's own streams: it reads ahead in a thread of its own, which a Python file may outlive.
    compression = "gzip" if layout.is_gzip else None
    with pa.input_stream(str(path), compression=compression) as file:
        for batch in pacsv.open_csv(file, **_options(layout, names, ragged)):
            last = batch if len(batch) else last
            yield pa.Table.from_batches([batch])
    cells = [] if last is None else last.slice(len(last) - 1).to_pylist()[0].values()
    _refuse_open_quote([*cells, *(row.text for row in ragged[-1:])], layout, path)
    if ragged:
        raise DataError(_ragged_problem(ragged, layout, path))


def _refuse_open_quote(last: Iterable[str], layout: Layout, path: Path) -> None:
    """Raise a DataError where the last cell swallowed the end of the file."""
    for cell in last:
        if "\n" in cell and _is_odd(layout.dialect.quote.encode(), layout, path):
            rule, fix = f"every quote in {path} must be closed", "close it, or data.csv.quote=..."
            got = f"one that opens before {cell[:40]!r} and never ends"
            raise DataError(Problem(rule, got, fix, "D006"))


def _is_odd(quote: bytes, layout: Layout, path: Path) -> bool:
    """Count the quotes of a whole file: a pair for each cell that is closed."""
    with gzip.open(path) if layout.is_gzip else path.open("rb") as file:
        return (
            sum(block.count(quote) for block in iter(lambda: file.read(BLOCK_BYTES), b"")) % 2 == 1
        )


def _options(layout: Layout, names: list[str], ragged: list[pacsv.InvalidRow]) -> dict[str, Any]:
    """Say it in Arrow's words: text only, and rows that do not fit are gathered."""

    def gather(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    return {
        "read_options": pacsv.ReadOptions(
            column_names=layout.names,
            skip_rows=layout.header_lines,
            block_size=BLOCK_BYTES,
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


def _ragged_problem(ragged: list[pacsv.InvalidRow], layout: Layout, path: Path) -> Problem:
    """Name the first rows that are too long or too short."""
    width, separator = len(layout.names), layout.dialect.separator
    rule = f"every row of {path} must have {width} cells, as its header"
    some = [f"{row.actual_columns} in line {row.number}" for row in ragged[:MAX_NAMED]]
    more = f", {len(ragged):,} such rows in all" if len(ragged) > MAX_NAMED else ""
    fix = f"correct them, or set another separator than {separator!r}: data.csv.separator=..."
    if all(row.actual_columns == width + 1 for row in ragged) and len(ragged) > 1:
        fix = "name the first column in the header, or remove what ends each row"
    return Problem(rule, ", ".join(some) + more, fix, "D005")


class TableFile:
    """A file that is held in memory, or read anew whenever it is looked at.

    Args:
        path: CSV or Parquet.
        dialect: how a CSV file is written.
        on_disk: whether it is too large to be held.
    """

    def __init__(self, path: str, dialect: Dialect, on_disk: bool) -> None:
        self.path, self.dialect = path, dialect
        self.table = None if on_disk else read_table(path, dialect)
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
        return table.column(name)
