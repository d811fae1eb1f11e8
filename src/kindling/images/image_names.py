"""Find the image that a table names: below data.path, however the name is written there.

A name may lack its ending or the folder that the image lies in, may have another case, or come from
Windows, a Mac or another machine. It is taken where one image alone can be meant.
"""

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kindling.formatting import first_few
from kindling.images.file_types import SUFFIXES

SIMILAR = 0.7  # from 0 to 1
ZEROS = "without leading zeros"


class Found(NamedTuple):
    """What a name means: the images that it may stand for, and how it differs from their names."""

    paths: tuple[Path, ...]
    how: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it was found as a number that lacks the zeros of the image's name."""
        return self.how == ZEROS


class ImageNames:
    """The images below a folder, by their names.

    Args:
        files: path below the folder, as it is written there -> where it is.
        root: the folder.
        beside: where the table lies: names may count from there.
        suffixes: endings of the files that are images.
    """

    def __init__(
        self,
        files: Iterable[tuple[str, Path]],
        root: Path,
        beside: Path,
        suffixes: frozenset[str] = frozenset(SUFFIXES),
    ) -> None:
        self.root, self.beside, self.suffixes = root, beside, suffixes
        self.exact: dict[str, Path] = {}
        self.by_last: dict[str, list[tuple[str, Path]]] = defaultdict(list)  # in any case
        self.by_number: dict[int, list[Path]] = defaultdict(list)
        for written, path in files:
            name = unicodedata.normalize("NFC", written)
            self.exact[name] = path
            last = name.rpartition("/")[2]
            stem = last.rpartition(".")[0] or last
            for key in {last.casefold(), stem.casefold()}:
                self.by_last[key].append((name, path))
            if stem.isdecimal():
                self.by_number[int(stem)].append(path)

    def find(self, name: str) -> Found:
        """Look a name up: as it is, without its ending, in another case, folder or machine."""
        wanted = posix(name)
        if wanted in self.exact:
            return Found((self.exact[wanted],))
        for how, tail in self._readings(wanted):
            # Without its ending, a name may mean several files: all of them are told.
            same = self._ending_in(tail, how)
            if same:
                return Found(tuple(sorted(set(same))), how)
        path = self.beside / name.strip().replace("\\", "/")
        if path.suffix.lower() in self.suffixes and path.is_file():
            return Found((path,))
        if wanted.isdecimal():
            return Found(tuple(self.by_number.get(int(wanted), ())), ZEROS)
        return Found(())

    def _readings(self, wanted: str) -> Iterator[tuple[str, str]]:
        """Give what a name may stand for, the likeliest first."""
        yield "", wanted
        yield "in another case", wanted
        yield "in a folder below data.path", wanted
        # photos/a/1.png, seen from elsewhere: what stands behind the folder's own name counts.
        parts = PurePosixPath(wanted).parts
        for place in range(len(parts) - 1, 0, -1):
            if parts[place - 1].casefold() == self.root.absolute().name.casefold():
                yield "by paths of another folder or machine", "/".join(parts[place:])

    def _ending_in(self, wanted: str, how: str) -> Iterator[Path] | list[Path]:
        pure = PurePosixPath(wanted)
        is_exact, is_below = how == "", how == "in a folder below data.path"
        found = []
        for name, path in self.by_last.get(pure.name.casefold(), ()):
            stem = name[: -len(PurePosixPath(name).suffix)] if "." in name else name
            for whole in (name, stem):
                is_same = whole == wanted if is_exact else whole.casefold() == wanted.casefold()
                is_inside = is_below and whole.casefold().endswith(f"/{wanted.casefold()}")
                if is_same or is_inside:
                    found.append(path)
                    break
        return found

    def hint(self, name: str) -> str:
        """Return the name of an image that may have been meant; "" for none."""
        wanted = PurePosixPath(posix(name))
        same = self.by_last.get(wanted.name.casefold()) or self.by_last.get(wanted.stem.casefold())
        if same:
            return first_few((below for below, _ in same), 2, separator=" or ")
        near = difflib.get_close_matches(str(wanted), list(self.exact)[:1000], 1, SIMILAR)
        return near[0] if near else ""


def posix(name: str) -> str:
    """Write a path alike wherever it comes from: Windows, a Mac, or with a dot in front."""
    text = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return PurePosixPath(text).as_posix()
