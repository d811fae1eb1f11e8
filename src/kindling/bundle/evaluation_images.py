"""List the labelled images that a finished model is evaluated on, as a training lists its own."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.formatting import count, first_few
from kindling.images.class_folders import add_classes
from kindling.images.label_rows import LabelOptions, read_labels
from kindling.images.labels_file import row_problems
from kindling.images.listing import Listing
from kindling.images.lookalikes import find_lookalikes
from kindling.tables.csv_dialect import Dialect
from kindling.tables.formats import read_table
from kindling.tables.schema import absent_columns
from kindling.types import DataSpec

LABEL = "label"


class LabelledFiles(NamedTuple):
    """N images and their labels.

    Args:
        files: of each row; None where none is found.
        cells: the labels as they are written.
        problems: lists what hinders, given int64 numbers of the rows with a label.
        notes: what a person should know.
    """

    files: list[Path | None]
    cells: pa.ChunkedArray
    problems: Callable[[np.ndarray], list[Problem]]
    notes: list[str]


def list_labelled_images(
    listing: Listing, path: Path, spec: DataSpec, dialect: Dialect
) -> LabelledFiles:
    """List class folders, or the images that a table of files and labels names.

    Args:
        listing: of the folder below which the images lie, nothing scanned yet.
        path: that folder, or the table.
        spec: says what the label may be called.
        dialect: how a CSV file is written.

    Raises:
        DataError: there is nothing, or no column with the label.
    """
    return _folders(listing) if path.is_dir() else _table(path, listing, spec, dialect)


def _folders(listing: Listing) -> LabelledFiles:
    add_classes(listing, listing.scan(listing.root))
    if not listing.entries and not listing.problems():
        rule = "images for an evaluation lie in the folder of their class"
        got = f"no class folders with images in {listing.root}"
        raise DataError(Problem(rule, got, "type a folder of class folders"))
    listing.doubts += find_lookalikes(listing.entries)
    labels = pa.chunked_array([pa.array([e.label for e in listing.entries], pa.string())])
    notes = []
    if listing.misplaced:
        number = count(len(listing.misplaced), "image")
        names = first_few((each.name for each in listing.misplaced), 3)
        notes.append(f"left out: {number} outside of class folders, such as {names}")
    return LabelledFiles([entry.file for entry in listing.entries], labels, lambda _: [], notes)


def _table(path: Path, listing: Listing, spec: DataSpec, dialect: Dialect) -> LabelledFiles:
    header = read_table(path, dialect).column_names
    target: str | list[str] = spec.target if spec.target in header else LABEL
    if target not in header and len(spec.classes) > 1 and set(spec.classes) <= set(header):
        target = list(spec.classes)  # one-hot
    elif target not in header:
        raise DataError(*absent_columns([spec.target], header, str(path)))
    options = LabelOptions(target=target, dialect=dialect)
    rows = read_labels(listing, [], path, options)
    # Most often names count from where the table lies. Only else are all files looked through.
    if not all(found.paths for found in rows.found):
        rows = read_labels(listing, list(listing.scan(listing.root).walk()), path, options)
    files = [found.paths[0] if found.paths else None for found in rows.found]
    notes = list(rows.name_notes)
    if rows.split_column is not None:
        notes.append(f"the column {rows.split_column} is not used: all rows are scored")
    return LabelledFiles(files, rows.cells, lambda known: row_problems(path, rows, known), notes)
