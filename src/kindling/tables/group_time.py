"""Read the columns that a split goes by: data.group (rows that stay together) and data.time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.categories import to_category
from kindling.tables.column import convert
from kindling.tables.inference import NO_HINTS, Hints, infer_column
from kindling.tables.invalid_cells import point_at
from kindling.tables.part_files import PartFiles, locate


class FileColumn(NamedTuple):
    """One column of one table, and the rows of it that are used."""

    file: str | PartFiles
    column: pa.ChunkedArray
    rows: np.ndarray


def read_groups(parts: Sequence[FileColumn], hints: Hints = NO_HINTS) -> np.ndarray:
    """Return text (N,), equal where the cells are; "" for a row without a value, which is alone.

    Raises:
        DataError: cells are no single values.
    """
    for part in parts:
        if not column_types.is_single(part.column):
            rule = f"cells of data.group must be single values ({part.file})"
            got, fix = f"cells of type {part.column.type}", "take another column"
            raise DataError(Problem(rule, got, fix, "D307", file=str(part.file)))
    # As categories: a group is the same whether its number is stored as 7, as 7.0 or as text.
    texts = [to_category(part.column, missing=hints.dialect.missing) for part in parts]
    texts = [pc.replace_substring_regex(text, r"^([+-]?\d+)\.0+$", r"\1") for text in texts]
    return np.concatenate([t.to_numpy()[p.rows] for t, p in zip(texts, parts, strict=True)])


def read_times(name: str, parts: Sequence[FileColumn], hints: Hints = NO_HINTS) -> np.ndarray:
    """Return float64 (N,): days since 1970 where the cells are dates, else the numbers they hold.

    Raises:
        DataError: a row has neither.
    """
    column = infer_column(name, parts[0].column, hints)
    # A constant or a count of rows may be a time: only a date is read otherwise than as a number.
    column = replace(column, column_type="date" if column.column_type == "date" else "number")
    times = [convert(column, p.column).to_numpy()[p.rows] for p in parts]
    problems = [
        _timeless_problem(name, part, np.isnan(values))
        for part, values in zip(parts, times, strict=True)
        if np.isnan(values).any()
    ]
    if problems:
        raise DataError(*problems)
    return np.concatenate(times)


def _timeless_problem(name: str, part: FileColumn, is_timeless: np.ndarray) -> Problem:
    rows = part.rows[is_timeless]
    file, numbers = locate(part.file, rows)
    first = int(numbers[0])
    got = point_at(shown(part.column[int(rows[0])].as_py()), first, len(rows))
    rule = f"data.time={name} must be a date or a number in every row of {file}"
    fix = "fill them in, or take another column"
    where: dict[str, Any] = {"file": file, "column": name, "row": first}
    return Problem(rule, got, fix, "D304", count=len(rows), **where)
