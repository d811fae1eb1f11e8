"""Columns as they were read in; numbers, booleans and categories out."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from kindling.errors import Problem

ColumnKind = Literal["number", "boolean", "category"]
MISSING = ""  # of a category; scikit-learn and ONNX agree on the empty string
MOSTLY = 0.9  # share of cells that must be numbers before the others look like mistakes


def infer_kinds(frame: pd.DataFrame, asked: Mapping[str, str]) -> dict[str, ColumnKind]:
    """Name each column's kind; `asked` (data.kinds) has the last word."""
    return {name: asked.get(name) or _infer_kind(frame[name]) for name in frame}  # type: ignore[misc]


def _infer_kind(column: pd.Series) -> ColumnKind:
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return "number"
    known = column.dropna()
    if len(known) and known.map(lambda cell: isinstance(cell, bool)).all():
        return "boolean"  # pandas keeps booleans with gaps as objects
    share = to_number(column).notna().sum() / max(len(known), 1)
    return "number" if len(known) and share >= MOSTLY else "category"


def to_number(column: pd.Series) -> pd.Series:
    """Return float64; a cell that is no number becomes NaN. Dates count days since 1970."""
    if pd.api.types.is_datetime64_any_dtype(column):
        utc = pd.to_datetime(column, utc=True)
        return (utc - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    return numbers.where(np.isfinite(numbers))  # infinity is no measurement: it is imputed too


def to_category(column: pd.Series) -> pd.Series:
    """Return Python strings; a missing cell becomes "", a whole float loses its ".0"."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), MISSING).map(str)


def type_columns(
    frame: pd.DataFrame, kinds: Mapping[str, ColumnKind], file: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Convert every column to its kind: float64 numbers and booleans, strings for categories."""
    typed = {
        name: to_category(frame[name]) if kind == "category" else to_number(frame[name])
        for name, kind in kinds.items()
    }
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    problems = [
        text_problem(frame[name], file, f"or leave it out: data.ignore=[{name}]")
        for name in numbers
        if not_numbers(frame[name]).any()
    ]
    return pd.DataFrame(typed, index=frame.index), problems


def not_numbers(column: pd.Series) -> pd.Series:
    """Mark cells that hold something, but no number; infinity is a number here."""
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return pd.Series(False, index=column.index)
    return column.notna() & pd.to_numeric(column, errors="coerce").isna()


def text_problem(column: pd.Series, file: str, otherwise: str) -> Problem:
    """Point at the first cell of a column of numbers that holds text."""
    bad = column[not_numbers(column)]
    return Problem(
        f"column {column.name!r} of {file} holds numbers, so every cell must be one",
        f"{bad.iloc[0]!r} in row {bad.index[0]} (counted from 0), {len(bad)} such cells in all",
        f"correct the cells or empty them; read it as categories: "
        f"'data.kinds={{{column.name}: category}}'; {otherwise}",
    )
