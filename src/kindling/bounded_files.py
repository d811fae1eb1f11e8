"""Read files of unknown origin: regular ones only, of bounded size, and name what is damaged.

Start-up uses this before torch is imported.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from kindling.errors import DataError, Problem

AGAIN = "copy the bundle again from where it was made, or train again"
SMALL = 2**20  # bytes of a file of settings or scores
# Is given what reads a file's next bytes, and the file's size; raises an InvalidFile.
CheckStart = Callable[[Callable[[int], bytes], int], object]


def damaged(file: Path, got: str, fix: str = AGAIN) -> DataError:
    """Say which file of a run or a bundle cannot be used, and why."""
    name = ascii(str(file))[1:-1]  # a name can hold what a terminal would obey
    return DataError(Problem(f"{name} must be what Kindling wrote", got, fix))


def read_bounded(
    file: Path, limit: int, size: int | None = None, check: CheckStart | None = None
) -> bytes:
    """Read a regular file of at most `limit` bytes (and of `size`, if given), following no link.

    Args:
        file: of a run or a bundle.
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


def read_text(file: Path, limit: int = SMALL) -> str:
    """Read a file of text of at most `limit` bytes; nothing that is a pipe or a device.

    Raises:
        ValueError: it is none.
    """
    if not file.is_file():
        raise ValueError(f"{file.name} is not a file")
    with file.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{file.name} has more than {limit:,} bytes")
    return content.decode("utf-8")


def _open(file: Path) -> int:
    # Without O_NONBLOCK a named pipe would keep us waiting for a writer.
    names = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")  # a system has some of them
    try:
        return os.open(file, os.O_RDONLY | sum(getattr(os, name, 0) for name in names))
    except OSError as error:
        got = "a symbolic link" if file.is_symlink() else f"{error.strerror}"
        raise damaged(file, got) from error
