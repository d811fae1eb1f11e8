"""The files of a project's toolkit: its packages, its rooms, and a record of what they were.

The record has the SHA-256 of each file, so that one that the owner has edited is known.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kindling.rooms import ROOMS

RECORD = Path("src/kindling/RECORD")
# Of src/kindling/template: what only the template itself needs.
HERE_ONLY = ("names.py", "own_project.py", "README.md.in")


def toolkit_packages(rooms: Mapping[str, Any]) -> set[str]:
    """Name the packages in src/ that are the toolkit's: kindling, and those of optional rooms."""
    parts = (file.split("/") for room in rooms.values() for file in room.files)
    return {"kindling"} | {part[1] for part in parts if part[0] == "src"}


def remove_rooms(root: Path, rooms: Iterable[Any]) -> None:
    """Remove the files of rooms, as far as they are there, and what only the template needs."""
    files = [root / file for room in rooms for file in room.files]
    for place in (*files, *(root / "src/kindling/template" / name for name in HERE_ONLY)):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def write_record(root: Path) -> None:
    """Write a line for each file of the toolkit that lies in a project."""
    lines = (f"{digest} {name}\n" for name, digest in sorted(digests(root).items()))
    (root / RECORD).write_text("".join(lines), encoding="utf-8")


def read_record(root: Path) -> dict[str, str]:
    """Return the digest of each file, as it was when the toolkit was put there."""
    lines = (root / RECORD).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition(" ") for line in lines)}


def edited(root: Path) -> list[str]:
    """Name the files of the toolkit that were changed, added or removed since."""
    before, now = read_record(root), digests(root)
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def digests(root: Path) -> dict[str, str]:
    """Return the digest of each file of the toolkit, by its path in the project."""
    packages = (root / "src" / package for package in toolkit_packages(ROOMS))
    files = (file for package in packages for file in package.rglob("*") if file.is_file())
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file != root / RECORD and "__pycache__" not in file.parts
    }
