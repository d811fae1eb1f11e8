"""Read a table from a file of any known format, chunk by chunk, as Arrow tables.

The first bytes of a file decide its format, never its name. A further format is one that an
installed project registers (see `known_formats`): training, predict, evaluate, inspect and uploads
then read it.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kindling.errors import ConfigError, DataError, Problem, permitted
from kindling.fixes import Command
from kindling.formatting import first_few, shown
from kindling.registry import FORMATS, INSTALL, registered
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.csv_layout import sniff
from kindling.tables.csv_reader import read_csv
from kindling.tables.pandas_index import kept_index

CHUNK_ROWS = 1 << 14  # of Parquet in one chunk
HELD_BYTES = 1 << 24  # of a table that is held in memory
FEW_CELLS = 3  # that a message shows
MAGIC_BYTES = 16  # that are read to tell the format

# (path, how CSV is written, columns or None for all) -> tables: the first has all columns and no
# rows, the others hold at least the columns that were asked for.
Read = Callable[[Path, Dialect, list[str] | None], Iterator[pa.Table]]


@dataclass(frozen=True)
class TableFormat:
    """A file format of tables.

    Args:
        name: what people call it.
        magic: the bytes that every such file begins with; none where any text may be one.
        suffixes: of usual names, by which predict finds the tables in a folder.
        is_compressed: whether a small file may hold a huge table: a server takes no such upload.
        read: gives the tables; see `Read`. What it raises of Arrow's or the system's own errors
            becomes a message; a name that two columns have is refused behind it.
    """

    name: str
    magic: bytes
    suffixes: tuple[str, ...]
    is_compressed: bool
    read: Read


def read_parquet(path: Path, _: Dialect, names: list[str] | None) -> Iterator[pa.Table]:
    """Read a Parquet file; an index that pandas wrote into it is a column where it has a name."""
    with pq.ParquetFile(path, pre_buffer=False) as file:  # else the whole file stays in memory
        schema = file.schema_arrow
        index = kept_index(schema, file.metadata.num_rows)
        stored = [n for n, name in enumerate(schema.names) if name not in index.unnamed]
        header = index.with_ranges(schema.empty_table().select(stored))
        yield header
        wanted = header.column_names if names is None else names
        in_file = [name for name in wanted if name in schema.names]
        start = 0
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, columns=in_file):
            yield index.with_ranges(pa.Table.from_batches([batch]), start)
            start += len(batch)


def left_out_index(path: Path) -> dict[str, list[Any]]:
    """Return the first cells of each part of a Parquet file's index that is no column."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        index = kept_index(file.schema_arrow, file.metadata.num_rows)
        names = list(index.unnamed)
        batch = next(file.iter_batches(batch_size=FEW_CELLS, columns=names), None)
    stored = {} if batch is None else {name: batch.column(name).to_pylist() for name in names}
    return stored | {name: [*numbers[:FEW_CELLS]] for name, numbers in index.others}


PARQUET = TableFormat("Parquet", b"PAR1", (".parquet", ".pq"), True, read_parquet)
CSV = TableFormat("CSV", b"", (".csv", ".tsv", ".txt", ".gz"), False, read_csv)


@cache
def known_formats() -> tuple[TableFormat, ...]:
    """Return all formats: the first whose magic bytes fit is taken; CSV has none, so it is last.

    Those that projects register come first: `[project.entry-points."kindling.formats"]` of a
    pyproject.toml names an object of `TableFormat`.

    Raises:
        ConfigError: what is registered is no such object, or has no magic bytes.
    """
    return (*map(own_format, registered(FORMATS).values()), PARQUET, CSV)


def own_format(point: EntryPoint) -> TableFormat:
    """Import a format that a project registers."""
    rule, fix = f"{FORMATS} of pyproject.toml must name a TableFormat", "correct or remove it"
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        got = f"{point.name} = {point.value}: {error}"
        raise ConfigError(Problem(rule, got, f"{fix}, then {INSTALL}")) from error
    # Without magic bytes it would take every file for its own.
    if not isinstance(found, TableFormat) or not 0 < len(found.magic) <= MAGIC_BYTES:
        rule += f" with 1 to {MAGIC_BYTES} magic bytes"
        raise ConfigError(Problem(rule, f"{point.name} = {point.value}: {shown(found)}", fix))
    return found


def find_format(start: bytes) -> TableFormat:
    """Tell the format of a file by its first MAGIC_BYTES."""
    return next(known for known in known_formats() if start.startswith(known.magic))


def format_of(path: Path) -> TableFormat:
    """Tell the format of a file."""
    with path.open("rb") as file:
        return find_format(file.read(MAGIC_BYTES))


def table_suffixes() -> set[str]:
    """Return the endings by which the tables in a folder are found."""
    return {suffix for known in known_formats() for suffix in known.suffixes}


def separator_of(path: Path, dialect: Dialect) -> str:
    """Return what separates the cells of a CSV file; "" of another format."""
    return sniff(path, dialect).dialect.separator if format_of(path) is CSV else ""


def read_table(
    path: str | Path, dialect: Dialect = AUTO, names: list[str] | None = None
) -> pa.Table:
    """Read a whole file, or these columns of it."""
    return pa.concat_tables(open_table(path, dialect, names)).combine_chunks()


def open_table(
    path: str | Path, dialect: Dialect = AUTO, names: list[str] | None = None
) -> Iterator[pa.Table]:
    """Read a file chunk by chunk, so that memory does not grow with it.

    Args:
        path: of any known format; its content decides, not its name.
        dialect: how a CSV file is written.
        names: the columns to read, in any order; None reads all.

    Returns:
        A table without rows, then those with the rows. Every cell of a CSV file stays text: a
        reader that guesses types guesses anew for every file, and a code "007" would be 7 in
        training and "007" in serving.

    Raises:
        DataError: the file is no table, or its rows have different lengths.
    """
    path = path if isinstance(path, Path) else Path(path)
    try:
        with permitted(path):
            found = format_of(path)
        for number, table in enumerate(found.read(path, dialect, names)):
            if number == 0:
                refuse_repeated(table.column_names, path)
            yield decode_storage(table.select(table.column_names if names is None else names))
    except OSError as error:
        if error.errno is None:  # of gzip or Arrow: what was read is at fault
            raise no_table(path, error) from error
        rule, is_gone = f"{path} must be a file that may be read", not path.exists()
        fix = "bring the file back" if is_gone else Command("chmod", "u+r", path)
        got = error.strerror or str(error)
        raise DataError(Problem(rule, got, fix, "D014", file=str(path))) from error
    except (pa.ArrowException, EOFError, zlib.error, UnicodeError, LookupError) as error:
        raise no_table(path, error) from error


def no_table(path: Path, error: Exception) -> DataError:
    """Say that a file is no table, with the first line of the reason."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    rule, fix = f"{path} must be a table", "give a CSV file with a header, or a Parquet file"
    for_rows = "give a CSV file with a header"
    return DataError(Problem(rule, shown(reason), fix, "D003", for_rows, file=str(path)))


def refuse_repeated(names: list[str], path: Path) -> None:
    """Raise a DataError where two columns have the same name."""
    counts = Counter(names)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        got = first_few(f"{name!r} {counts[name]} times" for name in repeated)
        rule, fix = f"every column of {path} must have a name of its own", "rename them in the file"
        raise DataError(Problem(rule, got, fix, "D007", file=str(path), column=repeated[0]))


def decode_storage(table: pa.Table) -> pa.Table:
    """Replace dictionaries by their values, and large text by text: storage is no column type."""
    for number, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        if kind != field.type:
            table = table.set_column(number, field.name, table.column(number).cast(kind))
    return table


def as_found(path: Path, dialect: Dialect) -> Dialect:
    """Say of a CSV file without a header that it has none, and how many columns: later ones too."""
    with suppress(DataError, OSError, EOFError, zlib.error, UnicodeError):  # open_table says it
        if format_of(path) is CSV and not (layout := sniff(path, dialect)).shape.has_header:
            return replace(dialect, header=False, width=len(layout.names))
    return dialect
