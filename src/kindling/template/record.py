"""The record of a project's toolkit: the SHA-256 of each file, so that an edited one is known."""

import hashlib
from pathlib import Path

RECORD = Path("src/kindling/RECORD")


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
    files = (file for file in (root / RECORD).parent.rglob("*") if file.is_file())
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file != root / RECORD and "__pycache__" not in file.parts
    }
