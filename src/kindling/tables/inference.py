"""Infer the schema of a table from its train rows: the type of each column, and which are left out.

Constants, ids and free text say nothing of other rows, so they are left out; data.kinds takes any
column in.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.formatting import shown
from kindling.tables import column_types
from kindling.tables.categories import to_category
from kindling.tables.column import USED, Column
from kindling.tables.column_types import DATE_PARTS, MISSING, has_leading_zeros
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.date_inference import are_compact_dates, describe_date, range_of, settle_order
from kindling.tables.date_text import date_patterns, fault_of, known_dates
from kindling.tables.decimal_sign import NOTHING_SHOWN, FileEvidence, decide, evidence_of
from kindling.tables.left_out import unless_useless
from kindling.tables.number_text import (
    ANY_UNIT,
    MARKERS,
    MOSTLY,
    NUMBER_MARKERS,
    SAMPLE,
    SURE_UNIT,
    NumberStyle,
    find_unit,
    known_text,
    text_to_number,
)
from kindling.tables.schema import TableSchema

RARE = 2  # what occurs in this many train rows or fewer is no category, and no gap, of its own


@dataclass(frozen=True)
class Hints:
    """What is known of a table before its columns are looked at.

    Args:
        kinds: data.kinds: column -> type, which has the last word.
        dialect: data.csv, by which later rows are read too.
        file: what all columns of the file show for a decimal sign.
        target: how the target is written.
        dates: data.dates: column -> the pattern of its dates.
        left_out: columns that are not among those looked at: data.ignore and data.group.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = AUTO
    file: FileEvidence = NOTHING_SHOWN
    target: Column | None = None
    dates: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


NO_HINTS = Hints()


def infer_schema(train: pa.Table, hints: Hints = NO_HINTS) -> TableSchema:
    """Find the type of each column from the train rows.

    Raises:
        DataError: a type that was asked for is none, or is asked for lists, structures or bytes.
    """
    problems = []
    for name, column_type in hints.kinds.items():
        key = f"data.kinds.{name}"
        if column_type not in USED:
            rule, fix = f"{key} must be a column type", f"choose from {', '.join(USED)}"
            problems.append(Problem(rule, str(column_type), fix, "D104", column=name))
        if name in train.column_names and not column_types.is_single(train.column(name)):
            rule, fix = f"{key} needs cells that are single values", "make columns of their parts"
            got = f"cells of type {train.column(name).type}"
            problems.append(Problem(rule, got, fix, "D104", column=name))
    problems += [
        Problem(
            f"data.dates.{name} must be a pattern of dates",
            f"{shown(pattern)}: {fault}",
            Setting("data.dates", {name: "%d.%m.%Y"}, "or what its form is", is_added=True),
            "D126",
            column=name,
        )
        for name, pattern in hints.dates.items()
        if (fault := fault_of(pattern))
    ]
    if problems:
        raise DataError(*problems)
    taken = set(train.column_names)
    columns = [infer_column(name, train.column(name), hints) for name in train.column_names]
    columns = settle_order(columns, train)
    named = tuple(_with_features(column, taken) for column in columns)
    return TableSchema(named, hints.dialect, hints.target, hints.left_out)


def infer_column(name: str, cells: pa.ChunkedArray, hints: Hints) -> Column:
    """Describe one column; a type that was asked for is taken, whatever the cells hold."""
    asked = hints.kinds.get(name)
    blank = Column(name, "category", missing=hints.dialect.missing)
    if name in hints.dates:
        column = replace(blank, column_type="date", why=f"dates like {hints.dates[name]}")
        return describe_date(replace(column, pattern=hints.dates[name]), cells)
    if asked is not None:
        column = replace(blank, column_type=asked, why="data.kinds")  # type: ignore[arg-type]
        return DESCRIBE[asked](styled(column, cells, hints, ANY_UNIT), cells)
    known = _known(cells, (*MARKERS, *blank.missing))
    if len(known) == 0 or pa.types.is_null(cells.type):
        return _without_values(blank, cells)
    if not column_types.is_single(cells):
        return Column(name, "text", f"cells of type {cells.type}", num_missing=0)
    guessed = _guess_type(blank, cells, known, hints)
    column = DESCRIBE[guessed.column_type](guessed, cells)
    if column.column_type == "number" and column.low is None:
        return replace(column, column_type="empty", why="no finite number in the train rows")
    if column.column_type == "category":
        known = _known(cells, (MISSING, *blank.missing))  # NA is a word as any other
    return unless_useless(column, cells, known)


def _known(cells: pa.ChunkedArray, markers: Iterable[str]) -> pa.ChunkedArray:
    return pc.drop_null(known_text(cells, markers) if column_types.is_text(cells) else cells)


def _without_values(blank: Column, cells: pa.ChunkedArray) -> Column:
    """Describe a column of which no cell has a value that could be a number."""
    why = "no value in the train rows"
    return replace(blank, column_type="empty", why=why, num_missing=len(cells))


def _guess_type(
    blank: Column, cells: pa.ChunkedArray, known: pa.ChunkedArray, hints: Hints
) -> Column:
    """Choose among the types that are learnt from, by the cells' own type or the look of text."""
    if pa.types.is_boolean(cells.type):
        return replace(blank, column_type="boolean", why="true and false")
    if column_types.is_moment(cells):
        return replace(blank, column_type="date", why="dates")
    is_text = column_types.is_text(cells)
    if (is_text or column_types.is_numeric(cells)) and are_compact_dates(known):
        return replace(blank, column_type="date", why=_dates_like(known))
    if not is_text:
        return replace(blank, column_type="number", why="numbers")
    return _guess_from_text(blank, known, hints)


def _guess_from_text(blank: Column, known: pa.ChunkedArray, hints: Hints) -> Column:
    if _are_true_or_false(known.slice(0, SAMPLE)) and _are_true_or_false(known):
        return replace(blank, column_type="boolean", why="true and false")
    # Before numbers: 007 would lose its zeros as one.
    if has_leading_zeros(known):
        return replace(blank, why="codes with leading zeros", has_leading_zeros=True)
    written = styled(blank, known, hints)
    share = share_of_numbers(known, written.style)
    if share >= MOSTLY:
        why = "numbers" if share == 1 else f"numbers in {share:.0%} of the cells"
        return replace(written, column_type="number", why=why)
    if patterns := _patterns_of(known):
        found = replace(blank, pattern=patterns[0], is_doubtful=len(patterns) > 1)
        return replace(found, column_type="date", why=_dates_like(known))
    return replace(blank, why="text")


def _dates_like(known: pa.ChunkedArray) -> str:
    real = pc.drop_null(known_dates(known)) if column_types.is_text(known) else known
    return f"dates like {real[0]}"


def _patterns_of(known: pa.ChunkedArray) -> tuple[str, ...]:
    """Find the forms of dates; where the first cells are no dates, the others are not looked at."""
    some = pc.drop_null(known_dates(known.slice(0, SAMPLE)))
    if len(some) and not date_patterns(some):
        return ()
    return date_patterns(pc.drop_null(known_dates(known)))


def styled(column: Column, cells: pa.ChunkedArray, hints: Hints, units: str = SURE_UNIT) -> Column:
    """Find how the numbers of a column would be written: its decimal sign and its unit."""
    if not column_types.is_text(cells):
        return column
    markers = (*NUMBER_MARKERS, *column.missing)
    some = pc.drop_null(known_text(cells.slice(0, 2 * SAMPLE), markers))
    if len(some) < SAMPLE:  # few of the first cells have a value
        some = pc.drop_null(known_text(cells, markers))
    some = some.slice(0, SAMPLE)
    unit = "" if text_to_number(some, NumberStyle()).null_count == 0 else find_unit(some, units)
    own = evidence_of(some)
    if not own.decided or min(own.points, own.commas):  # else the first cells are enough
        own = evidence_of(pc.drop_null(known_text(cells, markers)))
    sign, is_doubtful = decide(own, hints.file, hints.dialect.decimal)
    return replace(column, decimal=sign, unit=unit, is_doubtful=is_doubtful)


def _are_true_or_false(known: pa.ChunkedArray) -> bool:
    return pc.all(pc.is_in(pc.utf8_lower(known), value_set=pa.array(["true", "false"]))).as_py()


def share_of_numbers(known: pa.ChunkedArray, style: NumberStyle) -> float:
    """Return the share of known cells that are numbers, not counting markers of missing ones."""
    style = replace(style, missing=())  # they are no longer there
    some = known_text(known.slice(0, SAMPLE), NUMBER_MARKERS)
    if (
        len(known) > SAMPLE
        and 0 < pc.count(some).as_py() <= column_types.to_number(some, style).null_count
    ):
        return 0.0  # not a single number there: surely not nearly all
    if column_types.to_number(known, style).null_count == 0:
        return 1.0
    real = pc.drop_null(known_text(known, NUMBER_MARKERS))
    if len(real) == 0:
        return 0.0
    others = real.filter(pc.is_null(column_types.to_number(real, style)))
    infinite = pc.is_in(pc.utf8_lower(others), value_set=pa.array(column_types.INFINITE))
    return 1 - (len(others) - (pc.sum(infinite).as_py() or 0)) / len(real)


def _with_features(column: Column, taken: set[str]) -> Column:
    """Name the features that it becomes; no two alike."""
    if column.column_type not in USED:
        return column
    names = [column.name]
    if column.column_type == "date":
        parts = DATE_PARTS[:-1] if column.is_whole else DATE_PARTS
        names = [f"{column.name} ({part})" for part in parts]
    elif column.column_type == "number" and column.num_missing > RARE:
        names.append(f"{column.name} is missing")
    free = [names[0] if names[0] == column.name else _free(names[0], taken)]
    free += [_free(name, taken) for name in names[1:]]
    return replace(column, features=tuple(free))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _describe_number(column: Column, cells: pa.ChunkedArray) -> Column:
    numbers = column_types.to_number(cells, column.style)
    return replace(
        column,
        num_missing=numbers.null_count,
        **range_of(numbers),
        is_whole=column_types.is_whole(numbers),
    )


def _describe_boolean(column: Column, cells: pa.ChunkedArray) -> Column:
    return replace(column, num_missing=column_types.to_boolean(cells, column.missing).null_count)


def _describe_category(column: Column, cells: pa.ChunkedArray) -> Column:
    text = to_category(cells, missing=column.missing)
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(text).to_pylist()}
    missing = counts.pop(MISSING, 0)
    rare = {value for value, count in counts.items() if count <= RARE}
    why = column.why + (f", {len(rare)} rare categories pooled" if rare else "")
    categories = tuple(sorted(set(counts) - rare))
    # Other readers make an empty cell of NA: without one here, theirs is the NA of the train rows.
    markers = [word for word in MARKERS if word in categories and word != "?"]
    empty = MISSING if missing else max(markers, key=counts.__getitem__, default=MISSING)
    return replace(column, num_missing=missing, categories=categories, empty=empty, why=why)


DESCRIBE: dict[str, Callable[[Column, pa.ChunkedArray], Column]] = {
    "number": _describe_number,
    "boolean": _describe_boolean,
    "date": describe_date,
    "category": _describe_category,
}
