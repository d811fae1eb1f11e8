"""Describe a table or a folder of images before anything is trained: what `kindling inspect` shows.

Reads as a training would, and goes on where that would stop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.checks.columns import MAX_ROWS, Rows, check_columns, take_sample
from kindling.checks.data import check_data
from kindling.checks.table_files import check_names, check_parts
from kindling.contract import DescribedData
from kindling.errors import DataError, Problem
from kindling.formatting import count, first_few
from kindling.registry import DATA, load
from kindling.rooms import needed
from kindling.tables import column_types
from kindling.tables.column import USED, Column, convert
from kindling.tables.csv_dialect import AUTO, Dialect, asked_dialect
from kindling.tables.decimal_sign import evidence_of_file
from kindling.tables.formats import separator_of
from kindling.tables.inference import Hints, infer_schema
from kindling.tables.number_text import NUMBER_MARKERS, known_text
from kindling.tables.part_files import PartFiles, find_parts
from kindling.tables.schema import TableSchema
from kindling.tables.table_file import open_parts

# What conf/data/loading.yaml has; nothing here depends on most of it.
LOADING: dict[str, Any] = {
    "batch_size": "auto",
    "eval_batch_size": 1024,
    "val_fraction": 0.15,
    "test_fraction": 0.15,
    "drop_last": False,
    "num_workers": 0,
    "seed": 0,
}
TABLE, IMAGES = "kindling.tables.source.TableSource", "kindling.images.image_source.ImageSource"
# What a training needs of the data section, and an overview does not.
TRAINING_ONLY = {
    **dict.fromkeys(("batch_size", "eval_batch_size", "drop_last"), "says how rows are learnt"),
    **dict.fromkeys(("num_workers", "on_device"), "says how rows are loaded"),
    **dict.fromkeys(("augment", "flip"), "says how images are learnt"),
}
BARS = 20  # of a distribution
FEW = 3  # examples, and categories by name


@dataclass(frozen=True)
class ColumnOverview:
    """What is said of one column.

    Args:
        kind: the column type that it is taken for, as `--kinds` and data.kinds take it.
        missing: cells without a value.
        distinct: different known cells.
        holds: the range of numbers and dates, or the most frequent categories.
        becomes: what is done with it.
        counts: heights of the bars of its distribution.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    holds: str
    examples: str
    becomes: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Overview:
    """Everything that is known of a file before anything is trained."""

    title: str
    facts: dict[str, str]
    columns: list[ColumnOverview]
    findings: list[Problem]

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.findings)


def inspect_table(
    path: str,
    target: str | None = None,
    test_path: str | None = None,
    kinds: Mapping[str, str] | None = None,
    **settings: Any,
) -> Overview:
    """Read a table as a training would, and go on where that would stop.

    Args:
        path: the file with the train rows.
        target: the column to predict; None looks at the columns alone.
        test_path: a file with the test rows.
        kinds: column -> type, where the guess is wrong.
        **settings: further ones of the data section.

    Raises:
        DataError: a file is not there, or is no table.
    """
    csv = settings.get("csv") or {}
    if target is None:
        return _without_target(path, kinds or {}, csv)
    keys = {"target": target, "test_path": test_path, "kinds": kinds or {}}
    data = load(DATA)(**LOADING | {"source": TABLE, "path": path, **keys, **settings})
    _refuse_missing(data)
    try:
        data.setup()
    except DataError as error:
        seen = _without_target(path, kinds or {}, csv)
        facts = seen.facts | {"target": f"{target}: it cannot be learnt yet"}
        found = [*error.problems, *(p for p in seen.findings if p not in error.problems)]
        return Overview(path, facts, seen.columns, found)
    assert isinstance(data.schema, TableSchema)
    facts = {"rows": f"{len(data.raw.y):,}", **_facts(data)}
    columns = describe_columns(data.schema, take_sample(data)["train"].cells)
    return Overview(path, facts, columns, check_data(data))


def inspect_images(path: str, **settings: Any) -> Overview:
    """Read a folder of images as a training would.

    Args:
        path: the folder.
        **settings: further ones of the data section, such as labels or size.

    Raises:
        DataError: it cannot be learnt from.
    """
    needed("decode")
    data = load(DATA)(**LOADING | {"source": IMAGES, "path": path, **settings})
    _refuse_missing(data)
    data.setup()
    channels, height, width = data.spec.image_shape or (0, 0, 0)
    facts = {"images": f"{len(data.raw.y):,} of {height}x{width}, {channels} channels"}
    facts |= _facts(data) | {f"note {n}": note for n, note in enumerate(data.raw.notes, start=1)}
    return Overview(path, facts, [], check_data(data))


def _refuse_missing(data: Any) -> None:
    files = data.missing()
    if files:
        raise DataError(*files)


def _facts(data: DescribedData) -> dict[str, str]:
    spec = data.spec
    if spec.is_regression:
        y = data.raw.y
        what = f"{spec.target}, a quantity from {y.min():.6g} to {y.max():.6g}"
    else:
        what = f"{spec.num_classes} classes of {spec.target}: {first_few(spec.classes)}"
    sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in data.split.items())
    return {"target": f"{what} ({data.raw.reason})", "split": sizes}


def _without_target(path: str, asked: Mapping[str, str], csv: Mapping[str, Any]) -> Overview:
    """Look at the columns alone, all of them."""
    parts = find_parts(path)
    if not parts.files:
        rule, got = "a file must be there", f"nothing at {Path(path).absolute()}"
        raise DataError(Problem(rule, got, "correct the path", "D001"))
    dialect = asked_dialect(csv, "data.csv.")
    some, num_rows = read_start(parts, dialect)
    shown = evidence_of_file(some.itercolumns(), separator_of(parts.files[0], dialect))
    schema = infer_schema(some, Hints(asked, dialect, shown))
    rows = f"{num_rows:,}" + (f", {len(some):,} looked at" if len(some) < num_rows else "")
    facts = {"rows": rows, "target": "not said: --target COLUMN checks it, too"}
    found = check_names(some.column_names, path)
    found += check_parts(parts.files, some.column_names, dialect)
    found += check_columns({"train": Rows(some, np.arange(len(some)))}, schema)
    return Overview(path, facts, describe_columns(schema, some), found)


def read_start(parts: PartFiles, dialect: Dialect = AUTO) -> tuple[pa.Table, int]:
    """Return the first MAX_ROWS rows, and how many there are; all are read, few are kept."""
    kept, num_rows = [], 0
    for chunk in open_parts(parts, dialect):
        if num_rows < MAX_ROWS:
            kept.append(chunk.slice(0, MAX_ROWS - num_rows))
        num_rows += len(chunk)
    return pa.concat_tables(kept), num_rows


def describe_columns(schema: TableSchema, cells: pa.Table) -> list[ColumnOverview]:
    """Describe every column by the cells of the train rows."""
    return [describe_column(column, cells.column(column.name)) for column in schema.columns]


def describe_column(column: Column, cells: pa.ChunkedArray) -> ColumnOverview:
    """Put what is known of one column into words."""
    known = cells
    if column_types.is_text(cells):
        is_read = column.column_type in ("number", "date")
        known = known_text(cells, (*(NUMBER_MARKERS if is_read else ("",)), *column.missing))
    known = pc.drop_null(known)
    is_single = column_types.is_single(cells)
    examples = known.slice(0, FEW).to_pylist()
    holds, counts = _distribution(column, cells)
    becomes = f"left out: {column.why}"
    if column.column_type in USED:
        becomes = ", ".join(column.features)
        if column.column_type == "category":
            becomes = count(len(column.categories), "category", "categories")
    return ColumnOverview(
        name=column.name,
        kind=column.column_type,
        missing=len(cells) - len(known),
        distinct=pc.count_distinct(known).as_py() if is_single and len(known) else 0,
        holds=holds,
        examples=", ".join(map(_short, examples)),
        becomes=becomes,
        counts=counts,
    )


def _distribution(column: Column, cells: pa.ChunkedArray) -> tuple[str, tuple[int, ...]]:
    """Return the range or the most frequent categories, and the heights of the bars."""
    if column.column_type not in USED:
        return "", ()
    values = convert(column, cells)
    if column.column_type == "category":
        counted = sorted(pc.value_counts(values).to_pylist(), key=lambda pair: -pair["counts"])
        names = [f"{_short(p['values']) or '(missing)'} {p['counts']:,}" for p in counted]
        return first_few(names, FEW), tuple(pair["counts"] for pair in counted[:BARS])
    numbers = pc.drop_null(values).to_numpy()
    if not len(numbers):
        return "", ()
    ends = (numbers.min(), numbers.max())
    if column.column_type == "date":
        words = [str(np.datetime64("1970-01-01") + np.timedelta64(int(day), "D")) for day in ends]
    else:
        words = [f"{end:.6g}" for end in ends]
    return " to ".join(words), histogram(numbers)


def histogram(numbers: np.ndarray) -> tuple[int, ...]:
    """Count numbers in BARS ranges of one width; in one range where they hardly differ."""
    low, high = numbers.min() / 2, numbers.max() / 2  # halves: the largest ones have a distance
    if not high - low > abs(high) * np.finfo(np.float64).eps:
        return (len(numbers),)
    bar = ((numbers / 2 - low) / (high - low) * BARS).astype(int).clip(max=BARS - 1)
    return tuple(np.bincount(bar, minlength=BARS).tolist())


def _short(cell: Any) -> str:
    text = str(cell)
    return text if len(text) <= 20 else text[:17] + "..."
