"""Read a table whose rows lie in one file, or in several that must be alike.

The columns of the first file are those of the table. One that a later file lacks, has more, or
holds as another type is refused by name: nothing is filled in, and nothing is cast.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.formatting import count, first_few
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.csv_layout import sniff
from kindling.tables.formats import (
    CHUNK_ROWS,
    CSV,
    HELD_BYTES,
    as_found,
    format_of,
    open_table,
    read_table,
)
from kindling.tables.part_files import PartFiles, find_parts

MOST_NAMED = 5  # files that differ from the first


def open_parts(
    parts: PartFiles, dialect: Dialect = AUTO, sizes: list[int] | None = None
) -> Iterator[pa.Table]:
    """Read the files of a table one after the other, chunk by chunk; see `open_table`.

    Args:
        parts: the files.
        dialect: how CSV files are written.
        sizes: is filled with the rows of each file.

    Raises:
        DataError: a file is no table, or its columns are not those of the first one.
    """
    first, sizes = None, [] if sizes is None else sizes
    for file, written in dialects_of(parts, dialect):
        sizes.append(0)
        for table in open_table(file, written):
            first = table if first is None else first
            refuse_differing(parts, [(file, differences(first, table))])
            sizes[-1] += len(table)
            yield table if len(parts.files) == 1 else alike(table, first)


def dialects_of(parts: PartFiles, dialect: Dialect) -> Iterator[tuple[Path, Dialect]]:
    """Give each file with how it is written: separator and header are those of the first one."""
    first, *others = parts.files
    dialect = as_found(first, dialect)
    yield first, dialect
    if others and format_of(first) is CSV:
        layout = sniff(first, dialect)
        header = layout.shape.has_header
        dialect = replace(dialect, separator=layout.dialect.separator, header=header)
    yield from ((file, dialect) for file in others)


def alike(table: pa.Table, first: pa.Table) -> pa.Table:
    """Order columns as the first file has them; what else its schema says is left out."""
    names = first.column_names
    return pa.table([table.column(name) for name in names], names)


def differences(first: pa.Table, other: pa.Table) -> str:
    """Say how the columns of a file differ from those of the first one; "" where they do not."""
    there, needed = set(other.column_names), set(first.column_names)
    lacking = [repr(name) for name in first.column_names if name not in there]
    more = [repr(name) for name in other.column_names if name not in needed]
    changed = [
        f"{field.name!r} is {other.schema.field(field.name).type} instead of {field.type}"
        for field in first.schema
        if field.name in there and other.schema.field(field.name).type != field.type
    ]
    said = [f"no {first_few(lacking)}"] if lacking else []
    said += [f"also {first_few(more)}"] if more else []
    said += [first_few(changed)] if changed else []
    return "; ".join(said)


def refuse_differing(parts: PartFiles, found: list[tuple[Path, str]]) -> None:
    """Raise a DataError that names the files whose columns are not those of the first one."""
    wrong = [(file, got) for file, got in found if got]
    if not wrong:
        return
    rule = f"all files of {parts} must have the columns and types of {parts.files[0].name}"
    got = first_few((f"{file.name}: {what}" for file, what in wrong), MOST_NAMED, noun="files")
    fix = ("write them alike", "give a pattern that leaves the others out")
    raise DataError(Problem(rule, got, fix, "D020", file=str(wrong[0][0]), count=len(wrong)))


class TableFile:
    """A table that is held in memory, or read anew whenever it is looked at.

    Args:
        path: of a file of any known format, or of several, see `find_parts`.
        dialect: how CSV files are written; of one without a header, its width is added.
        may_hold: whether a small table is to be held; a large one would take more memory raw
            than what becomes of it, and is read again in the time that this takes.

    Raises:
        DataError: a file is no table, or its columns are not those of the first one.
    """

    def __init__(self, path: str | PartFiles, dialect: Dialect, may_hold: bool) -> None:
        self.parts = find_parts(path) if isinstance(path, str) else path
        self.dialect = as_found(self.parts.files[0], dialect)
        self.table: pa.Table | None = None
        is_held = may_hold and self.parts.num_bytes <= HELD_BYTES
        files = list(dialects_of(self.parts, dialect))
        tables = [
            read_table(file, written) if is_held else next(open_table(file, written))
            for file, written in files
        ]
        first = tables[0]
        pairs = zip(self.parts.files[1:], tables[1:], strict=True)
        refuse_differing(self.parts, [(file, differences(first, table)) for file, table in pairs])
        self.names: list[str] = first.column_names
        if is_held:
            self.parts = self.parts.counted(map(len, tables))
            several = (alike(table, first) for table in tables)
            self.table = first if len(tables) == 1 else pa.concat_tables(several).combine_chunks()

    @property
    def path(self) -> str:
        return self.parts.name

    def open(self) -> Iterator[pa.Table]:
        """Give all rows chunk by chunk."""
        if self.table is None:
            return open_parts(self.parts, self.dialect)
        starts = range(0, max(1, len(self.table)), CHUNK_ROWS)
        return (self.table.slice(start, CHUNK_ROWS) for start in starts)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column of all rows; then it is known how many rows each file has."""
        if self.table is not None:
            return self.table.column(name)
        columns = [
            read_table(file, written, [name]).column(name)
            for file, written in dialects_of(self.parts, self.dialect)
        ]
        pa.default_memory_pool().release_unused()  # which is far more than one column
        self.parts = self.parts.counted(map(len, columns))
        if len(columns) == 1:
            return columns[0]
        return pa.chunked_array([c for column in columns for c in column.chunks], columns[0].type)

    def notes(self, num_rows: int) -> tuple[str, ...]:
        """Say for the plan how many files there are, and which of them say nothing."""
        parts = self.parts
        if len(parts.files) == 1 and not parts.left_out:
            return ()
        num_files = count(len(parts.files), "file")
        told = [f"{Path(parts.name).name} is {num_files}, in the order of their names"]
        ends = (*parts.starts[1:], num_rows)
        triples = zip(parts.files, parts.starts, ends, strict=True)
        empty = [file.name for file, start, end in triples if start == end]
        told += [f"{first_few(empty)} without rows"] if len(parts.files) > 1 and empty else []
        told += [f"left out beside them: {first_few(parts.left_out)}"] if parts.left_out else []
        return tuple(told)
