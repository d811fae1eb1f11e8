"""Hold large files to checksums of their blocks, so that damage is named by its place."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kindling.bounded_files import damaged

BLOCK_BYTES = 1 << 26
VERIFIED_BYTES = 1 << 32  # of one file that are read at every start: 2 to 4 s; of more, a part
AGAIN = "copy the set again from where it was prepared, or prepare it again"


@dataclass(frozen=True)
class FileBlocks:
    """How many bytes a file has, and the SHA-256 of each of its blocks."""

    size: int
    sha256: tuple[str, ...]


def describe(file: Path) -> FileBlocks:
    """Read a file once, and describe it."""
    size = file.stat().st_size
    numbers = range(-(-size // BLOCK_BYTES))
    return FileBlocks(size, tuple(_hashes(file, numbers)))


def verify(file: Path, promised: FileBlocks, row_bytes: int = 0) -> None:
    """Raise a DataError that names the first block of a file that is not what was written.

    Args:
        file: of a set.
        promised: what its list of files says.
        row_bytes: of an array, so that its rows are named, too.
    """
    if not file.is_file():
        raise damaged(file, "no such file", AGAIN)
    if (size := file.stat().st_size) != promised.size:
        raise damaged(file, f"{size:,} bytes instead of {promised.size:,}", AGAIN)
    count = len(promised.sha256)
    some = range(0, count, max(1, -(-promised.size // VERIFIED_BYTES)))
    for number, found in zip(some, _hashes(file, some), strict=True):
        if found != promised.sha256[number]:
            got = f"other bytes in block {number + 1} of {count}"
            first, last = (k * BLOCK_BYTES // max(1, row_bytes) for k in (number, number + 1))
            got += f", near rows {first:,} to {last:,}" if row_bytes else ""
            raise damaged(file, got, AGAIN)


def _hashes(file: Path, numbers: range) -> Iterator[str]:
    """Hash blocks of a file, several at once: hashlib lets other threads go on."""

    def hash_block(number: int) -> str:
        with file.open("rb") as stream:
            stream.seek(number * BLOCK_BYTES)
            return hashlib.sha256(stream.read(BLOCK_BYTES)).hexdigest()

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        yield from pool.map(hash_block, numbers)


def write_array(file: Path, array: np.ndarray) -> None:
    """Write an array as .npy, piece by piece: it may be larger than memory."""
    with file.open("wb") as stream:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(stream, header)
        rows = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            stream.write(np.ascontiguousarray(array[start : start + rows]).data)


def map_array(file: Path, dtypes: str, shape: tuple[int, ...]) -> Any:
    """Map an array into memory, its rows addressable by number; refuse another than promised.

    Args:
        file: whose bytes were verified.
        dtypes: kinds of NumPy that it may have, such as "f".
        shape: that it must have.
    """
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise damaged(file, str(error).splitlines()[0], AGAIN) from error
    if array.shape != shape or array.dtype.kind not in dtypes:
        raise damaged(file, f"{array.dtype} {array.shape} instead of {shape}", AGAIN)
    return array
