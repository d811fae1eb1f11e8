"""Find which columns of a table of labels are the label, the split and what is not used.

A column is never taken by its place where another could be meant: then the user is asked.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import DataError, Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.images.split_names import TOKEN, WORDS, plain_split
from kindling.tables import column_types
from kindling.tables.schema import absent_columns
from kindling.types import Split

LABELS = ("label", "labels", "class", "target")  # names that are believed, the first before all
SPLIT_WORDS = frozenset(("split", "splits", "stage", "set", "subset", "partition", "phase", "fold"))
SPLIT = "split"
ONE_HOT = "class"  # what is learnt is called so where each class has a column of its own
SEPARATORS = "|;,/+& "
SURE_SEPARATORS = "|;"
FEW = 8


class Columns(NamedTuple):
    """The columns of a table of labels.

    Args:
        label: the column, or one for each class where rows are one-hot.
        split: the column that fixes the split, if there is one.
        flags: else columns such as is_valid, and the split of each row where it is true.
        unused: all others.
    """

    label: tuple[str, ...]
    split: str | None
    flags: dict[str, list[Split | None]]
    unused: list[str]


def find_columns(
    table: pa.Table, file: str, target: str | Sequence[str] | None, used: Sequence[str], labels: str
) -> Columns:
    """Tell the label and the split from the other columns.

    Args:
        table: all of it.
        file: the column that names the files.
        target: data.target: the column of the label, or those of classes; None finds it.
        used: columns that have another use: data.group, data.time.
        labels: what to call the table in a message.

    Raises:
        DataError: several columns may be the label, or the split.
    """
    asked = (target,) if isinstance(target, str) else tuple(target or ())
    if absent := absent_columns(asked, table.column_names, labels, "data.target"):
        raise DataError(*absent)
    rest = [name for name in table.column_names if name != file and name not in asked]
    split = _split_column(table, rest, labels)
    rest = [name for name in rest if name != split and name not in used]
    flags = flagged_splits(table, rest) if split is None else {}
    rest = [name for name in rest if name not in flags]
    label = asked or _label_columns(table, rest, labels)
    return Columns(label, split, flags, [name for name in rest if name not in label])


def _label_columns(table: pa.Table, names: list[str], labels: str) -> tuple[str, ...]:
    for known in LABELS:
        same = [name for name in names if name.strip().casefold() == known]
        if len(same) == 1:
            return (same[0],)
    if len(names) == 1:
        return (names[0],)
    flags = [name for name in names if _flags(table.column(name)) is not None]
    if len(flags) > 1 and len(flags) == len(names):
        return tuple(flags)
    rule = f"one column of {labels} must be the label"
    if not names:
        fix: Fix = "give it the columns file and label, separated by commas"
        raise DataError(
            Problem(rule, f"{labels} with {first_few(table.column_names)}", fix, "D408")
        )
    fix = (Setting("data.target", likely_label(table, names), "or another of them"),)
    if len(flags) > 1:
        fix = (*fix, Setting("data.target", flags, "if each of these is a class"))
    raise DataError(Problem(rule, f"it may be {first_few(names, FEW)}", fix, "D421"))


def likely_label(table: pa.Table, names: list[str]) -> str:
    """Return the first column that has few different values, as classes have."""
    for name in names:
        cells = table.column(name)
        if column_types.is_single(cells) and 1 < len(pc.unique(cells)) <= max(2, len(table) // 4):
            return name
    return names[0]


def _split_column(table: pa.Table, names: list[str], labels: str) -> str | None:
    """Find the column that says train, val or test in each row."""
    found = []
    for name in names:
        words = _distinct_words(table.column(name))
        splits = [plain_split(word) for word in words]
        is_named = any(token.lower() in SPLIT_WORDS for token in TOKEN.findall(name))
        if words and None not in splits and (is_named or len(set(splits)) > 1):
            found.append(name)
        elif words and (name == SPLIT or (is_named and any(splits))):
            rule = f"the column {name} of {labels} must say train, val or test"
            wrong = [word for word, split in zip(words, splits, strict=True) if split is None]
            fix = "correct it, or call the column otherwise if it is none of the split"
            raise DataError(Problem(rule, first_few(wrong), fix, "D408", column=name))
    if len(found) > 1:
        rule = f"one column of {labels} may say train, val or test"
        fix = "take the others out"
        raise DataError(Problem(rule, first_few(found, separator=" and "), fix, "D421"))
    return found[0] if found else None


def flagged_splits(table: pa.Table, names: Sequence[str]) -> dict[str, list[Split | None]]:
    """Read columns such as is_valid and is_test, which are true for the rows of that split."""
    found = {}
    for name in names:
        what = re.fullmatch(r"is_?(valid|val|validation|test)", name.strip().casefold())
        flags = _flags(table.column(name)) if what else None
        if what and flags is not None:
            found[name] = [WORDS[what[1]] if flag == 1 else None for flag in flags]
    return found


def _distinct_words(cells: pa.ChunkedArray, most: int = 50) -> list[str]:
    """Return the different words of a column; none where they are no text, or too many."""
    if not column_types.is_text(cells):
        return []
    distinct = pc.unique(cells)
    if len(distinct) > most:
        return []
    words = [word.strip() for word in distinct.to_pylist() if word is not None]
    return [word for word in words if word]


def _flags(cells: pa.ChunkedArray) -> np.ndarray | None:
    """Return float64 0 and 1, NaN for an empty cell; None where a cell is something else."""
    if not column_types.is_single(cells):
        return None
    distinct = pa.chunked_array([pc.unique(cells)])
    values = column_types.to_number(distinct).to_numpy()
    if pa.types.is_boolean(cells.type) or not np.isfinite(values).any():
        values = column_types.to_boolean(distinct).to_numpy()
    known = ~np.isnan(values)
    empty = np.array([not str(word or "").strip() for word in distinct.to_pylist()], dtype=bool)
    if not known.any() or not np.isin(values[known], (0, 1)).all() or (~known & ~empty).any():
        return None
    which = pc.index_in(cells, value_set=distinct.combine_chunks()).to_numpy()
    return values[which]


def decode_one_hot(table: pa.Table, names: Sequence[str], labels: str) -> pa.ChunkedArray:
    """Return the name of the column that holds 1 in each row, as text; null for empty rows.

    Raises:
        DataError: a row has several classes, or none: images with several labels.
    """
    columns = [_flags(table.column(name)) for name in names]
    wrong = [name for name, flags in zip(names, columns, strict=True) if flags is None]
    if wrong:
        rule = f"columns of classes in {labels} must hold 0 and 1"
        got = f"other cells in {first_few(wrong)}"
        raise DataError(Problem(rule, got, Setting("data.target", names[0]), "D421"))
    flags = np.stack([column for column in columns if column is not None])  # (classes, rows)
    is_empty = np.isnan(flags).all(axis=0)
    count = np.nansum(flags, axis=0)
    bad = np.flatnonzero((count != 1) & ~is_empty)
    if len(bad):
        row = int(bad[0])
        held = [name for name, column in zip(names, flags, strict=True) if column[row] == 1]
        got = f"{len(bad):,} rows, such as row {row} with {first_few(held) or 'none of them'}"
        rule = f"each row of {labels} must have a 1 in one column of {first_few(names)}"
        fix = Setting("data.target", names[0], "to learn one of them: an image has one label here")
        raise DataError(Problem(rule, got, fix, "D422", row=row, count=len(bad)))
    which = np.where(is_empty, -1, np.nan_to_num(flags).argmax(axis=0))
    distinct = np.array([*names, None], dtype=object)
    return pa.chunked_array([pa.array(distinct[which], pa.string())])


def several_labels(target: pd.Series, labels: str, task: str) -> list[Problem]:
    """Find that cells hold several labels each, such as "Effusion|Mass"."""
    words = [word for word in pd.unique(target) if isinstance(word, str)]
    for sign in SEPARATORS:
        combined = {word: [p.strip() for p in word.split(sign)] for word in words if sign in word}
        combined = {word: parts for word, parts in combined.items() if all(parts)}
        alone = set(words) - set(combined)
        parts = {part for each in combined.values() for part in each}
        known = [word for word, each in combined.items() if set(each) <= alone]
        # Words that are fewer than their combinations, or that stand alone elsewhere, are labels.
        is_list = 2 * len(known) >= len(combined)
        many = 1 if sign in SURE_SEPARATORS else 2
        is_list |= many * len(parts | alone) < len(words)
        if combined and is_list and task == "auto":
            first = known[0] if known else next(iter(combined))
            number = int(target.isin(list(combined)).sum())
            rule = f"an image has one label in {labels}"
            got = f"several, parted by {sign!r}, in {number:,} rows, such as {shown(first)}"
            fix = (
                "give each image one of them",
                Setting("data.task", "classification", "to learn each combination as a class"),
            )
            return [Problem(rule, got, fix, "D422", column=str(target.name), count=number)]
    return []
