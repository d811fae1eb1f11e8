"""Write a file atomically: it is there whole, or what was there before it stays, come what may.

The one way in which files are written here. A write costs an fsync: about 5 ms on a laptop's SSD.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PART = ".part"  # how a file's name ends while it is written


def at_home(path: str | Path) -> Path:
    """Return a path whose first ~ is the home folder, as a shell reads it."""
    return Path(path).expanduser() if str(path).startswith("~") else Path(path)


def is_url(path: object) -> bool:
    """Say whether a path is an address of a store, such as s3://bucket/table.parquet."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(path)))


def user_cache() -> Path:
    """Return the folder of the user's cache: what lies there can be made anew."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kindling"


def write_atomically(file: Path, content: bytes | str) -> None:
    """Replace a file, or make it, in a folder that is there; text is written as UTF-8."""
    with open_atomically(file) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def open_atomically(file: Path, named: Callable[[], Path] | None = None) -> Iterator[BinaryIO]:
    """Open a stream whose content takes the file's place when the block ends without an error.

    Until then it is kept beside the file as `.NAME.part`, which an error or Ctrl-C removes. What
    is no regular file, such as /dev/stdout, is written to as it is. `named` gives another file of
    that folder, whose name is known only when everything is written.
    """
    if file.exists() and not file.is_file() and not file.is_dir():
        with file.open("wb") as stream:
            yield stream
        return
    part = file.with_name(f".{file.name}{PART}")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())  # before the name changes: else a crash leaves an empty file
        part.replace(named() if named else file)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a changed name to the disk, where the system can: Windows and some disks cannot."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
