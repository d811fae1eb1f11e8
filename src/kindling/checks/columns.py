"""RawData rows and the schema that was fitted on them in; what is odd about each column out."""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from kindling.checks import cells as looks
from kindling.checks.cells import Cells
from kindling.checks.sample import Sample
from kindling.errors import Problem
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.schema import USED, Column, TableSchema, convert

NEARLY = 0.995  # share of one value from which a column is nearly constant
MAX_NAMED = 5

Look = Callable[[Column, Cells], Iterator[Problem]]


def column_findings(sample: Sample, schema: TableSchema) -> list[Problem]:
    """Look at every column once; cells are those of the train rows unless a stage is named."""
    found, (train, numbers) = missing(sample, schema), sample["train"]
    for column in schema.columns:
        cells = Cells(train.column(column.name), numbers)
        for look in LOOKS if column.column_type in USED else (left_out, looks.units):
            found += look(column, cells)
        if column.column_type in USED:
            found += other_stages(column, sample)
    return found


def is_missing(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Say of each cell whether it has no value, as the column reads it."""
    values = convert(column, cells)
    return (
        pc.equal(values, column_types.MISSING)
        if column.column_type == "category"
        else pc.is_null(values)
    )


def missing(sample: Sample, schema: TableSchema) -> list[Problem]:
    """Count the missing cells of all columns, most first, and say what becomes of them."""
    cells = sample["train"].cells
    counted = [(pc.sum(is_missing(c, cells.column(c.name))).as_py(), c.name) for c in schema.used]
    gaps = sorted((pair for pair in counted if pair[0]), key=lambda pair: -pair[0])
    if not gaps:
        return []
    named = ", ".join(f"{count:,} of {name!r}" for count, name in gaps[:MAX_NAMED])
    more = f" and of {len(gaps) - MAX_NAMED} more columns" if len(gaps) > MAX_NAMED else ""
    becomes = "numbers become the median, words a level of their own"
    got = f"{named}{more}, in {len(cells):,} rows: {becomes}"
    return [Problem("cells should be known", got, "nothing, or fill them in", "D122")]


def left_out(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say which columns are not learnt from, and why."""
    name = column.name
    if column.column_type == "empty":
        rule = f"column {name!r} should have a value in the train rows"
        got = f"none in {len(cells.raw):,} cells: left out"
        yield Problem(rule, got, f"data.ignore=[{name}]", "D106")
    elif not column_types.is_single(cells.raw):
        rule, fix = f"cells of {name!r} should be single values", "make columns of their parts"
        yield Problem(rule, f"{cells.raw.type}: left out", fix, "D120")
    else:
        rule = f"column {name!r} should say something of other rows"
        got = f"{column.column_type} ({column.why}): left out"
        yield Problem(rule, got, f"'data.kinds={{{name}: category}}' takes it in", "D105")


def nearly_constant(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that one value stands in nearly all cells."""
    values, counts = pc.value_counts(cells.raw).flatten()
    most, count = pc.index(counts, pc.max(counts)).as_py(), len(cells.raw)
    if count >= 1 / (1 - NEARLY) and counts[most].as_py() >= NEARLY * count:
        value = values[most].as_py()
        what = "nothing" if value in (None, "") else shown(value)
        got = f"{what} in {counts[most].as_py():,} of {count:,} cells"
        fix = f"nothing, or data.ignore=[{column.name}]"
        yield Problem(f"column {column.name!r} should vary", got, fix, "D107")


def other_stages(column: Column, sample: Sample) -> Iterator[Problem]:
    """Compare val and test with train: levels that are new, values that are never there."""
    train = sample["train"].cells.column(column.name)
    for stage in sample.keys() - {"train"}:
        cells = sample[stage].cells.column(column.name)
        if column.column_type == "category":
            yield from new_levels(column, train, Cells(cells, sample[stage].numbers), stage)
        is_gone = pc.all(is_missing(column, cells)).as_py()
        if is_gone and column.num_missing < len(train):
            rule = f"{column.name!r} should have values in {stage}, as in train"
            fix = f"data.ignore=[{column.name}] if it is not known when it matters"
            yield Problem(rule, f"none in {len(cells):,} cells", fix, "D118")


def new_levels(
    column: Column, train: pa.ChunkedArray, cells: Cells, stage: str
) -> Iterator[Problem]:
    """Find levels that no train row has."""
    values, seen = convert(column, cells.raw), pc.unique(convert(column, train))
    is_new = pc.and_(
        pc.invert(pc.is_in(values, value_set=seen)), pc.not_equal(values, column_types.MISSING)
    )
    new = sorted(
        pc.value_counts(values.filter(is_new)).to_pylist(), key=lambda pair: -pair["counts"]
    )
    if new:
        names = ", ".join(repr(pair["values"]) for pair in new[:MAX_NAMED])
        rule = f"levels of {column.name!r} should occur in train"
        got = f"{len(new):,} only in {stage}, such as {names}, in {cells.where(is_new)}"
        yield Problem(rule, f"{got}: taken for unknown", "nothing", "D117")


LOOKS: tuple[Look, ...] = (
    nearly_constant,
    looks.infinite,
    looks.markers,
    looks.mixed,
    looks.commas,
    looks.unclear_dates,
    looks.units,
    looks.large_integers,
    looks.durations,
)
