"""List the image files of class folders, with their labels, and what is left out or in the way.

The label of an image is the name of its folder. Folders named train, val and test above the class
folders fix the split. `labels_file.py` takes the labels from a table instead.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kindling.errors import Problem
from kindling.formatting import first_few
from kindling.images.decoding import SUFFIXES
from kindling.types import SPLITS, Split

SPLIT_NAMES: dict[str, Split] = {
    **{split: split for split in SPLITS},
    **{"training": "train", "valid": "val", "validation": "val", "testing": "test"},
}


class ListedImage(NamedTuple):
    """One image file: where it is, its path below data.path, its label, and its folder's split."""

    file: Path
    name: str
    label: str
    split: Split | None


@dataclass
class Listing:
    """What was found below a folder.

    Args:
        root: data.path.
        follow_links: whether symbolic links may lead out of it.
        suffixes: endings of the files that are images.
        entries: the image files, in the order of their names.
        other_files: how many files have which other ending.
        outside: links that lead out of the root.
        unreadable: folders that may not be listed.
        empty: class folders without images.
        beside: what lies beside the folders train, val and test.
        misplaced: images outside of any class folder.
        faults: what must be mended before the files can be used.
    """

    root: Path
    follow_links: bool
    suffixes: frozenset[str] = frozenset(SUFFIXES)
    entries: list[ListedImage] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)
    outside: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    misplaced: list[ListedImage] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    def files(self, folder: Path) -> Iterator[Path]:
        """Walk over the image files below a folder, in the order of their names."""
        return self._walk(folder, frozenset())

    def _walk(self, folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
        place = folder.stat()
        identity = (place.st_dev, place.st_ino)
        if identity in above:
            return  # a link to a folder above it
        for path in self.children(folder):
            if path.is_dir():
                yield from self._walk(path, above | {identity})
            elif not path.is_file():
                self.other_files["links to nothing, or no files"] += 1
            elif path.suffix.lower() in self.suffixes:
                yield path
            else:
                self.other_files[path.suffix.lower() or "no ending"] += 1

    def children(self, folder: Path) -> list[Path]:
        """List what lies in a folder and may be used, by name; hidden files are no data."""
        try:
            found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except PermissionError:
            self.unreadable.add(self.name(folder))
            return []
        if self.follow_links:
            return found
        # A folder from elsewhere, unpacked, might link to files that are nobody's to publish.
        links = [path for path in found if path.is_symlink()]
        out = {p for p in links if not p.resolve().is_relative_to(self.root.resolve())}
        self.outside |= set(map(self.name, out))
        return [path for path in found if path not in out]

    def add_classes(self, top: Path, split: Split | None) -> None:
        """List the images in each folder of a folder, labelled by its name."""
        for path in self.children(top):
            if not path.is_dir():
                if path.suffix.lower() in self.suffixes:
                    self.misplaced.append(ListedImage(path, self.name(path), "", split))
                continue
            label = unicodedata.normalize("NFC", path.name)  # a Mac writes the same name otherwise
            files = [ListedImage(f, self.name(f), label, split) for f in self.files(path)]
            self.entries += files
            self.empty += [] if files else [self.name(path)]

    def name(self, path: Path) -> str:
        """Return a path as it is called below data.path."""
        return path.relative_to(self.root).as_posix()

    def problems(self) -> list[Problem]:
        """List what must be mended before the files can be used."""
        not_utf8 = [entry.name for entry in self.entries if not _is_utf8(entry.name)]
        rules = {
            "a link below data.path must not lead out of it": (
                sorted(self.outside),
                "copy what it leads to, or type data.follow_links=true if you trust it",
            ),
            "a folder below data.path must be readable": (
                sorted(self.unreadable),
                "chmod u+rx the folder",
            ),
            "names of files and folders must be UTF-8": (
                [name.encode(errors="backslashreplace").decode() for name in not_utf8],
                "rename them, for instance with convmv",
            ),
        }
        return problems_by_rule(rules, "D405")

    def findings(self) -> list[Problem]:
        """Say what was left out, and why."""
        rules = {
            "files below data.path should be images by their names": (
                [f"{count:,} {end}" for end, count in self.other_files.most_common()],
                "nothing, if they are none; else give them an ending such as .png",
            ),
            "a class folder should hold images": (self.empty, "fill it, or remove it"),
            "nothing should lie beside the folders train, val and test": (
                self.beside,
                "move it into one of them",
            ),
        }
        return problems_by_rule(rules, "D417", "left out: ")


def problems_by_rule(
    rules: Mapping[str, tuple[Sequence[str], str]], code: str, prefix: str = ""
) -> list[Problem]:
    """Make a problem of each rule that some files break; `rules` gives their names and the fix."""
    return [
        Problem(rule, prefix + first_few(names), fix, code, count=len(names))
        for rule, (names, fix) in rules.items()
        if names
    ]


def list_folders(root: Path, *, follow_links: bool = False) -> Listing:
    """List the images of all class folders, and what is in the way of using them."""
    listing = Listing(root, follow_links)
    splits = _split_folders(listing)
    for top, split in splits or [(root, None)]:
        listing.add_classes(top, split)
    misplaced = {
        "an image must lie in a folder that is named for its class": (
            sorted(each.name for each in listing.misplaced),
            "move them into data.path/CLASS/, or type data.labels=FILE.csv with columns file and "
            "label (images without a label are for `kindling predict`)",
        )
    }
    listing.faults += listing.problems() + problems_by_rule(misplaced, "D406")
    # Too few classes may be what another fault has led to: told only where there is none.
    listing.faults += [] if listing.faults else _too_few_classes(listing, has_splits=bool(splits))
    return listing


def _split_folders(listing: Listing) -> list[tuple[Path, Split | None]]:
    """Find the folders named for a split, where there is one for train that holds folders."""
    children = listing.children(listing.root)
    found: list[tuple[Path, Split | None]] = [
        (path, SPLIT_NAMES[path.name.lower()])
        for path in children
        if path.name.lower() in SPLIT_NAMES and path.is_dir()
    ]
    # A class may be called "test": only a train folder with class folders in it makes it a split.
    trains = [path for path, split in found if split == "train"]
    if not any(inner.is_dir() for path in trains for inner in listing.children(path)):
        return []
    others = [path for path in children if path not in dict(found)]
    listing.beside = [p.name for p in others if p.is_dir() or p.suffix.lower() in SUFFIXES]
    return found


def _too_few_classes(listing: Listing, *, has_splits: bool) -> list[Problem]:
    """Refuse class folders from which nothing can be learnt."""
    labels = sorted({entry.label for entry in listing.entries})
    rule = "data.path must hold class folders: data.path/CLASS/*.png"
    if not labels:
        others = "".join(f"; {problem.got}" for problem in listing.findings())
        got = f"no images in {listing.root}{others}"
        return [Problem(rule, got, "put the images of each class into a folder of its own", "D407")]
    if not has_splits and all(label.lower() in SPLIT_NAMES for label in labels):
        got = f"folders {first_few(labels)} without class folders in them"
        fix = f"use data.path/{labels[0]}/CLASS/*.png, or type data.labels=FILE.csv"
        return [Problem(rule, got, fix, "D407")]
    if len(labels) == 1:
        inner = sorted({entry.file.parent for entry in listing.entries})
        # Class folders one level below are taken for folders of a single class.
        is_above = not has_splits and len(inner) > 1
        fix = f"did you mean data.path={inner[0].parent}?" if is_above else "add a second class"
        rule = "there must be two class folders or more"
        return [Problem(rule, f"only {labels[0]}", fix, "D407")]
    return []


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
