"""What a column of a table is, and how its raw cells become numbers, categories and features."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.tables import column_types
from kindling.tables.categories import digits_as_text, to_category
from kindling.tables.date_text import DateStyle
from kindling.tables.number_text import NumberStyle

ColumnType = Literal["number", "boolean", "category", "date", "id", "constant", "text", "empty"]
USED: tuple[ColumnType, ...] = ("number", "boolean", "category", "date")  # the others are left out


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        name: as in the user's file.
        column_type: what it is taken for; "id", "constant", "text" and "empty" are left out.
        why: the reason, in words for a person.
        features: names of the features that it becomes; none where it is left out.
        num_missing: train rows without a value.
        low, high: least and largest number (days since 1970 of a date) of the train rows.
        is_whole: whether all numbers of the train rows are whole.
        decimal: the decimal sign where numbers are written as text; "" where none was ever seen.
        unit: the currency, percent sign or unit beside numbers that are written as text.
        missing: words that the user says stand for no value.
        empty: the category of a cell without a value, where no train row had one.
        is_doubtful: whether the cells could be read in two ways, and one was taken.
        pattern: how a date is written as text.
        zones: of the times of the train rows; none where they had none.
        gaps: days since 1970 that stand for no date, such as that of 9999-12-31.
        categories: a category's values, in the order of their codes behind unknown and missing.
        has_leading_zeros: whether it is a category because its cells are codes such as 007.
    """

    name: str
    column_type: ColumnType
    why: str = ""
    features: tuple[str, ...] = ()
    num_missing: int = 0
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    decimal: str = "."
    unit: str = ""
    missing: tuple[str, ...] = ()
    empty: str = ""
    is_doubtful: bool = False
    pattern: str = ""
    zones: tuple[str, ...] = ()
    gaps: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    has_leading_zeros: bool = False

    @property
    def is_zero_or_one(self) -> bool:
        """Whether all numbers of the train rows are 0 or 1, so that they may come as booleans."""
        return self.is_whole and self.low in (0.0, 1.0) and self.high in (0.0, 1.0)

    @property
    def style(self) -> NumberStyle:
        """How its numbers are written."""
        return NumberStyle(self.decimal, self.unit, self.missing)

    @property
    def date_style(self) -> DateStyle:
        """How its dates are written."""
        return DateStyle(self.pattern, self.zones, self.missing)


def convert(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return float64 with nulls, or text without, by the column's type.

    What one cell becomes depends on what the train rows were, on no other cell, and as little as
    can be on its own type: a number may come as text, and a category as a number.
    """
    if column.column_type == "category":
        return to_category(cells, column.categories, column.missing, column.empty)
    if column.column_type == "boolean":
        return column_types.to_boolean(cells, column.missing)
    if column.column_type == "date":
        days = column_types.to_days(digits_as_text(cells), column.date_style)
        is_gap = pc.is_in(pc.floor(days), value_set=pa.array(column.gaps, pa.float64()))
        return pc.if_else(is_gap, pa.scalar(None, pa.float64()), days) if column.gaps else days
    is_truth = pa.types.is_boolean(cells.type)
    if is_truth and not column.is_zero_or_one:  # of any other number, True is none
        return pa.chunked_array([pa.nulls(len(cells), pa.float64())])
    numbers = column_types.to_number(cells, column.style)
    if column.is_zero_or_one and column_types.is_text(cells):
        return pc.coalesce(numbers, column_types.to_truth(cells, missing=column.missing))
    return numbers


def features_of(column: Column, values: pa.ChunkedArray) -> list[np.ndarray | pd.Series]:
    """Make the features of one column: itself, or the parts of a date, and what is missing."""
    if column.column_type == "category":
        return [values.to_pandas()]  # shares the memory, where an array would hold objects
    array = values.to_numpy()
    if column.column_type == "date":
        return column_types.date_parts(array)[: len(column.features)]
    if len(column.features) == 2:
        return [array, np.isnan(array).astype(np.float64)]
    return [array]
