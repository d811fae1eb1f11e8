"""Read and write the files of a bundle's folder: each whole, bounded, and held to its sha256.

MANIFEST.json lists them. It is written last, so that a folder with one is complete.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kindling.bundle.json_codec import InvalidFile, decode, parse, to_bytes
from kindling.errors import DataError, Problem
from kindling.files import write_atomically
from kindling.runs import MANIFEST_FILE

FORMAT = 3
MB = 2**20
# The largest that each file may be; what is read is held in memory once.
LIMITS = {
    MANIFEST_FILE: MB // 8,
    "config.json": MB // 8,
    "metrics.json": MB,
    "schema.json": 32 * MB,
    "preprocess.skops": 128 * MB,
    "model.safetensors": 16 * 1024 * MB,
}
# Is given what reads a file's next bytes, and the file's size; raises an InvalidFile.
CheckStart = Callable[[Callable[[int], bytes], int], object]
OPTIONAL = {"preprocess.skops"}  # images need none
AGAIN = "copy the bundle again from where it was made, or train again"


@dataclass(frozen=True)
class FileEntry:
    """What the manifest says of a file."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The list of a bundle's files.

    Args:
        format: raised whenever older or newer releases could read something else in the files.
        created_with: package -> version.
        files: by their names.
    """

    format: int
    created_with: dict[str, str]
    files: dict[str, FileEntry]


def damaged(file: Path, got: str, fix: str = AGAIN) -> DataError:
    """Say which file of a bundle cannot be used, and why."""
    name = ascii(str(file))[1:-1]  # a name can hold what a terminal would obey
    return DataError(Problem(f"{name} must be what Kindling wrote", got, fix))


def write_files(folder: Path, files: Mapping[str, bytes], created_with: Mapping[str, str]) -> None:
    """Write a bundle so that a reader sees the old one, none, or the whole new one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    for name in set(LIMITS) - set(files):
        (folder / name).unlink(missing_ok=True)
    entries = {}
    for name, content in files.items():
        write_atomically(folder / name, content)
        entries[name] = FileEntry(hashlib.sha256(content).hexdigest(), len(content))
    manifest = asdict(Manifest(FORMAT, dict(created_with), entries))
    write_atomically(folder / MANIFEST_FILE, to_bytes(manifest))


def read_listed(
    folder: Path, manifest: Manifest, name: str, check: CheckStart | None = None
) -> bytes:
    """Read a file that the manifest lists, and hold it to its sha256.

    Args:
        folder: of the bundle.
        manifest: of the folder, from `read_manifest`.
        name: of the file.
        check: sees the first bytes before the whole is read into memory.
    """
    entry = manifest.files[name]
    content = read_bounded(folder / name, LIMITS[name], entry.size, check)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise damaged(folder / name, "other bytes than the manifest's sha256 was made of")
    return content


def read_manifest(folder: Path) -> Manifest:
    """Read the list of a bundle's files, and refuse a folder that holds anything else."""
    if not folder.is_dir():
        got = f"no folder {folder}"
        raise DataError(Problem("a bundle is a folder", got, "give the folder of a finished run"))
    file = folder / MANIFEST_FILE
    try:
        content = parse(read_bounded(file, LIMITS[MANIFEST_FILE]))
        found = content.get("format") if isinstance(content, dict) else None
        if type(found) is int and found != FORMAT:
            fix = "upgrade Kindling" if found > FORMAT else "train again: the format has changed"
            raise damaged(file, f"format {found}; this Kindling reads format {FORMAT}", fix)
        manifest: Manifest = decode(Manifest, content, "manifest")
    except InvalidFile as error:
        raise damaged(file, str(error)) from error
    known, listed = set(LIMITS) - {MANIFEST_FILE}, set(manifest.files)
    for name in sorted(listed - known):
        raise damaged(file, f"a file {ascii(name)[:60]} in its list, which no bundle has")
    for name in sorted(known - OPTIONAL - listed):
        raise damaged(file, f"no {name} in its list")
    present = {file.name for file in folder.iterdir()} - {MANIFEST_FILE}
    for name in sorted(present - listed):
        raise damaged(folder / name, "a file that the manifest does not list", "delete it")
    return manifest


def read_bounded(
    file: Path, limit: int, size: int | None = None, check: CheckStart | None = None
) -> bytes:
    """Read a regular file of at most `limit` bytes (and of `size`, if given), following no link.

    Args:
        file: of a bundle.
        limit: in bytes.
        size: in bytes, where it is known.
        check: sees the first bytes before the whole is read into memory.
    """
    descriptor = _open(file)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise damaged(file, "no regular file")
        if status.st_size > limit:
            raise damaged(file, f"{status.st_size:,} bytes, more than {limit:,}")
        if size is not None and status.st_size != size:
            raise damaged(file, f"{status.st_size:,} bytes instead of {size:,}")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            if check is not None:
                check(stream.read, status.st_size)
                stream.seek(0)
            return stream.read(status.st_size)
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    # Without O_NONBLOCK a named pipe would keep us waiting for a writer.
    names = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")  # a system has some of them
    try:
        return os.open(file, os.O_RDONLY | sum(getattr(os, name, 0) for name in names))
    except OSError as error:
        got = "a symbolic link" if file.is_symlink() else f"{error.strerror}"
        raise damaged(file, got) from error
