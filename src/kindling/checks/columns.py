"""Check each column of a table: missing cells, constants, what is left out, what is new in test.

At most MAX_ROWS raw rows of each split are looked at.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.checks.cells import CELL_CHECKS, Cells, check_units
from kindling.checks.date_cells import check_date_like, check_dates
from kindling.contract import DescribedData
from kindling.errors import Problem
from kindling.formatting import first_few, shown
from kindling.rng import derive_seed
from kindling.tables import column_types
from kindling.tables.asked_columns import leave_out, read_as
from kindling.tables.column import USED, Column, convert
from kindling.tables.inference import RARE
from kindling.tables.left_out import take_in
from kindling.tables.part_files import PartFiles
from kindling.tables.schema import TableSchema
from kindling.types import SPLITS, Split

# With more rows, the counts in a finding are those of so many rows.
MAX_ROWS = 100_000  # of train
MAX_OTHER_ROWS = 50_000  # of val, and of test
NEARLY = 0.995  # share of one value from which a column is nearly constant


class Rows(NamedTuple):
    """N raw rows of one split.

    Args:
        cells: as they were read.
        numbers: int64 (N,), the number of each in its table, counted from 0.
        file: the table, or the files that it lies in.
    """

    cells: pa.Table
    numbers: np.ndarray
    file: str | PartFiles = ""

    def column(self, name: str) -> Cells:
        """Return the cells of one column."""
        return Cells(self.cells.column(name), self.numbers, self.file)


Sample = Mapping[Split, Rows]


def take_sample(data: DescribedData) -> Sample:
    """Take raw rows of each split, the same ones for the same seed."""
    return {split: _rows_of(data, split) for split in SPLITS}


def _rows_of(data: DescribedData, split: Split) -> Rows:
    rows, most = data.split[split], MAX_ROWS if split == "train" else MAX_OTHER_ROWS
    if len(rows) > most:
        rng = np.random.default_rng(derive_seed(data.seed, "check"))
        rows = np.sort(rng.choice(rows, most, replace=False))
    # A split lies in one table.
    table, inside = max(data.raw.parts(rows), key=lambda part: len(part[1]))
    return Rows(table.take(inside), table.rows[inside], table.file)


def check_columns(sample: Sample, schema: TableSchema) -> list[Problem]:
    """Look at every column once; cells are those of the train rows unless a split is named."""
    found = check_missing(sample, schema)
    for column in schema.columns:
        cells = sample["train"].column(column.name)
        if column.column_type not in USED:
            found += check_left_out(column, cells)
            found += check_units(column, cells)
            found += check_date_like(column, cells)
            continue
        found += check_constant(column, cells)
        for check in (check_rare, *CELL_CHECKS, check_dates, check_date_like):
            found += check(column, cells)
        found += check_other_splits(column, sample)
    return found


def is_missing(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Say of each cell whether it has no value, as the column reads it."""
    values = convert(column, cells)
    if column.column_type == "category":
        return pc.equal(values, column_types.MISSING)
    return pc.is_null(values)


def check_missing(sample: Sample, schema: TableSchema) -> list[Problem]:
    """Count the missing cells of all columns, most first, and say what becomes of them."""
    cells = sample["train"].cells
    counted = [(pc.sum(is_missing(c, cells.column(c.name))).as_py(), c.name) for c in schema.used]
    gaps = sorted((pair for pair in counted if pair[0]), key=lambda pair: -pair[0])
    if not gaps:
        return []
    named = (f"{count:,} of {name!r}" for count, name in gaps)
    got = f"{first_few(named, total=len(gaps), noun='columns')}, in {len(cells):,} rows"
    got += ": numbers become the median, words a category of their own"
    total = sum(count for count, _ in gaps)
    return [Problem("cells should be known", got, "nothing, or fill them in", "D122", count=total)]


def check_left_out(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say which columns are not learnt from, and why."""
    name = column.name
    if column.column_type == "empty":
        rule = f"column {name!r} should have a value in the train rows"
        got = f"none in {len(cells.raw):,} cells: left out"
        yield Problem(rule, got, leave_out(name), "D106", column=name)
    elif not column_types.is_single(cells.raw):
        rule, got = f"cells of {name!r} should be single values", f"{cells.raw.type}: left out"
        yield Problem(rule, got, "make columns of their parts", "D120", column=name)
    else:
        rule = f"column {name!r} should say something of other rows"
        got = f"{column.column_type} ({column.why}): left out"
        yield Problem(rule, got, take_in(column), "D105", column=name)


def check_rare(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that each category is too rare to be learnt from, so that all are one."""
    if column.column_type != "category" or column.categories:
        return
    values = convert(column, cells.raw)
    count = pc.sum(pc.not_equal(values, column_types.MISSING)).as_py() or 0
    if count:
        rule = f"a category of {column.name!r} should occur in more than {RARE} train rows"
        got = f"none of {pc.count_distinct(values).as_py():,}: all are one to the network"
        numbers = column_types.to_number(cells.raw, column.style)
        as_number = read_as(column.name, "number", "to read numbers")
        fix = as_number if pc.count(numbers).as_py() >= count else leave_out(column.name)
        yield Problem(rule, got, fix, "D128", column=column.name, count=count)


def check_constant(column: Column, cells: Cells) -> Iterator[Problem]:
    """Say that one value stands in nearly all cells."""
    values, counts = pc.value_counts(cells.raw).flatten()
    most, count = pc.index(counts, pc.max(counts)).as_py(), len(cells.raw)
    if count >= 1 / (1 - NEARLY) and counts[most].as_py() >= NEARLY * count:
        value = values[most].as_py()
        what = "nothing" if value in (None, "") else shown(value)
        got = f"{what} in {counts[most].as_py():,} of {count:,} cells"
        rule = f"column {column.name!r} should vary"
        fix = ("nothing", leave_out(column.name))
        yield Problem(rule, got, fix, "D107", column=column.name)


def check_other_splits(column: Column, sample: Sample) -> Iterator[Problem]:
    """Compare val and test with train: categories that are new, values that are never there."""
    train = sample["train"].cells.column(column.name)
    for split in sample.keys() - {"train"}:
        cells = sample[split].column(column.name)
        if column.column_type == "category":
            yield from check_new_categories(column, train, cells, split)
        is_gone = pc.all(is_missing(column, cells.raw)).as_py()
        if is_gone and column.num_missing < len(train):
            rule = f"{column.name!r} should have values in {split}, as in train"
            fix = leave_out(column.name, "if it is not known when it matters")
            got = f"none in {len(cells.raw):,} cells"
            yield Problem(rule, got, fix, "D118", column=column.name, count=len(cells.raw))


def check_new_categories(
    column: Column, train: pa.ChunkedArray, cells: Cells, split: Split
) -> Iterator[Problem]:
    """Find categories that no train row has."""
    values, seen = convert(column, cells.raw), pc.unique(convert(column, train))
    is_new = pc.and_(
        pc.invert(pc.is_in(values, value_set=seen)), pc.not_equal(values, column_types.MISSING)
    )
    new = pc.value_counts(values.filter(is_new)).to_pylist()
    new.sort(key=lambda pair: -pair["counts"])
    if new:
        names = first_few(repr(pair["values"]) for pair in new)
        rule = f"categories of {column.name!r} should occur in train"
        got = f"{len(new):,} only in {split}, such as {names}, in {cells.where(is_new)}"
        fields = cells.fields(column.name, is_new)
        yield Problem(rule, f"{got}: taken for unknown", "nothing", "D117", **fields)
