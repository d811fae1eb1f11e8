"""Read a table of files and labels: the label, the split and the image of each row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from kindling.errors import DataError, Problem
from kindling.formatting import first_few
from kindling.images.image_names import Found, ImageNames
from kindling.images.label_columns import ONE_HOT, decode_one_hot, find_columns
from kindling.images.listing import Listing
from kindling.images.split_names import plain_split
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.formats import read_table
from kindling.tables.schema import absent_columns
from kindling.types import Split

FILE, FOLDER = "file", "folder"
SAMPLE = 200  # rows by which the column of the files is found


@dataclass(frozen=True)
class LabelOptions:
    """What the user says of a table of labels.

    Args:
        task: as it was asked for; labels such as 007 are numbers in a regression only.
        target: the column of the label, or those of one-hot classes; None finds it.
        group: a column, or "folder": images with the same value stay in one split.
        time: a column of dates or numbers.
        dialect: how a CSV file is written.
    """

    task: str = "auto"
    target: str | Sequence[str] | None = None
    group: str | None = None
    time: str | None = None
    dialect: Dialect = AUTO


@dataclass
class LabelRows:
    """The rows of a table of labels.

    Args:
        cells: the label of each row, as it is written there.
        target: what the label is called.
        names: the images below data.path.
        files: what each row calls its image.
        found: the images that this may mean.
        splits: the split of each row, or None.
        split_column: which says it, or None.
        unused: columns that are neither learnt nor used.
        column_notes: what was decided of the columns, for the plan.
    """

    table: pa.Table
    names: ImageNames
    cells: pa.ChunkedArray
    target: str
    files: list[str]
    found: list[Found]
    splits: list[Split | None]
    split_column: str | None
    unused: list[str]
    column_notes: list[str]

    @property
    def name_notes(self) -> list[str]:
        """How names were found that are written otherwise than the images are called."""
        hows = Counter(found.how for found in self.found if found.how and len(found.paths) == 1)
        return [f"{number:,} names found {how}" for how, number in hows.items()]


def read_labels(
    listing: Listing, files: list[Path], labels: Path, options: LabelOptions
) -> LabelRows:
    """Read a table of labels, and find the images that it names.

    Args:
        listing: whose root the names count from.
        files: the images below it.
        labels: the table.
        options: what is said of it.
    """
    table = read_table(labels, options.dialect)
    dropped = [name for name in table.column_names if name in listing.ignore]
    listing.ignored.update(dropped)
    table = table.drop_columns(dropped)
    columns = [name for name in (options.group, options.time) if name]
    if options.group == FOLDER and FOLDER not in table.column_names:
        columns.remove(FOLDER)
    if absent := absent_columns(
        columns, table.column_names, str(labels), "data.group or data.time"
    ):
        raise DataError(*absent)
    pairs = ((listing.name(path), path) for path in files)
    names = ImageNames(pairs, listing.root, labels.parent, listing.suffixes)
    file = _file_column(table, names, labels)
    found = find_columns(table, file, options.target, columns, str(labels))
    cells, target, notes = table.column(found.label[0]), found.label[0], []
    if len(found.label) > 1:
        cells, target = decode_one_hot(table, found.label, str(labels)), ONE_HOT
        notes.append(f"the label is the column with a 1: {first_few(found.label, 8)}")
    elif len(table.column_names) > 2:
        notes.append(f"labels from the column {target}")
    splits: list[Split | None] = [None] * len(table)
    if found.split is not None:
        words = table.column(found.split).to_pylist()
        splits = [plain_split(word) if word else None for word in words]
        without = splits.count(None)
        rest = f", {without:,} rows without one are train or drawn" if without else ""
        notes.append(f"split by the column {found.split}{rest}")
    for name, flagged in found.flags.items():
        splits = [new or old for new, old in zip(flagged, splits, strict=True)]
        notes.append(f"split by the column {name}")
    called = _text(table.column(file))
    where = [names.find(name) for name in called]
    return LabelRows(
        table=table,
        names=names,
        cells=cells,
        target=target,
        files=called,
        found=where,
        splits=splits,
        split_column=found.split or next(iter(found.flags), None),
        unused=found.unused,
        column_notes=notes,
    )


def _text(cells: pa.ChunkedArray) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells.to_pylist()]


def _file_column(table: pa.Table, names: ImageNames, labels: Path) -> str:
    """Find the column that names images, by its name or by the images that are there."""
    if len(table.column_names) < 2:
        got = f"{labels} with {first_few(table.column_names)}"
        fix = "give it the columns file and label, separated by commas"
        raise DataError(Problem("data.labels must have two columns", got, fix, "D408"))
    for name in table.column_names:
        if name.strip().casefold() == FILE:
            return name
    some = {name: _text(table.column(name).slice(0, SAMPLE)) for name in table.column_names}
    found = {name: [names.find(cell) for cell in cells] for name, cells in some.items()}
    # Each image has a name of its own: a class called 1 is the name of few. An age of 45 may be
    # that of 045.png, so numbers count only where no column has names.
    numbers = {
        name: len({f.paths for f in each if not f.is_number}) for name, each in found.items()
    }
    if max(numbers.values()) <= 1:
        numbers = {name: len({f.paths for f in each}) for name, each in found.items()}
    most = max(numbers.values())
    best = [name for name, number in numbers.items() if number > 1 and 2 * number >= most]
    paths = {name: [each.paths for each in found[name]] for name in best}
    if any(each != paths[best[0]] for each in paths.values()):
        rule = f"one column of {labels} must name the images"
        got = f"images in {first_few(best, separator=' and ')}"
        raise DataError(Problem(rule, got, "call the one that is meant file", "D421"))
    return best[0] if best else table.column_names[0]
