"""List the images that a table of files and labels names: data.labels=FILE.csv."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, shown
from kindling.images.image_names import ImageNames
from kindling.images.label_columns import several_labels
from kindling.images.label_rows import LabelOptions, LabelRows, read_labels
from kindling.images.listing import ListedImage, Listing, problems_by_rule
from kindling.images.split_names import TOKEN
from kindling.tables.column_types import is_single
from kindling.tables.csv_findings import csv_findings
from kindling.tables.group_time import FileColumn, read_groups, read_times
from kindling.tables.target import read_target, too_many_classes

GROUP_WORDS = frozenset(
    ("patient", "subject", "person", "group", "lesion", "case", "animal", "study", "series", "site")
)


@dataclass
class LabelledImages:
    """Images with a label; `groups` and `times` as `RawData` has them."""

    listing: Listing
    target: pd.Series
    unused: list[str] = field(default_factory=list)
    findings: list[Problem] = field(default_factory=list)
    groups: np.ndarray | None = None
    times: np.ndarray | None = None


def list_labelled(listing: Listing, labels: Path, options: LabelOptions) -> LabelledImages:
    """List the images that a table names, the label of each, and what the table leaves out.

    Args:
        listing: of data.path, nothing scanned yet; it takes up what is found.
        labels: a table with the columns `file` and `label`, or such under other names.
        options: what is said of it.

    Raises:
        DataError: it cannot be told which column is which.
    """
    files = list(listing.scan(listing.root).walk())
    rows = read_labels(listing, files, labels, options)
    y = read_target(rows.cells, options.task, options.dialect.missing).rename(rows.target)
    # A row without a label is left out, and said to be.
    known = np.flatnonzero(y.notna().to_numpy())
    paths = [rows.found[k].paths[0] if len(rows.found[k].paths) == 1 else None for k in known]
    listing.faults += row_problems(labels, rows, known)
    for row, path in zip(known, paths, strict=True):
        if path is not None:
            name = listing.name(path) if path.is_relative_to(listing.root) else str(path)
            listing.entries.append(ListedImage(path, name, "", rows.splits[row]))
    listing.faults += listing.problems()
    target = y.iloc[known].reset_index(drop=True)
    listing.faults += several_labels(target, str(labels), options.task)
    listing.notes += [*rows.column_notes, *rows.name_notes, *listing.ignored_note()]
    images = LabelledImages(listing, target, rows.unused)
    if listing.faults:
        return images
    unused_files = sorted(listing.name(path) for path in set(files) - set(paths))
    images.findings = csv_findings(labels, options.dialect)
    images.findings += _left_out(labels, rows.table, len(y) - len(known), unused_files, rows.unused)
    _read_group_and_time(images, rows, labels, known, options)
    return images


def row_problems(labels: Path, rows: LabelRows, known: np.ndarray) -> list[Problem]:
    """List what hinders: files that are not there, that may be one of two, or are named twice."""
    absent = [rows.files[k] for k in known if not rows.found[k].paths]
    double = {rows.files[k]: rows.found[k].paths for k in known if len(rows.found[k].paths) > 1}
    counts = Counter(rows.found[k].paths[0] for k in known if len(rows.found[k].paths) == 1)
    twice = [str(path) for path, count in counts.items() if count > 1]
    rules: dict[str, tuple[list[str], Fix]] = {
        f"{labels} must name a file once": (twice, "take the other rows out"),
        f"{labels} must name images": (
            [] if len(known) else ["no row with a label"],
            "give it the columns file and label",
        ),
    }
    return [
        *_absent(labels, absent, rows.names),
        *_double(labels, double),
        *problems_by_rule(rules, "D408"),
    ]


def _absent(labels: Path, absent: list[str], names: ImageNames) -> list[Problem]:
    if not absent:
        return []
    rule = f"each file that {labels} names must be an image below data.path"
    hints = [(name, names.hint(name)) for name in sorted(absent)[:5]]
    said = (f"{name} (did you mean {hint}?)" if hint else name for name, hint in hints)
    got = first_few(said, total=len(absent), noun="files")
    fix = "correct the names: they count from data.path, or from where the table lies"
    return [Problem(rule, got, fix, "D408", count=len(absent))]


def _double(labels: Path, double: dict[str, tuple[Path, ...]]) -> list[Problem]:
    if not double:
        return []
    rule = f"a name in {labels} must mean one image"
    pairs = [f"{name} may be {' or '.join(map(_below, paths))}" for name, paths in double.items()]
    fix: tuple[str | Setting, ...] = ("write the names as the files are called, whole",)
    ends = [{path.suffix for path in paths} for paths in double.values()]
    if len(set.intersection(*ends)) > 1:
        kept, *others = sorted(set.union(*ends))
        patterns, words = [f"*{end}" for end in others], f"if those with {kept} are meant"
        fix = (*fix, Setting("data.ignore", patterns, words, is_added=True))
    return [Problem(rule, first_few(pairs, 3, separator="; "), fix, "D408", count=len(pairs))]


def _below(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read_group_and_time(
    images: LabelledImages,
    rows: LabelRows,
    labels: Path,
    known: np.ndarray,
    options: LabelOptions,
) -> None:
    def column(name: str) -> list[FileColumn]:
        return [FileColumn(str(labels), rows.table.column(name), known)]

    if options.group is not None:
        if options.group in rows.table.column_names:
            images.groups = read_groups(column(options.group))
        else:
            parents = (entry.name.rpartition("/")[0] for entry in images.listing.entries)
            images.groups = np.array(list(parents), dtype=object)
    if options.time is not None:
        images.times = read_times(options.time, column(options.time))


def _left_out(
    labels: Path, table: pa.Table, unlabelled: int, files: list[str], columns: list[str]
) -> list[Problem]:
    """Say which rows, images and columns are not learnt from."""
    ways: tuple[str | Setting, ...] = ("nothing",)
    if near := [name for name in columns if _is_group(table, name)]:
        words = "to keep images of one in one split"
        ways = (Setting("data.group", near[0], words), *ways)
    rules: dict[str, tuple[list[str], Fix]] = {
        f"each row of {labels} should have a label": (
            [f"{unlabelled:,} rows without one"] if unlabelled else [],
            "fill it in",
        ),
        f"each image below data.path should have a label in {labels}": (
            [f"{len(files):,} images without one: {first_few(files)}"] if files else [],
            "nothing, or give each a row and a label",
        ),
        f"columns of {labels} should have a use": (
            [f"columns {first_few(map(shown_name, columns), total=len(columns))}"]
            if columns
            else [],
            ways,
        ),
    }
    return problems_by_rule(rules, "D417", "left out: ")


def label_problems(images: LabelledImages, labels: str) -> list[Problem]:
    """Find labels from which no class can be learnt: one for each image, or one for all."""
    target, others = images.target, images.unused
    problems = too_many_classes(target)
    if target.nunique() == 1:
        rule, got = f"images in {labels} must have two labels or more", f"only {target.iloc[0]}"
        problems = [Problem(rule, got, "", "D205", column=str(target.name))]
    ways: list[str | Setting] = [Setting("data.target", name) for name in others[:1]]
    ways.append(f"put the class of each image into the column {target.name} of {labels}")
    if target.nunique() > 1 and pd.to_numeric(target, errors="coerce").notna().all():
        ways.append(Setting("data.task", "regression", "if it is a quantity"))
    return [replace(problem, fix=tuple(ways)) for problem in problems]


def _is_group(table: pa.Table, name: str) -> bool:
    """Say whether a column seems to tell of what several images are: a patient, a lesion."""
    words = {token.lower() for token in TOKEN.findall(name)}
    cells = table.column(name)
    return bool(words & GROUP_WORDS) and is_single(cells) and len(pc.unique(cells)) < len(table)


def shown_name(name: str) -> str:
    """Write a column's name, quoted where it is not one word."""
    return name if name.isidentifier() else shown(name)
