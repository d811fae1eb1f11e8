"""The schema of a table: what each column is, and how raw cells are cast to numbers and categories.

It is inferred from the train rows, kept with the model, and casts cells in training and in serving
alike. Cells that do not fit their column are named.
"""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.tables.column import USED, Column, convert, features_of
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.invalid_cells import InvalidCells, find_invalid
from kindling.tables.part_files import PartFiles


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table, in the order of the file, without the target.

    Args:
        columns: all that may be learnt from, whether they are used or not.
        dialect: how the user says that CSV files of such rows are written.
        target: how the target is written; None of rows that have none.
        left_out: further columns of the file, which the user left out; new rows may have them.
    """

    columns: tuple[Column, ...]
    dialect: Dialect = AUTO
    target: Column | None = None
    left_out: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.column_type in USED)

    def cast(
        self, table: pa.Table, file: str | PartFiles, rows: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Convert raw columns, in whatever order, to the features in the order of the schema.

        Args:
            table: N raw rows; columns that the schema does not use are not looked at.
            file: what to call the table in a message, or the files that it lies in.
            rows: int64 (N,), what to call the rows in a message; counted from 0 by default.

        Returns:
            N rows: float64 numbers, 0 and 1 for booleans (NaN where missing), and text for
            categories ("" where missing).

        Raises:
            DataError: columns are absent, or cells do not fit their column's type.
        """
        problems = absent_columns([c.name for c in self.used], table.column_names, str(file))
        if problems:
            raise DataError(*problems)
        features, invalid = self.cast_cells(table, file, rows)
        if invalid:
            raise DataError(*(cells.problem() for cells in invalid))
        return features

    def cast_cells(
        self, table: pa.Table, file: str | PartFiles, rows: np.ndarray | None
    ) -> tuple[pd.DataFrame, list[InvalidCells]]:
        """Convert as `cast` does, but return the cells that do not fit; they are missing then."""
        numbers = np.arange(len(table)) if rows is None else rows
        features: dict[str, np.ndarray | pd.Series] = {}
        invalid: list[InvalidCells] = []
        for column in self.used:
            cells = table.column(column.name)
            values = convert(column, cells)
            # Null where a cell could not be converted: only such columns are looked at twice.
            invalid += find_invalid(column, cells, values, file, numbers)
            features |= dict(zip(column.features, features_of(column, values), strict=True))
        return pd.DataFrame(features, index=pd.RangeIndex(len(table)), copy=False), invalid


def absent_columns(
    names: Iterable[str], columns: list[str], file: str, key: str = ""
) -> list[Problem]:
    """List the names that are no columns of a file, each with the nearest one.

    Args:
        names: that were asked for.
        columns: of the file.
        file: what to call it.
        key: that the names were typed behind, such as data.target.
    """
    problems, known = [], set(columns)
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
        fix: Fix = f"did you mean {near[0]!r}?" if near else f"choose from {first_few(columns, 12)}"
        if len(columns) == 1 and not near:
            signs = Counter(sign for sign in columns[0] if not sign.isalnum() and sign != "_")
            likely = signs.most_common(1)[0][0] if signs else ...
            fix = (
                f"its only column is {shown(columns[0])}: say what separates columns there",
                Setting("data.csv.separator", likely, "if that sign does"),
            )
        rule = f"a column {name!r} must be in {file}" + (f" ({key})" if key else "")
        problems.append(Problem(rule, "none", fix, "D101", file=file, column=name))
    return problems
