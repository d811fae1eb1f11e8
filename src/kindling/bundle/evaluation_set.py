"""Read the rows that a finished model is evaluated on: a labelled table, or labelled images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.bundle.inputs import read_rows
from kindling.bundle.predictor import Predictor
from kindling.errors import DataError, Problem, for_a_model
from kindling.formatting import first_few
from kindling.images.class_folders import add_classes
from kindling.images.decoding import image_suffixes
from kindling.images.image_schema import ImageSchema
from kindling.images.listing import Listing
from kindling.tables import column_types
from kindling.tables.categories import to_category
from kindling.tables.column import Column
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.formats import read_table
from kindling.tables.number_text import NUMBER_MARKERS, known_text
from kindling.tables.schema import absent_columns
from kindling.tables.target import describe_target, known_labels
from kindling.types import DataSpec

MAX_NAMED = 5  # labels that a message names


@dataclass(frozen=True)
class EvaluationSet:
    """N rows whose target is known.

    Args:
        rows: what `Predictor.scores` takes.
        truth: int64 class codes (N,), or float64 values in the target's unit.
        place: how `Predictor.scores` is to name a row in a message.
        num_left_out: further rows, without a label.
    """

    rows: Any
    truth: np.ndarray
    place: dict[str, Any]
    num_left_out: int = 0


def read_evaluation_set(
    path: Path, model: Predictor, asked: Dialect | None = None
) -> EvaluationSet:
    """Read what the model is to be evaluated on; rows without a label are left out.

    Args:
        path: a table with the target's column; for images a folder of class folders, or a table
            with the columns `file` (from where the table lies) and `label`.
        model: says what is looked for.
        asked: how a CSV file is written, where it is not as the train rows were.

    Raises:
        DataError: the target is not there, or has labels that the model does not know.
    """
    if isinstance(model.schema, ImageSchema):
        is_folder = path.is_dir()
        found = _list_folders(path, model.schema) if is_folder else _list_table(path, asked or AUTO)
        files, labels = found
        truth, known = read_truth(labels, model.spec, str(path))
        rows: Any = [files[number] for number in known]
        return EvaluationSet(rows, truth, {}, len(files) - len(known))
    table = read_rows(path, model.schema, asked)
    _refuse_absent([model.spec.target], table, path)
    truth, known = read_truth(
        table.column(model.spec.target), model.spec, str(path), model.schema.target
    )
    place = {"file": str(path), "numbers": known}
    return EvaluationSet(table.take(pa.array(known)), truth, place, len(table) - len(known))


def _refuse_absent(names: Sequence[str], table: pa.Table, path: Path) -> None:
    absent = absent_columns(names, table.column_names, str(path))
    if absent:
        raise DataError(*absent)


def _list_folders(root: Path, schema: ImageSchema) -> tuple[list[Path], pa.ChunkedArray]:
    listing = Listing(root, follow_links=True, suffixes=frozenset(image_suffixes(schema)))
    add_classes(listing, listing.scan(root))
    problems = listing.problems()
    if not listing.entries and not problems:
        rule = "images for an evaluation lie in the folder of their class"
        got, fix = f"no class folders with images in {root}", "type a folder of class folders"
        problems = [Problem(rule, got, fix)]
    if problems:
        raise DataError(*problems)
    labels = pa.chunked_array([[entry.label for entry in listing.entries]])
    return [entry.file for entry in listing.entries], labels


def _list_table(path: Path, dialect: Dialect) -> tuple[list[Path], pa.ChunkedArray]:
    with for_a_model():
        table = read_table(path, dialect)
    _refuse_absent(["file", "label"], table, path)
    return [path.parent / str(name) for name in table["file"].to_pylist()], table["label"]


def read_truth(
    cells: pa.ChunkedArray, spec: DataSpec, file: str, column: Column | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return class codes or values as in training, and the numbers of the rows that have one.

    Args:
        cells: of the target.
        spec: knows the classes.
        file: what to call the rows' file.
        column: how the train file's target was written; None where that is not known.
    """
    distinct = pa.chunked_array([cells.unique()])  # every label is looked at once
    which = pc.index_in(cells, value_set=distinct.combine_chunks()).to_numpy()
    column = column or describe_target(distinct, "regression")
    words = _words(distinct, spec, column)
    if spec.is_regression:
        values = column_types.to_number(distinct, column.style).to_numpy()
        is_wrong = np.isnan(values) & np.array([word is not None for word in words], dtype=bool)
        what = "a number"
    else:
        codes = {name: code for code, name in enumerate(spec.classes)}
        names = _class_names(distinct, words, spec, column)
        values = np.array([np.nan if name is None else codes.get(name, -1) for name in names])
        is_wrong, what = values == -1, f"one of {first_few(spec.classes, MAX_NAMED)}"
    if is_wrong[which].any():
        counts = np.bincount(which, minlength=len(words))
        wrong = [f"{words[k]!r} in {counts[k]:,} rows" for k in np.flatnonzero(is_wrong)]
        rule = f"every {spec.target!r} in {file} must be {what}, as the model knows it"
        raise DataError(
            Problem(rule, first_few(wrong, MAX_NAMED), "correct these rows, or take them out")
        )
    known = np.flatnonzero(~np.isnan(values[which]))
    truth = values[which[known]]
    return (truth if spec.is_regression else truth.astype(np.int64)), known


def _words(distinct: pa.ChunkedArray, spec: DataSpec, column: Column) -> list[str | None]:
    """Return cells as text; None where nothing is known, as `read_target` decides it."""
    known = known_labels(to_category(distinct), column.missing)
    if spec.is_regression or spec.label_kind in ("integer", "number"):
        known = known_text(known, NUMBER_MARKERS)
    return known.to_pylist()


def _class_names(
    distinct: pa.ChunkedArray, words: list[str | None], spec: DataSpec, column: Column
) -> list[str | None]:
    """Write labels as the classes are written; what cannot be one stays as it is."""
    if spec.label_kind == "text":
        return words
    if spec.label_kind == "boolean":
        values: list[Any] = [*map(_to_bool, column_types.to_boolean(distinct).to_pylist())]
    else:
        values = column_types.to_number(distinct, column.style).to_pylist()
        if spec.label_kind == "integer":  # 3.0 is class 3
            values = [int(n) if n is not None and n % 1 == 0 else n for n in values]
    pairs = zip(values, words, strict=True)
    return [word if value is None else str(value) for value, word in pairs]


def _to_bool(number: float | None) -> bool | None:
    return None if number is None else bool(number)
