"""Class names, the train rows' labels and the target's own cells in; what is odd about them out."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from kindling.checks.cells import Cells, read_commas
from kindling.checks.sample import MAX_ROWS
from kindling.errors import Problem
from kindling.formatting import shown
from kindling.raw_data import RawData
from kindling.tables import column_types
from kindling.tables.column_types import decimal_sign
from kindling.types import DataSpec

MAX_NAMED = 5


def label_findings(spec: DataSpec) -> list[Problem]:
    """Find classes with a single train row, and names that are hard to tell apart."""
    found = []
    counted = zip(spec.classes, spec.class_counts, strict=True)
    single = [name for name, count in counted if count == 1]
    if single:
        rule = f"a class of {spec.target!r} should have several train rows"
        more = ", ..." if len(single) > MAX_NAMED else ""
        got = f"one row of {', '.join(map(shown, single[:MAX_NAMED]))}{more}"
        found.append(Problem(rule, got, "give more rows of it, or join it with another", "D207"))
    alike = defaultdict(list)
    for name in spec.classes:
        alike[" ".join(name.casefold().split())].append(name)
    pairs = [" and ".join(map(shown, names)) for names in alike.values() if len(names) > 1]
    if pairs:
        rule = f"classes of {spec.target!r} should differ in more than case and spaces"
        got = "; ".join(pairs[:MAX_NAMED])
        found.append(Problem(rule, got, "write them alike if they are one", "D208"))
    return found


def target_findings(raw: RawData) -> Iterator[Problem]:
    """Say how the target's cells were read, where a person may not expect it."""
    assert isinstance(raw.x, tuple)
    cells = next(c for c in (chunk.column(raw.target) for chunk in raw.x[0].open()) if len(c))
    cells = cells.slice(0, MAX_ROWS)
    if not column_types.is_text(cells):
        return
    labels = Cells(cells, np.arange(len(cells)))  # counted in the file
    if raw.is_regression:
        fix = "data.task=classification if they are codes"
        yield from read_commas(raw.target, decimal_sign(cells), labels, fix)
        return
    has_spaces = pc.not_equal(cells, pc.utf8_trim_whitespace(cells))
    if where := labels.where(has_spaces):
        rule = f"labels of {raw.target!r} should have no spaces around them"
        got = f"spaces in {where}: taken without"
        yield Problem(rule, got, "nothing, or write them without", "D211")
