"""List the images that a table of files and labels names: data.labels=FILE.csv.

Files may be spelt as Windows or a Mac spells them, with or without their ending.
"""

import unicodedata
from collections import Counter
from pathlib import Path, PurePosixPath

import pandas as pd

from kindling.errors import DataError, Problem
from kindling.formatting import first_few
from kindling.images.decoding import SUFFIXES
from kindling.images.listing import SPLIT_NAMES, ListedImage, Listing, problems_by_rule
from kindling.tables.formats import read_table
from kindling.tables.target import read_target

FILE, LABEL, SPLIT = "file", "label", "stage"  # columns


def list_labelled(
    root: Path, labels: Path, task: str = "auto", *, follow_links: bool = False
) -> tuple[Listing, pd.Series, list[Problem]]:
    """List the images that a table names, the label of each, and what the table leaves out.

    Args:
        root: data.path.
        labels: a CSV or Parquet file with columns `file` and `label`, or with these two first
            under other names. A third column `stage` may fix the split: train, val or test.
        task: as it was asked for; labels such as 007 are numbers in a regression only.
        follow_links: whether symbolic links may lead out of the root.
    """
    table = read_table(labels)
    file, target = _columns(table.column_names, labels)
    y = read_target(table.column(target), task).rename(target)
    frame = pd.DataFrame({"file": table.column(file).to_pandas().astype(str), "y": y})
    frame["split"] = table.column(SPLIT).to_pandas() if SPLIT in table.column_names else None
    # A row without a label is left out, and said to be.
    known = frame[frame["y"].notna()].reset_index(drop=True)

    listing = Listing(root, follow_links)
    found = {_posix(listing.name(path)): path for path in listing.files(root)}
    # A file's full name goes before another file's name without its ending.
    found = {name[: -len(path.suffix)]: path for name, path in found.items()} | found
    paths = [_place(name, found, labels.parent) for name in known["file"]]
    listing.faults += _problems(labels, known, paths)
    for path, split in zip(paths, known["split"], strict=True):
        if path is not None:
            name = listing.name(path) if path.is_relative_to(root) else str(path)
            listing.entries.append(ListedImage(path, name, "", SPLIT_NAMES.get(str(split).lower())))
    listing.faults += listing.problems()
    unused = [listing.name(path) for path in set(found.values()) - set(paths)]
    return listing, known["y"].rename(target), _left_out(labels, len(frame) - len(known), unused)


def _columns(names: list[str], labels: Path) -> tuple[str, str]:
    """Find the column of the files and that of the labels."""
    if len(names) < 2:
        got = f"{labels} with {first_few(names)}"
        fix = f"give it the columns {FILE} and {LABEL}, separated by commas"
        raise DataError(Problem("data.labels must have two columns", got, fix, "D408"))
    # Without these names the order decides: a file first, then its label.
    file = FILE if FILE in names else names[0]
    target = LABEL if LABEL in names else next(name for name in names[:2] if name != file)
    return file, target


def _posix(name: str) -> str:
    """Write a path alike wherever it comes from: Windows, a Mac, or with a dot in front."""
    text = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return PurePosixPath(text).as_posix()


def _place(name: str, found: dict[str, Path], beside: Path) -> Path | None:
    """Find an image below data.path, with or without its ending, or from where the table lies."""
    if _posix(name) in found:
        return found[_posix(name)]
    path = beside / name
    return path if path.suffix.lower() in SUFFIXES and path.is_file() else None


def _problems(labels: Path, known: pd.DataFrame, paths: list[Path | None]) -> list[Problem]:
    """List what hinders: files that are not there or named twice, splits that are none."""
    absent = [name for name, path in zip(known["file"], paths, strict=True) if path is None]
    counts = Counter(path for path in paths if path is not None)
    twice = [str(path) for path, count in counts.items() if count > 1]
    splits = known["split"].dropna().astype(str)
    wrong = set(splits[~splits.str.lower().isin(list(SPLIT_NAMES))])
    rules = {
        f"each file that {labels} names must be an image below data.path": (
            sorted(absent),
            "correct its column file: paths count from data.path, or from where the table lies",
        ),
        f"{labels} must name a file once": (sorted(twice), "take the other rows out"),
        f"the column stage of {labels} must say train, val or test": (sorted(wrong), "correct it"),
        f"{labels} must name images": (
            [] if len(known) else ["no row with a label"],
            f"give it the columns {FILE} and {LABEL}",
        ),
    }
    return problems_by_rule(rules, "D408")


def _left_out(labels: Path, unlabelled: int, unused: list[str]) -> list[Problem]:
    """Say which rows and images are not learnt from."""
    images = f"{len(unused):,} images without one: {first_few(sorted(unused))}"
    rules = {
        f"each row of {labels} should have a label": (
            [f"{unlabelled:,} rows without one"] if unlabelled else [],
            "fill it in",
        ),
        f"each image below data.path should have a label in {labels}": (
            [images] if unused else [],
            "nothing, or give each a row and a label",
        ),
    }
    return problems_by_rule(rules, "D417", "left out: ")
