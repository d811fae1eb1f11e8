"""A table of files and labels in; the images below a folder that it names, and its labels, out."""

import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import pandas as pd

from kindling.errors import DataError, Problem
from kindling.images.decode import SUFFIXES
from kindling.images.folders import STAGE_NAMES
from kindling.images.listing import Entry, Listing, left_out, some_of
from kindling.tables.formats import read_table
from kindling.tables.target import read_target

FILE, LABEL, STAGE = "file", "label", "stage"


def list_labelled(
    root: Path, labels: Path, task: str = "auto", *, follow_links: bool = False
) -> tuple[Listing, pd.Series, list[Problem]]:
    """List the images that a table names, the label of each, and what the table leaves out.

    Args:
        root: data.path.
        labels: a CSV or Parquet file with columns `file` and `label`, or with these two first
            under other names. A third column `stage` may say train, val or test.
        task: as it was asked for; labels such as 007 are numbers in a regression only.
        follow_links: whether symbolic links may lead out of the root.
    """
    table = read_table(labels)
    file, target = _columns(table.column_names, labels)
    y = read_target(table.column(target), task).rename(target)
    frame = pd.DataFrame({"file": table.column(file).to_pandas().astype(str), "y": y})
    frame["stage"] = table.column(STAGE).to_pandas() if STAGE in table.column_names else None
    known = frame[frame["y"].notna()].reset_index(drop=True)

    listing = Listing(root, follow_links)
    found = {_plain(listing.name(path)): path for path in listing.files(root)}
    found = {name[: -len(path.suffix)]: path for name, path in found.items()} | found
    paths = [_place(name, found, labels.parent) for name in known["file"]]
    listing.faults += _problems(labels, known, paths)
    for path, stage in zip(paths, known["stage"], strict=True):
        if path is not None:
            name = listing.name(path) if path.is_relative_to(root) else str(path)
            listing.entries.append(Entry(path, name, "", STAGE_NAMES.get(str(stage).lower())))
    listing.faults += listing.problems()
    unused = [listing.name(path) for path in set(found.values()) - set(paths)]
    return listing, known["y"].rename(target), _left_out(labels, len(frame) - len(known), unused)


def _columns(names: list[str], labels: Path) -> tuple[str, str]:
    """Find the column of the files and that of the labels."""
    if len(names) < 2:
        got = f"{labels} with {some_of(names)}"
        fix = f"give it the columns {FILE} and {LABEL}, separated by commas"
        raise DataError(Problem("data.labels must have two columns", got, fix, "D408"))
    file = FILE if FILE in names else names[0]
    target = LABEL if LABEL in names else next(name for name in names[:2] if name != file)
    return file, target


def _plain(name: str) -> str:
    """Write a path alike wherever it comes from: Windows, a Mac, or with a dot in front."""
    text = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return PurePosixPath(text).as_posix()


def _place(name: str, found: dict[str, Path], beside: Path) -> Path | None:
    """Find an image below data.path, with or without its ending, or from where the table lies."""
    if _plain(name) in found:
        return found[_plain(name)]
    path = beside / name
    return path if path.suffix.lower() in SUFFIXES and path.is_file() else None


def _problems(labels: Path, known: pd.DataFrame, paths: list[Path | None]) -> list[Problem]:
    """List what hinders: files that are not there or named twice, stages that are none."""
    absent = [name for name, path in zip(known["file"], paths, strict=True) if path is None]
    counts = Counter(path for path in paths if path is not None)
    twice = [str(path) for path, count in counts.items() if count > 1]
    stages = known["stage"].dropna().astype(str)
    wrong = set(stages[~stages.str.lower().isin(list(STAGE_NAMES))])
    kinds = {
        f"each file that {labels} names must be an image below data.path": (
            absent,
            "correct its column file: paths count from data.path, or from where the table lies",
        ),
        f"{labels} must name a file once": (twice, "take the other rows out"),
        f"the column stage of {labels} must say train, val or test": (wrong, "correct it"),
        f"{labels} must name images": (
            [] if len(known) else ["no row with a label"],
            f"give it the columns {FILE} and {LABEL}",
        ),
    }
    return [
        Problem(rule, some_of(names), fix, "D408") for rule, (names, fix) in kinds.items() if names
    ]


def _left_out(labels: Path, unlabelled: int, unused: list[str]) -> list[Problem]:
    """Say which rows and images are not learnt from."""
    kinds = {
        f"each row of {labels} should have a label": (
            f"{unlabelled:,} rows without one" if unlabelled else "",
            "fill it in",
        ),
        f"each image below data.path should have a label in {labels}": (
            f"{len(unused):,} images without one: {some_of(unused)}" if unused else "",
            "nothing, or give each a row and a label",
        ),
    }
    return [left_out(rule, got, fix) for rule, (got, fix) in kinds.items() if got]
