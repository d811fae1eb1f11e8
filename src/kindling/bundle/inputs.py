"""Take rows as people have them: DataFrames, dicts, arrays, files, paths or bytes of images."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.bundle.python_cells import to_arrow
from kindling.errors import DataError, Problem, for_a_model
from kindling.images.arrays import cast_images, decode_array, is_cast, not_finite, type_fix
from kindling.images.image_schema import ImageSchema
from kindling.rooms import entry
from kindling.tables.column_types import is_text
from kindling.tables.csv_dialect import AUTO, Dialect, for_new_rows
from kindling.tables.csv_layout import find_header
from kindling.tables.formats import decode_storage, open_table
from kindling.tables.number_text import rewrite_sign
from kindling.tables.pandas_index import kept_index, named_levels
from kindling.tables.part_files import PartFiles, find_parts
from kindling.tables.schema import TableSchema
from kindling.tables.table_file import open_parts

TABLES = "a DataFrame, an Arrow table, a dict of columns, a list of dicts, or an array of two axes"
IMAGES = "a list of paths, bytes or Pillow images, or an array (N, channels, H, W)"


def open_rows(file: Path, schema: TableSchema, asked: Dialect | None = None) -> Iterator[pa.Table]:
    """Read CSV or Parquet chunk by chunk; see `open_table`.

    Args:
        file: new rows, with whatever columns; of a folder or pattern, all tables as one.
        schema: tells how the train rows were written.
        asked: how this file is written, where somebody says so.
    """
    yield from _open(_parts_of(file), schema, asked, [])


def _parts_of(file: str | Path) -> PartFiles:
    parts = find_parts(file)  # of nothing at all, reading it says what is wrong
    return parts if parts.files else replace(parts, files=(Path(file),))


def _open(
    parts: PartFiles, schema: TableSchema, asked: Dialect | None, sizes: list[int]
) -> Iterator[pa.Table]:
    with for_a_model():
        dialect = asked or written_as(parts.files[0], schema)
        for table in open_parts(parts, dialect, sizes):
            yield table if asked is None else _with_signs(table, schema, asked.decimal)


def _with_signs(table: pa.Table, schema: TableSchema, decimal: str) -> pa.Table:
    """Write numbers, whose decimal sign somebody tells, as the train rows had them."""
    target = () if schema.target is None else (schema.target,)
    for column in (*schema.used, *target):
        name = column.name
        if decimal == "auto" or column.column_type != "number" or name not in table.column_names:
            continue
        cells = table.column(name)
        if is_text(cells):
            place = table.column_names.index(name)
            table = table.set_column(place, name, rewrite_sign(cells, decimal, column.decimal))
    return table


def read_rows(file: Path, schema: TableSchema, asked: Dialect | None = None) -> pa.Table:
    """Read a whole table, as `open_rows` does."""
    return read_parts(file, schema, asked)[0]


def read_parts(
    file: str | Path, schema: TableSchema, asked: Dialect | None = None
) -> tuple[pa.Table, PartFiles]:
    """Read a whole table, as `open_rows` does, and say which rows lie in which of its files."""
    parts, sizes = _parts_of(file), list[int]()
    table = pa.concat_tables(_open(parts, schema, asked, sizes)).combine_chunks()
    return table, parts.counted(sizes)


def written_as(file: Path, schema: TableSchema) -> Dialect:
    """Take what the user set for the train rows, unless the columns are found without it only."""
    # Somebody who trained on "a;b" may send "a,b": the header tells which of both it is.
    needed, trained = {column.name for column in schema.used}, for_new_rows(schema.dialect)
    anew = replace(AUTO, header=True, decimal=trained.decimal, missing=trained.missing)
    # Names that count the columns fit any file: those of a header, if there is one, go first.
    ways = (trained, anew) if trained.header else (anew, trained)
    for dialect in dict.fromkeys(ways):
        with suppress(DataError, OSError, EOFError, UnicodeError):  # the reader says it in words
            if needed <= set(next(open_table(file, dialect)).column_names):
                return dialect
    with suppress(DataError, OSError, EOFError, UnicodeError):
        return find_header(file, needed, trained) or trained
    return trained


def to_table(rows: Any, schema: TableSchema) -> pa.Table:
    """Return N raw rows as an Arrow table; which columns it has is not looked at.

    Args:
        rows: a DataFrame, whose index is a column where it has a name, an Arrow table, a dict of
            columns, a list of dicts (a key that is not there is a missing cell), or an array of
            two axes with the columns that the schema uses, in its order.
        schema: names the columns of an array.
    """
    if isinstance(rows, pa.Table):
        _refuse_repeated(rows.column_names)
        return decode_storage(kept_index(rows.schema, len(rows)).with_ranges(rows))
    columns = _columns_of(rows, schema)
    for name, cells in columns.items():
        if np.ndim(cells) != 1:
            raise _wrong(f"one cell for each row in column {name!r}", f"{str(cells)[:40]!r}")
    known = {column.name: column for column in schema.used}
    arrays = {name: to_arrow(cells, known.get(name)) for name, cells in columns.items()}
    if len({len(array) for array in arrays.values()}) > 1:
        raise _wrong("columns of one length", str({n: len(a) for n, a in arrays.items()})[:80])
    return decode_storage(pa.table(arrays))


def _columns_of(rows: Any, schema: TableSchema) -> dict[str, Any]:
    if isinstance(rows, pd.DataFrame):
        _refuse_repeated([str(name) for name in rows])
        columns = {str(name): rows.iloc[:, number] for number, name in enumerate(rows)}
        return columns | named_levels(rows)
    if isinstance(rows, Mapping):
        return {str(name): column for name, column in rows.items()}
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        return _name_columns(rows, schema)
    if isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return {str(name): [row.get(name) for row in rows] for name in names}
    raise _wrong(TABLES, type(rows).__name__)


def _refuse_repeated(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise _wrong("columns with names of their own", "two of the same name")


def _name_columns(rows: np.ndarray, schema: TableSchema) -> dict[str, Any]:
    names = [column.name for column in schema.used]
    if rows.shape[1] != len(names):
        wanted = f"the {len(names)} columns {', '.join(names)} in this order"
        raise _wrong(wanted, f"an array of {rows.shape[1]} columns")
    return {name: rows[:, number] for number, name in enumerate(names)}


def to_images(rows: Any, schema: ImageSchema) -> np.ndarray:
    """Return images (N, channels, H, W) in the schema's data type, uint8 or float32.

    Args:
        rows: a list of paths, of the bytes of image files, or of Pillow images, each of any size
            and mode; paths of .npy files; or an array of the very shape and data type, which is
            taken as it is, or of another float where that is float32.
        schema: how an image becomes pixels.
    """
    if isinstance(rows, np.ndarray) and rows.dtype != object:
        is_shape = rows.shape[1:] == schema.shape
        if not is_shape or not is_cast(rows.dtype, schema):
            wanted = f"an array {schema.dtype} of (N, {str(schema.shape)[1:-1]})"
            fix = type_fix(rows.dtype, schema) if is_shape else "convert them"
            raise _wrong(wanted, f"{rows.dtype} {rows.shape}", fix)
        images = cast_images(rows, schema)
        if schema.dtype == "float32" and not np.isfinite(images).all():
            raise _wrong("finite numbers", f"an array with {not_finite(rows.dtype)}")
        return images
    if isinstance(rows, str | bytes | Path) or not hasattr(rows, "__iter__"):
        raise _wrong(IMAGES, type(rows).__name__)
    decode = entry("decode") or decode_array
    decoded = [decode(Path(row) if isinstance(row, str) else row, schema) for row in rows]
    return np.stack(decoded) if decoded else np.empty((0, *schema.shape), schema.dtype)


def _wrong(rule: str, got: str, fix: str = "convert them") -> DataError:
    return DataError(Problem(f"rows are {rule}", got, fix))
