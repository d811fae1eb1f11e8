"""List the files and folders below data.path: what are images, and what is left out or in the way.

`class_folders.py` takes the labels from the names of folders, `labels_file.py` from a table.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from kindling.errors import ConfigError, Problem
from kindling.files import is_url
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few, printable
from kindling.images.file_types import EXTRA, SUFFIXES
from kindling.types import Split

# What systems and archives leave behind, beside names that begin with a dot.
LEFTOVERS = frozenset(("__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini", "lost+found"))
# The first bytes of images, for what has the ending of none: (where, bytes, what it is).
SIGNATURES = (
    *((0, b"\xff\xd8\xff", "JPEG"), (0, b"\x89PNG", "PNG"), (0, b"GIF8", "GIF")),
    *((0, b"BM", "BMP"), (0, b"II*\0", "TIFF"), (0, b"MM\0*", "TIFF"), (8, b"WEBP", "WebP")),
    *((4, b"ftyphei", "HEIC"), (4, b"ftypmif1", "HEIC"), (4, b"ftypavif", "AVIF")),
)
PHONES = {"HEIC", "AVIF"}


def refuse_urls(places: Mapping[str, object]) -> None:
    """Raise a ConfigError where images are looked for at a URL.

    Args:
        places: what was typed, by its key.
    """
    urls = [f"{key}={printable(str(place))}" for key, place in places.items() if is_url(place)]
    if urls:
        rule = "images, and the table that names them, are read from this machine"
        fix = "copy them into a folder, and give that"
        raise ConfigError(Problem(rule, ", ".join(urls), fix))


class ListedImage(NamedTuple):
    """One image file: where it is, its path below data.path, its label, its split and its group."""

    file: Path
    name: str
    label: str
    split: Split | None
    group: str = ""


@dataclass
class Folder:
    """A folder with the images in it and the folders in it, by name; what may not be used is out.

    Args:
        path: of the folder.
        inside: image files and folders, in the order of their names.
    """

    path: Path
    inside: list["Path | Folder"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def images(self) -> list[Path]:
        """The image files that lie in it directly."""
        return [each for each in self.inside if isinstance(each, Path)]

    @property
    def folders(self) -> list["Folder"]:
        """The folders in it that hold images, however deep."""
        return [each for each in self.inside if isinstance(each, Folder) and each.holds_images]

    @property
    def holds_images(self) -> bool:
        return next(self.walk(), None) is not None

    def walk(self) -> Iterator[Path]:
        """Give all image files in it and below, in the order of their names."""
        for each in self.inside:
            if isinstance(each, Folder):
                yield from each.walk()
            else:
                yield each


@dataclass
class Listing:
    """What was found below a folder.

    Args:
        root: data.path.
        follow_links: whether symbolic links may lead out of it.
        suffixes: endings of the files that are images.
        ignore: patterns of names, or of paths below the root, that are left out as asked.
        called: what to call the root in a message.
        labels: the table of labels: where it lies among the images, it is not left out.
        entries: the image files, in the order of their names.
        notes: what was decided on the way, for the plan.
        other_files: how many files have which other ending.
        examples: the first file of each of these endings.
        ignored: how many files and folders each pattern left out.
        outside: links that lead out of the root.
        unreadable: folders that may not be listed.
        empty: class folders without images.
        beside: what lies beside the folders of the splits.
        misplaced: images outside of any class folder.
        faults: what must be mended before the files can be used.
        doubts: what was read in one of two possible ways.
    """

    root: Path
    follow_links: bool = False
    suffixes: frozenset[str] = frozenset(SUFFIXES)
    ignore: Sequence[str] = ()
    called: str = "data.path"
    labels: Path | None = None
    entries: list[ListedImage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Path] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    outside: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    misplaced: list[ListedImage] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)

    def scan(self, path: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Folder:
        """Find the images in a folder and in those below it."""
        folder = Folder(path)
        place = path.stat()
        identity = (place.st_dev, place.st_ino)
        if identity in above:
            return folder  # a link to a folder above it
        for entry in self._children(path):
            inner = path / entry.name
            if entry.is_dir():
                folder.inside.append(self.scan(inner, above | {identity}))
            elif not entry.is_file():
                self.other_files["links to nothing, or no files"] += 1
            elif inner.suffix.lower() in self.suffixes:
                folder.inside.append(inner)
            elif self.labels is None or not inner.samefile(self.labels):
                end = inner.suffix.lower() or "no ending"
                self.other_files[end] += 1
                self.examples.setdefault(end, inner)
        return folder

    def _children(self, folder: Path) -> list[os.DirEntry[str]]:
        """List what lies in a folder and may be used, by name."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except PermissionError:
            self.unreadable.add(self.name(folder))
            return []
        return [entry for entry in found if not is_hidden(entry.name) and self._is_allowed(entry)]

    def is_ignored(self, path: Path) -> bool:
        """Say whether a pattern leaves a file or folder out, and count it."""
        for pattern in self.ignore:
            names = (path.name, self.name(path) if path.is_relative_to(self.root) else "")
            if any(fnmatchcase(name, pattern.rstrip("/")) for name in names):
                self.ignored[pattern] += 1
                return True
        return False

    def _is_allowed(self, entry: os.DirEntry[str]) -> bool:
        if self.ignore and self.is_ignored(Path(entry.path)):
            return False
        # A folder from elsewhere, unpacked, might link to files that are nobody's to publish.
        if entry.is_symlink() and not self.follow_links:
            path = Path(entry.path)
            if not path.resolve().is_relative_to(self.root.resolve()):
                self.outside.add(self.name(path))
                return False
        return True

    def name(self, path: Path) -> str:
        """Return a path as it is called below data.path."""
        return path.relative_to(self.root).as_posix()

    def problems(self) -> list[Problem]:
        """List what must be mended before the files can be used."""
        not_utf8 = [entry.name for entry in self.entries if not _is_utf8(entry.name)]
        rules: dict[str, tuple[Sequence[str], Fix]] = {
            f"a link below {self.called} must not lead out of it": (
                sorted(self.outside),
                ("copy what it leads to", Setting("data.follow_links", True, "if you trust it")),
            ),
            f"a folder below {self.called} must be readable": (
                sorted(self.unreadable),
                "chmod u+rx the folder",
            ),
            "names of files and folders must be UTF-8": (
                [name.encode(errors="backslashreplace").decode() for name in not_utf8],
                "rename them, for instance with convmv",
            ),
        }
        absent: dict[str, tuple[Sequence[str], Fix]] = {
            f"data.ignore must name files or folders below {self.called}, or columns of labels": (
                [pattern for pattern in self.ignore if not self.ignored[pattern]],
                "correct the pattern, such as masks or '*_mask.png', or leave it out",
            )
        }
        return problems_by_rule(rules, "D405") + problems_by_rule(absent, "D420")

    def findings(self) -> list[Problem]:
        """Say what was left out, and why, and what was read in one of two ways."""
        rules: dict[str, tuple[Sequence[str], Fix]] = {
            f"files below {self.called} should be images by their names": (
                other_files(self.other_files),
                what_to_do(self.examples.values()),
            ),
            "a class folder should hold images": (self.empty, "fill it, or remove it"),
            "nothing should lie beside the folders train, val and test": (
                self.beside,
                "move it into one of them",
            ),
        }
        return problems_by_rule(rules, "D417", "left out: ") + self.doubts

    def ignored_note(self) -> list[str]:
        """Say for the plan what data.ignore has left out."""
        counts = [f"{pattern} {number:,}" for pattern, number in self.ignored.items()]
        return [f"left out by data.ignore: {', '.join(counts)}"] if counts else []


def other_files(counts: Counter[str]) -> list[str]:
    """Write how many files of each ending are no images: 40 .heic."""
    return [f"{number:,} {end}" for end, number in counts.most_common()]


def is_hidden(name: str) -> bool:
    """Say whether a file or folder is none of the user's: hidden, or left behind by a system."""
    return name.startswith(".") or name in LEFTOVERS


def problems_by_rule(
    rules: Mapping[str, tuple[Sequence[str], Fix]], code: str, prefix: str = ""
) -> list[Problem]:
    """Make a problem of each rule that some files break; `rules` gives their names and the fix."""
    return [
        Problem(rule, prefix + first_few(names), fix, code, count=len(names))
        for rule, (names, fix) in rules.items()
        if names
    ]


def holds(path: Path) -> str:
    """Say by its first bytes which kind of image a file holds; "" for none."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return ""
    return next((name for at, sign, name in SIGNATURES if start[at:].startswith(sign)), "")


def what_to_do(examples: Iterable[Path]) -> str:
    """Say what to do with files whose endings are no images', by what they hold."""
    kinds = {holds(path): path for path in examples}
    kinds.pop("", None)
    advice = []
    if phone := sorted(kinds.keys() & PHONES):
        advice.append(f"save the {' and '.join(phone)} images as JPEG, or {EXTRA}")
    if others := sorted(kinds.keys() - PHONES):
        first = kinds[others[0]]
        name = f"{first.name}.{others[0].lower()}"
        advice.append(f"{first.name} holds a {others[0]} image: call it {name}, and so the others")
    return "; ".join(advice) or "nothing, if they are none"


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
