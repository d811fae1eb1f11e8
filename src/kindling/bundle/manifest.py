"""Read and write the files of a bundle's folder: each whole, bounded, and held to its sha256.

MANIFEST.json lists them. It is written last, so that a folder with one is complete.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kindling.bounded_files import AGAIN, CheckStart, damaged, read_bounded
from kindling.errors import DataError, Problem
from kindling.files import write_atomically
from kindling.json_codec import InvalidFile, check_format, decode, parse, to_bytes
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
OPTIONAL = {"preprocess.skops"}  # images need none


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
        check_format(content, FORMAT)
        manifest: Manifest = decode(Manifest, content, "manifest")
    except InvalidFile as error:
        raise damaged(file, str(error), error.fix or AGAIN) from error
    known, listed = set(LIMITS) - {MANIFEST_FILE}, set(manifest.files)
    for name in sorted(listed - known):
        raise damaged(file, f"a file {ascii(name)[:60]} in its list, which no bundle has")
    for name in sorted(known - OPTIONAL - listed):
        raise damaged(file, f"no {name} in its list")
    present = {file.name for file in folder.iterdir()} - {MANIFEST_FILE}
    for name in sorted(present - listed):
        raise damaged(folder / name, "a file that the manifest does not list", "delete it")
    return manifest
