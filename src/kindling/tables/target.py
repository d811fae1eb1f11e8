"""Read a target: labels or values as the user wrote them, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.fixes import Setting, Way
from kindling.formatting import first_few, shown
from kindling.tables import column_types
from kindling.tables.column import Column
from kindling.tables.column_types import POINT, has_leading_zeros
from kindling.tables.csv_dialect import Dialect
from kindling.tables.inference import NO_HINTS, Hints, styled
from kindling.tables.invalid_cells import point_at
from kindling.tables.number_text import NUMBER_MARKERS, NumberStyle, known_text
from kindling.tables.part_files import PartFiles, locate

MAX_WHOLE_CLASSES = 20  # more distinct whole numbers than this are taken as a quantity


def known_labels(cells: pa.ChunkedArray, missing: Iterable[str] = ()) -> pa.ChunkedArray:
    """Trim labels and make those null that say nothing: empty cells, and the words that are named.

    Labels are the user's: a class may be called None or NA, as no gap in a column of numbers may.
    """
    return known_text(cells, ("", *missing))


def describe_target(
    cells: pa.ChunkedArray, task: str = "auto", hints: Hints = NO_HINTS, name: str = ""
) -> Column:
    """Find whether a target holds numbers, booleans or words, and how numbers are written.

    Args:
        cells: of any type; of the train file, since every file is read alike.
        task: as it was asked for; labels that a number would change, such as 007, stay text.
        hints: what is known of the table. Among numbers, NA and its like are missing, as what is
            named there; where classes are asked for, each word is one.
        name: of the target.

    Raises:
        DataError: cells are no single values.
    """
    if not column_types.is_single(cells):
        rule, fix = "cells of a target must be single values", Setting("data.target")
        raise DataError(Problem(rule, f"cells of type {cells.type}", fix, "D212"))
    column = Column(name, "number", missing=hints.dialect.missing)
    if pa.types.is_boolean(cells.type):
        return replace(column, column_type="boolean")
    if not column_types.is_text(cells) and not pa.types.is_integer(cells.type):
        return column
    labels = known_labels(_distinct(cells), column.missing)
    known = labels if task == "classification" else _without_markers(labels, hints)
    column = styled(column, known, hints)
    numbers = column_types.to_number(known, column.style)
    are_numbers = numbers.null_count == known.null_count < len(known)
    if are_numbers and (task == "regression" or not _are_codes(known, numbers, column, task)):
        return column
    return replace(column, column_type="category")


def _distinct(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return every different cell once, as text."""
    return pc.cast(pa.chunked_array([cells.unique()]), pa.string())


def _without_markers(labels: pa.ChunkedArray, hints: Hints) -> pa.ChunkedArray:
    """Make markers null as among numbers; of few whole numbers, which may be classes, fewer are."""
    known = known_text(labels)
    numbers = column_types.to_number(known, styled(Column("", "number"), known, hints).style)
    is_class_like = len(known) <= MAX_WHOLE_CLASSES and column_types.is_whole(numbers)
    return known if is_class_like else known_text(known, NUMBER_MARKERS)


def read_target(
    cells: pa.ChunkedArray,
    task: str = "auto",
    missing: Iterable[str] = (),
    column: Column | None = None,
) -> pd.Series:
    """Return float64, booleans or text by row number; what is missing is NaN or None.

    Args:
        cells: of any type.
        task: as it was asked for.
        missing: words that mean that nothing is known.
        column: from `describe_target`, of the train file; None describes these very cells.

    Raises:
        DataError: cells are no single values.
    """
    hints = Hints(dialect=Dialect(missing=tuple(missing)))
    column = column or describe_target(cells, task, hints)
    if pa.types.is_boolean(cells.type):
        return cells.to_pandas().astype(object)
    if not column_types.is_single(cells):
        describe_target(cells)  # says so
    if not column_types.is_text(cells) and not pa.types.is_integer(cells.type):
        numbers = column_types.to_number(cells, column.style)
        if pa.types.is_floating(cells.type):  # infinity is refused, not missing
            numbers = pc.if_else(pc.is_inf(cells), pc.cast(cells, pa.float64()), numbers)
        return numbers.to_pandas()
    encoded = cells.combine_chunks().dictionary_encode()  # every label is looked at once
    labels = known_labels(
        pc.cast(pa.chunked_array([encoded.dictionary]), pa.string()), column.missing
    )
    numbers = column_types.to_number(labels, column.style)
    is_number = column.column_type == "number" and _are_all(numbers, labels)
    distinct = np.array([*(numbers if is_number else labels).to_pylist(), None], dtype=object)
    values = distinct[encoded.indices.fill_null(-1).to_numpy()]
    return pd.Series(values, dtype=np.float64 if is_number else object)


def _are_all(numbers: pa.ChunkedArray, labels: pa.ChunkedArray) -> bool:
    """Say whether each label that is no marker of a missing one became a number."""
    return pc.count(numbers).as_py() == pc.count(known_text(labels, NUMBER_MARKERS)).as_py()


def _are_codes(known: pa.ChunkedArray, numbers: pa.ChunkedArray, column: Column, task: str) -> bool:
    """Say whether labels that look like numbers would lose a zero, a unit or a digit."""
    if has_leading_zeros(known):
        return True
    if column.unit and column_types.is_whole(numbers) and len(known) <= MAX_WHOLE_CLASSES:
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
    targets: Mapping[str | PartFiles, pd.Series],
    style: NumberStyle,
    transform: str,
    *,
    is_regression: bool,
) -> list[Problem]:
    """List what is wrong with the target in each table, by its files; the first is that of train.

    Args:
        targets: from `read_target`, each with its name.
        style: how its numbers are written.
        transform: data.target_transform.
        is_regression: whether it is a quantity.
    """
    problems = [] if is_regression else too_many_classes(next(iter(targets.values())))
    for file, target in targets.items():
        problems += target_problems(target, style, is_regression=is_regression, file=file)
        if is_regression:
            problems += log_problems(target, transform, file)
    return problems


def target_problems(
    column: pd.Series, style: NumberStyle = POINT, *, is_regression: bool, file: str | PartFiles
) -> list[Problem]:
    """List what is wrong with one table's target: missing cells, text where a number is needed."""
    missing, problems = column.index[column.isna()], []
    if len(missing):
        name, numbers = locate(file, missing.to_numpy())
        rule = f"target {column.name!r} must be known in every row of {name}"
        some = first_few(numbers, total=len(missing))
        got = f"{len(missing)} missing, in rows {some} (counted from 0)"
        ways: list[Way] = ["fill them in"]
        ways += [Setting("data.drop_missing_target", True, "to leave these rows out")]
        if not is_regression and pd.api.types.is_float_dtype(column):
            ways += [Setting("data.task", "classification", "if NA among numbers is a class")]
        problems.append(Problem(rule, got, tuple(ways), "D201", **_place(file, column, missing)))
    if not is_regression:
        return problems
    if not pd.api.types.is_float_dtype(column):
        return problems + _text_problems(column.dropna(), style, file)
    rows = column.index[column.abs() > column_types.LARGEST]
    if len(rows):
        place = _place(file, column, rows)
        rule = f"target {column.name!r} of {place['file']} must be finite, and below 3.4e38"
        got = point_at(f"{column[rows[0]]:g}", place["row"], len(rows))
        fix = "correct these rows, or take them out"
        problems.append(Problem(rule, got, fix, "D203", **place))
    return problems


def _place(file: str | PartFiles, column: pd.Series, rows: pd.Index) -> dict[str, Any]:
    """Return where cells of the target stand, as the fields of a Problem."""
    name, numbers = locate(file, rows.to_numpy())
    return {"file": name, "column": str(column.name), "row": int(numbers[0]), "count": len(rows)}


def _text_problems(known: pd.Series, style: NumberStyle, file: str | PartFiles) -> list[Problem]:
    """Point at the first cell of a quantity that is no number."""
    if known.empty:
        return []
    text = pa.chunked_array([pa.array(known.map(str), pa.string())])
    bad = known[column_types.to_number(text, style).to_pandas().isna().to_numpy()]
    cell = bad.iloc[0] if len(bad) else known.iloc[0]
    place = _place(file, known, bad.index if len(bad) else known.index[:1])
    rule = f"target {known.name!r} of {place['file']} is a quantity, so every cell must be a number"
    got = point_at(shown(cell), place["row"], len(bad))
    ways: list[Way] = ["correct the cells"]
    if not are_single(known):
        ways += [Setting("data.task", "classification", "to learn classes")]
    return [Problem(rule, got, tuple(ways), "D202", **place)]


def log_problems(column: pd.Series, asked: str, file: str | PartFiles) -> list[Problem]:
    """Point at the first value that has no logarithm, where one was asked for."""
    if asked != "log1p" or not pd.api.types.is_float_dtype(column):
        return []
    rows = column.index[column <= -1]
    if not len(rows):
        return []
    place = _place(file, column, rows)
    rule = f"a logarithm needs values of {column.name!r} in {place['file']} above -1"
    got = point_at(f"{column[rows[0]]:g}", place["row"], len(rows))
    fix = Setting("data.target_transform", "none")
    return [Problem(rule, got, fix, "D213", **place)]


def too_many_classes(column: pd.Series) -> list[Problem]:
    """Find that most classes have a single row, so that nothing can be learnt."""
    if not are_single(column):
        return []
    rule = f"a class of {column.name!r} needs several rows"
    ways: list[Way] = ["give more rows of each"]
    ways += [Setting("data.target", ..., "to learn another column")]
    text = pa.chunked_array([pa.array(column.dropna().map(str), pa.string())])
    if column_types.to_number(text, describe_target(text, "regression").style).null_count == 0:
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
