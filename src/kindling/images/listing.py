"""A folder in; the image files below it, and all that is in the way of using them, out."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kindling.errors import Problem
from kindling.images.decode import SUFFIXES
from kindling.types import Split

MAX_NAMED = 5  # files that a message names


class Entry(NamedTuple):
    """One image file: where it is, its path below data.path, what it shows, its folder's stage."""

    file: Path
    name: str
    label: str
    stage: Split | None


@dataclass
class Listing:
    """What was found below a folder.

    Args:
        root: data.path.
        follow_links: whether symbolic links may lead out of it.
        entries: the image files, in the order of their names.
        left_out: how many files have which other ending.
        outside: links that lead out of the root.
        unreadable: folders that may not be listed.
        empty: class folders without images.
        beside: what lies beside the folders of the stages.
        misplaced: images outside of any class folder.
        faults: what must be mended before the files can be used.
    """

    root: Path
    follow_links: bool
    entries: list[Entry] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    outside: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    misplaced: list[Entry] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    def files(self, folder: Path) -> Iterator[Path]:
        """Walk over the image files below a folder; hidden ones are no data."""
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
                self.left_out["links to nothing, or no files"] += 1
            elif path.suffix.lower() in SUFFIXES:
                yield path
            else:
                self.left_out[path.suffix.lower() or "no ending"] += 1

    def children(self, folder: Path) -> list[Path]:
        """List what lies in a folder and may be used, by name; hidden files are no data."""
        try:
            found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except PermissionError:
            self.unreadable.add(self.name(folder))
            return []
        if self.follow_links:
            return found
        links = [path for path in found if path.is_symlink()]
        out = {p for p in links if not p.resolve().is_relative_to(self.root.resolve())}
        self.outside |= set(map(self.name, out))
        return [path for path in found if path not in out]

    def add_classes(self, top: Path, stage: Split | None) -> None:
        """List the images in each folder of a folder, labelled by its name."""
        for path in self.children(top):
            if not path.is_dir():
                if path.suffix.lower() in SUFFIXES:
                    self.misplaced.append(Entry(path, self.name(path), "", stage))
                continue
            label = unicodedata.normalize("NFC", path.name)  # a Mac writes the same name otherwise
            files = [Entry(f, self.name(f), label, stage) for f in self.files(path)]
            self.entries += files
            self.empty += [] if files else [self.name(path)]

    def name(self, path: Path) -> str:
        """Return a path as it is called below data.path."""
        return path.relative_to(self.root).as_posix()

    def problems(self) -> list[Problem]:
        """List what must be mended before the files can be used."""
        unwritable = [entry.name for entry in self.entries if not _is_utf8(entry.name)]
        kinds = {
            "a link below data.path must not lead out of it": (
                self.outside,
                "copy what it leads to, or type data.follow_links=true if you trust it",
            ),
            "a folder below data.path must be readable": (self.unreadable, "chmod u+rx the folder"),
            "names of files and folders must be UTF-8": (
                [name.encode(errors="backslashreplace").decode() for name in unwritable],
                "rename them, for instance with convmv",
            ),
        }
        return [
            Problem(rule, some_of(names), fix, "D405")
            for rule, (names, fix) in kinds.items()
            if names
        ]

    def findings(self) -> list[Problem]:
        """Say what was left out, and why."""
        counts = [f"{count:,} {end}" for end, count in self.left_out.most_common(MAX_NAMED)]
        kinds = {
            "files below data.path should be images by their names": (
                ", ".join(counts),
                "nothing, if they are none; else give them an ending such as .png",
            ),
            "a class folder should hold images": (
                some_of(self.empty),
                "fill it, or remove it",
            ),
            "nothing should lie beside the folders of the stages": (
                some_of(self.beside),
                "move it into one of them",
            ),
        }
        return [left_out(rule, got, fix) for rule, (got, fix) in kinds.items() if got]


def some_of(names: Collection[str]) -> str:
    """Name the first few, and count them all."""
    more = f", ... ({len(names):,} in all)" if len(names) > MAX_NAMED else ""
    return ", ".join(sorted(names)[:MAX_NAMED]) + more


def left_out(rule: str, got: str, fix: str) -> Problem:
    """Say what is not learnt from."""
    return Problem(rule, f"left out: {got}", fix, "D417")


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
