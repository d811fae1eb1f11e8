"""Read a target: labels or values as the user wrote them, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.fixes import Setting, Way
from kindling.formatting import first_few, shown
from kindling.tables import column_types
from kindling.tables.column_types import decimal_sign, has_leading_zeros
from kindling.tables.schema import point_at

MAX_WHOLE_CLASSES = 20  # more distinct whole numbers than this are taken as a quantity


def known_labels(cells: pa.ChunkedArray, missing: Iterable[str] = ()) -> pa.ChunkedArray:
    """Trim labels and make those null that say nothing: empty cells, and the words that are named.

    Labels are the user's: a class may be called None or NA, as no gap in a column of numbers may.
    """
    return column_types.known_text(cells, ("", *missing))


def read_target(
    cells: pa.ChunkedArray, task: str = "auto", missing: Iterable[str] = ()
) -> pd.Series:
    """Return float64, booleans or text by row number; what is missing is NaN or None.

    Args:
        cells: of any type.
        task: as it was asked for; labels that a number would change, such as 007, stay text.
        missing: words that mean that nothing is known, beside empty cells. Among numbers, NA and
            its like mean it too, unless classes were asked for.

    Raises:
        DataError: cells are no single values.
    """
    if not column_types.is_single(cells):
        rule, fix = "cells of a target must be single values", Setting("data.target")
        raise DataError(Problem(rule, f"cells of type {cells.type}", fix, "D212"))
    if pa.types.is_boolean(cells.type):
        return cells.to_pandas().astype(object)
    if pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        return pc.cast(cells, pa.float64(), safe=False).to_pandas()
    if pa.types.is_duration(cells.type) or pa.types.is_time(cells.type):
        return column_types.to_number(cells).to_pandas()
    text = cells if column_types.is_text(cells) else pc.cast(cells, pa.string())
    return _read_words(text, task, tuple(missing))


def _read_words(cells: pa.ChunkedArray, task: str, missing: tuple[str, ...]) -> pd.Series:
    encoded = cells.combine_chunks().dictionary_encode()  # every label is looked at once
    labels = known_labels(pa.chunked_array([encoded.dictionary]), missing)
    known = labels if task == "classification" else _without_markers(labels)
    numbers = column_types.to_number(known, decimal_sign(known))
    is_number = numbers.null_count == known.null_count < len(known)
    is_number = is_number and (task == "regression" or not _are_codes(known, numbers, task))
    distinct = np.array([*(numbers if is_number else labels).to_pylist(), None], dtype=object)
    values = distinct[encoded.indices.fill_null(-1).to_numpy()]
    return pd.Series(values, dtype=np.float64 if is_number else object)


def _without_markers(labels: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make markers null as among numbers; of few whole numbers, which may be classes, fewer are."""
    known = column_types.known_text(labels)
    numbers = column_types.to_number(known, decimal_sign(known))
    is_class_like = len(known) <= MAX_WHOLE_CLASSES and column_types.is_whole(numbers)
    return known if is_class_like else column_types.known_text(known, column_types.NUMBER_MARKERS)


def _are_codes(known: pa.ChunkedArray, numbers: pa.ChunkedArray, task: str) -> bool:
    """Say whether labels that look like numbers would lose a zero, or the last of many digits."""
    if has_leading_zeros(known):
        return True
    is_quantity = task == "auto" and len(known) > MAX_WHOLE_CLASSES
    return not is_quantity and bool(pc.any(pc.greater(pc.abs(numbers), column_types.EXACT)).as_py())


def infer_task(column: pd.Series, asked: str) -> tuple[bool, str]:
    """Decide between regression (True) and classification (False), and say why."""
    if asked != "auto":
        return asked == "regression", f"data.task={asked}"
    if not pd.api.types.is_float_dtype(column):
        return False, f"{column.name} holds labels"
    values = column[np.isfinite(column)].to_numpy(dtype=np.float64)
    distinct = len(np.unique(values))
    if (values % 1 == 0).all() and distinct <= MAX_WHOLE_CLASSES:
        return False, f"{column.name} has {distinct} distinct whole numbers"
    return True, f"{column.name} has {distinct} distinct numbers"


def check_targets(
    targets: Mapping[str, pd.Series], transform: str, *, is_regression: bool
) -> list[Problem]:
    """List what is wrong with the target in each file, by its path; the first is that of train."""
    problems = [] if is_regression else too_many_classes(next(iter(targets.values())))
    for file, target in targets.items():
        problems += target_problems(target, is_regression=is_regression, file=file)
        if is_regression:
            problems += log_problems(target, transform, file)
    return problems


def target_problems(column: pd.Series, *, is_regression: bool, file: str) -> list[Problem]:
    """List what is wrong with one file's target: missing cells, text where a number is needed."""
    missing, problems = column.index[column.isna()], []
    if len(missing):
        rule = f"target {column.name!r} must be known in every row of {file}"
        got = f"{len(missing)} missing, in rows {first_few(missing)} (counted from 0)"
        ways: list[Way] = ["fill them in"]
        ways += [Setting("data.drop_missing_target", True, "to leave these rows out")]
        if not is_regression and pd.api.types.is_float_dtype(column):
            ways += [Setting("data.task", "classification", "if NA among numbers is a class")]
        problems.append(Problem(rule, got, tuple(ways), "D201", **_place(file, column, missing)))
    if not is_regression:
        return problems
    if not pd.api.types.is_float_dtype(column):
        return problems + _text_problems(column.dropna(), file)
    rows = column.index[column.abs() > column_types.LARGEST]
    if len(rows):
        rule = f"target {column.name!r} of {file} must be finite, and below 3.4e38"
        got = point_at(f"{column[rows[0]]:g}", int(rows[0]), len(rows))
        fix = "correct these rows, or take them out"
        problems.append(Problem(rule, got, fix, "D203", **_place(file, column, rows)))
    return problems


def _place(file: str, column: pd.Series, rows: pd.Index) -> dict[str, Any]:
    """Return where cells of the target stand, as the fields of a Problem."""
    return {"file": file, "column": str(column.name), "row": int(rows[0]), "count": len(rows)}


def _text_problems(known: pd.Series, file: str) -> list[Problem]:
    """Point at the first cell of a quantity that is no number."""
    if known.empty:
        return []
    text = pa.chunked_array([pa.array(known.map(str), pa.string())])
    bad = known[column_types.to_number(text, decimal_sign(text)).to_pandas().isna().to_numpy()]
    cell, row = (bad.iloc[0], bad.index[0]) if len(bad) else (known.iloc[0], known.index[0])
    rule = f"target {known.name!r} of {file} is a quantity, so every cell must be a number"
    got = point_at(shown(cell), int(row), len(bad))
    ways: list[Way] = ["correct the cells"]
    if not are_single(known):
        ways += [Setting("data.task", "classification", "to learn classes")]
    rows = bad.index if len(bad) else known.index[:1]
    return [Problem(rule, got, tuple(ways), "D202", **_place(file, known, rows))]


def log_problems(column: pd.Series, asked: str, file: str) -> list[Problem]:
    """Point at the first value that has no logarithm, where one was asked for."""
    if asked != "log1p" or not pd.api.types.is_float_dtype(column):
        return []
    rows = column.index[column <= -1]
    if not len(rows):
        return []
    rule = f"a logarithm needs values of {column.name!r} in {file} above -1"
    got = point_at(f"{column[rows[0]]:g}", int(rows[0]), len(rows))
    fix = Setting("data.target_transform", "none")
    return [Problem(rule, got, fix, "D213", **_place(file, column, rows))]


def too_many_classes(column: pd.Series) -> list[Problem]:
    """Find that most classes have a single row, so that nothing can be learnt."""
    if not are_single(column):
        return []
    rule = f"a class of {column.name!r} needs several rows"
    ways: list[Way] = ["give more rows of each"]
    ways += [Setting("data.target", ..., "to learn another column")]
    text = pa.chunked_array([pa.array(column.dropna().map(str), pa.string())])
    if column_types.to_number(text, decimal_sign(text)).null_count == 0:
        ways += [Setting("data.task", "regression", "if it is a quantity")]
    got = f"{column.nunique()} classes in {len(column)} rows"
    return [Problem(rule, got, tuple(ways), "D204", column=str(column.name))]


def are_single(labels: pd.Series) -> bool:
    """Say whether most classes have a single row."""
    num_classes = labels.nunique()
    return num_classes > 2 and 2 * num_classes > len(labels)


def to_target(column: pd.Series, *, is_regression: bool) -> np.ndarray:
    """Return N float64 values, or N labels: int64, float64, booleans or text, as in the file."""
    if is_regression:
        return column.to_numpy(dtype=np.float64)
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy()
        is_whole = (values % 1 == 0).all() and np.abs(values).max(initial=0) <= column_types.EXACT
        return values.astype(np.int64) if is_whole else values
    codes, distinct = pd.factorize(column)  # a million rows share one string for each label
    if all(isinstance(label, bool) for label in distinct):
        return distinct.to_numpy(dtype=bool)[codes]
    return np.array([str(label) for label in distinct], dtype=object)[codes]
