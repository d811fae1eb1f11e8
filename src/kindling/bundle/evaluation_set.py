"""Read the rows that a finished model is evaluated on: a labelled table, or labelled images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.bundle.inputs import read_parts
from kindling.bundle.predictor import Predictor
from kindling.errors import DataError, Problem, for_a_model
from kindling.formatting import first_few
from kindling.images.file_types import image_suffixes
from kindling.images.image_schema import ImageSchema
from kindling.images.listing import Listing, refuse_urls
from kindling.rooms import needed
from kindling.tables import column_types
from kindling.tables.categories import to_category
from kindling.tables.column import Column
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.number_text import NUMBER_MARKERS, known_text
from kindling.tables.schema import absent_columns
from kindling.tables.source import refuse
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
        notes: what else a person should know of them: files that are left out.
    """

    rows: Any
    truth: np.ndarray
    place: dict[str, Any]
    num_left_out: int = 0
    notes: tuple[str, ...] = ()


def read_evaluation_set(
    path: str | Path,
    model: Predictor,
    asked: Dialect | None = None,
    *,
    images: Path | None = None,
    ignore: Sequence[str] = (),
) -> EvaluationSet:
    """Read what the model is to be evaluated on; rows without a label are left out.

    Args:
        path: a table with the target's column, or its URL; for images a folder of class folders,
            or a table of files and labels as data.labels takes it.
        model: says what is looked for.
        asked: how a CSV file is written, where it is not as the train rows were.
        images: the folder below which the images of a table lie; None is that of the table.
        ignore: patterns of names of images that are left out.

    Raises:
        DataError: the target is not there, or has labels that the model does not know.
    """
    if isinstance(model.schema, ImageSchema):
        refuse_urls({"FILE": path})
        path = Path(path)
        root = path if path.is_dir() else images or path.parent
        suffixes = frozenset(image_suffixes(model.schema))
        listing = Listing(root, follow_links=True, suffixes=suffixes, ignore=ignore)
        with for_a_model():
            found = needed("list_labelled_images")(listing, path, model.spec, asked or AUTO)
        truth, known = read_truth(found.cells, model.spec, str(path))
        refuse([*listing.problems(), *found.problems(known)])
        rows: Any = [found.files[number] for number in known]
        told = listing.findings() if path.is_dir() else []  # a table says what is evaluated
        notes = (*found.notes, *(f"{p.got}; {p.do}" for p in told))
        return EvaluationSet(rows, truth, {}, len(found.files) - len(known), notes)
    table, parts = read_parts(path, model.schema, asked)
    refuse(absent_columns([model.spec.target], table.column_names, str(path)))
    truth, known = read_truth(
        table.column(model.spec.target), model.spec, str(path), model.schema.target
    )
    place = {"file": parts, "numbers": known}
    return EvaluationSet(table.take(pa.array(known)), truth, place, len(table) - len(known))


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
