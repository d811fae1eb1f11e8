"""Columns of the user's files in; which rows belong together, and when each was, out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.inference import infer_column
from kindling.tables.schema import convert


class Cells(NamedTuple):
    """One column of one file, and the rows of it that are used."""

    file: str
    column: pa.ChunkedArray
    rows: np.ndarray


def read_groups(parts: Sequence[Cells]) -> np.ndarray:
    """Return text (N,), equal where the cells are; "" for a row without a value, which is alone.

    Raises:
        DataError: cells are no single values.
    """
    for part in parts:
        if not column_types.is_single(part.column):
            rule = f"cells of data.group must be single values ({part.file})"
            got = f"cells of type {part.column.type}"
            raise DataError(Problem(rule, got, "take another column", "D307"))
    return np.concatenate([column_types.to_category(p.column).to_numpy()[p.rows] for p in parts])


def read_times(name: str, parts: Sequence[Cells]) -> np.ndarray:
    """Return float64 (N,): days since 1970 where the cells are dates, else the numbers they hold.

    Raises:
        DataError: a row has neither.
    """
    column = infer_column(name, parts[0].column, None)
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


def _timeless_problem(name: str, part: Cells, is_timeless: np.ndarray) -> Problem:
    rows = part.rows[is_timeless]
    cell = part.column[int(rows[0])].as_py()
    got = f"{shown(cell)} in row {rows[0]} (counted from 0), {len(rows):,} such cells in all"
    rule = f"data.time={name} must be a date or a number in every row of {part.file}"
    return Problem(rule, got, "fill them in, or take another column", "D304")
