"""Check data that were read, split and fitted: files, columns, labels, rows, leakage.

What makes reading impossible is refused where it is read. What can be seen afterwards is found
here, by code (codes.py), in one pass over at most MAX_ROWS rows.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.checks.cells import Cells, read_signs
from kindling.checks.columns import MAX_ROWS, check_columns, take_sample
from kindling.checks.images import repeated_images
from kindling.checks.leakage import check_leaks, check_rows
from kindling.checks.table_files import alike, check_files
from kindling.contract import DescribedData
from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import first_few, shown
from kindling.raw_data import RawData
from kindling.tables import column_types
from kindling.tables.column import Column
from kindling.tables.number_text import MARKERS
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

ORDER = {"error": 0, "warning": 1, "info": 2}


def check_data(data: DescribedData) -> list[Problem]:
    """Return all findings, the gravest first; `data` is set up."""
    found = list(data.raw.findings)  # what the source noticed while it read
    if data.raw.fitted is not None:
        return found  # they were looked at when they were prepared
    if isinstance(data.schema, TableSchema):
        found += check_files(data.raw)
        found += check_columns(take_sample(data), data.schema)
        found += check_target(data.raw)
        found += check_rows(data)
        found += check_leaks(data)
    if data.raw.content_hashes is not None:
        found += repeated_images(data.raw, data.split)
    if not data.spec.is_regression:
        found += check_classes(data.spec)
    return sorted(found, key=lambda problem: (ORDER[problem.severity], problem.code))


def check_classes(spec: DataSpec) -> list[Problem]:
    """Find classes with a single train row, and names that are hard to tell apart."""
    found = []
    counted = zip(spec.classes, spec.class_counts, strict=True)
    single = [name for name, count in counted if count == 1]
    if single:
        rule = f"a class of {spec.target!r} should have several train rows"
        got = f"one row of {first_few(map(shown, single), total=len(single), noun='classes')}"
        fix = "give more rows of it, or join it with another"
        found.append(Problem(rule, got, fix, "D207", count=len(single)))
    pairs = [" and ".join(map(shown, same)) for same in alike(spec.classes)]
    if pairs:
        rule = f"classes of {spec.target!r} should differ in more than case and spaces"
        got, fix = first_few(pairs, separator="; "), "write them alike if they are one"
        found.append(Problem(rule, got, fix, "D208", count=len(pairs)))
    return found


def check_target(raw: RawData) -> Iterator[Problem]:
    """Say how the target's cells were read, where a person may not expect it."""
    assert isinstance(raw.x, tuple)
    cells = next(c for c in (chunk.column(raw.target) for chunk in raw.x[0].open()) if len(c))
    cells = cells.slice(0, MAX_ROWS)
    if not column_types.is_text(cells):
        return
    labels = Cells(cells, np.arange(len(cells)), raw.x[0].file)  # every row is counted
    if raw.is_regression:
        as_classes = Setting("data.task", "classification", "if they are codes")
        column = raw.hints.target or Column(raw.target, "number")
        yield from read_signs(column, labels, as_classes)
        return
    words = MARKERS[1:]
    is_marker = pc.is_in(pc.utf8_trim_whitespace(cells), value_set=pa.array(words))
    if (where := labels.where(is_marker)) and set(words) & {*map(str, raw.y)}:
        rule = f"a class of {raw.target!r} should say what it is"
        got = f"{labels.first(is_marker)}, {where}: learnt as a class"
        word = cells[int(np.flatnonzero(is_marker)[0])].as_py().strip()
        dropped = Setting("data.drop_missing_target", True)
        missing = Setting("data.csv.missing", [word], "if not", is_added=True, also=(dropped,))
        ways = ("nothing if it is one", missing)
        yield Problem(rule, got, ways, "D214", **labels.fields(raw.target, is_marker))
    has_spaces = pc.not_equal(cells, pc.utf8_trim_whitespace(cells))
    if where := labels.where(has_spaces):
        rule = f"labels of {raw.target!r} should have no spaces around them"
        got, fix = f"spaces in {where}: taken without", "nothing, or write them without"
        yield Problem(rule, got, fix, "D211", **labels.fields(raw.target, has_spaces))
