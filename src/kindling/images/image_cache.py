"""Keep decoded images in a file that the next run maps into memory, where it would decode for long.

An entry of the cache is a folder of three files, written as a whole or not at all. What is damaged
is found when it is read, and made anew.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8, UInt64

from kindling.files import user_cache
from kindling.images.arrays import content_hash
from kindling.images.image_schema import Dtype

IMAGES, HASHES, ABOUT = "images.npy", "content_hashes.npy", "about.json"
VERIFIED_BYTES = 256 << 20  # of pixels that are hashed again at every start: 0.3 s
STALE_S = 24 * 3600.0  # a folder that was left half written for so long belongs to no run


class DecodedImages(NamedTuple):
    """N decoded images.

    Args:
        images: uint8 or float32 (N, channels, H, W), in memory or mapped from the cache.
        content_hashes: uint64 (N,): a hash of each image's pixels.
        about: plain values that belong to them.
    """

    images: (
        UInt8[np.ndarray, "rows channels height width"]
        | Float32[np.ndarray, "rows channels height width"]
    )
    content_hashes: UInt64[np.ndarray, " rows"]
    about: dict[str, Any]


Blocks = Iterable[tuple[np.ndarray, np.ndarray]]  # images and their content hashes, in order


def cache_folder(word: str) -> Path | None:
    """Return where the cache lies: "none", "auto" (the user's cache folder), or a folder."""
    if word == "none":
        return None
    if word != "auto":
        return Path(word)
    return user_cache()


def read_cache(entry: Path) -> DecodedImages | None:
    """Map a cache into memory, or return None where there is none that holds what it promises."""
    try:
        cached = _map(entry)
    except Exception:  # a damaged file can raise anything in numpy's and json's readers
        return None
    rows, size = cached.images.shape[0], cached.images[:1].nbytes
    some = range(0, rows, max(1, rows * size // VERIFIED_BYTES))
    is_whole = all(content_hash(cached.images[row]) == cached.content_hashes[row] for row in some)
    return cached if is_whole else None


def write_cache(
    entry: Path,
    shape: tuple[int, int, int, int],
    dtype: Dtype,
    about: dict[str, Any],
    blocks: Blocks,
) -> DecodedImages:
    """Write blocks of images as one cache, which is there as a whole or not at all.

    Raises:
        OSError: it cannot be written, for instance because the disk is full.
    """
    entry.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(entry.parent)
    part = Path(tempfile.mkdtemp(prefix=f"{entry.name}.", suffix=".part", dir=entry.parent))
    try:
        # The pixels go straight to the file: all of them may not fit into memory.
        with (part / IMAGES).open("wb") as file:
            header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            content_hashes = np.concatenate(list(_write(file, blocks)))
            file.flush()
            os.fsync(file.fileno())
        np.save(part / HASHES, content_hashes)
        about = {**about, "shape": list(shape), "dtype": dtype}
        checked = {**about, "sum": _checksum(about, content_hashes)}
        text = json.dumps(checked, ensure_ascii=False, indent=1)
        (part / ABOUT).write_text(text, encoding="utf-8")
        _rename(part, entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _map(entry)


def read_into_memory(
    shape: tuple[int, int, int, int], dtype: Dtype, about: dict[str, Any], blocks: Blocks
) -> DecodedImages:
    """Collect blocks of images without a cache."""
    images, content_hashes = np.empty(shape, dtype), np.empty(shape[0], np.uint64)
    start = 0
    for block, found in blocks:
        images[start : start + len(block)] = block
        content_hashes[start : start + len(block)] = found
        start += len(block)
    return DecodedImages(images, content_hashes, about)


def _write(file: Any, blocks: Blocks) -> Iterator[np.ndarray]:
    for block, content_hashes in blocks:
        file.write(block.data)
        yield content_hashes


def _map(entry: Path) -> DecodedImages:
    """Map the pixels and check their shape against what is written beside them."""
    about = json.loads((entry / ABOUT).read_text(encoding="utf-8"))
    expected, shape = about.pop("sum"), tuple(about["shape"])
    content_hashes = np.load(entry / HASHES, allow_pickle=False)
    # Read only: a private copy of more than fits into memory would not be granted.
    images = np.load(entry / IMAGES, mmap_mode="r", allow_pickle=False)
    is_sound = (
        expected == _checksum(about, content_hashes)
        and (images.shape, images.dtype.str) == (shape, np.dtype(about["dtype"]).str)
        and images.flags.c_contiguous
        and (entry / IMAGES).stat().st_size == images.offset + images.nbytes
    )
    if not is_sound:
        raise ValueError(f"{entry} is damaged")
    return DecodedImages(images, content_hashes, about)


def _checksum(about: dict[str, Any], content_hashes: np.ndarray) -> str:
    text = json.dumps(about, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode() + content_hashes.tobytes()).hexdigest()


def _rename(part: Path, entry: Path) -> None:
    """Give a finished folder its name; one of another run may be there, sound or not."""
    if entry.exists() and read_cache(entry) is None:
        damaged = part.with_suffix(".damaged.part")
        with suppress(OSError):
            entry.rename(damaged)
        shutil.rmtree(damaged, ignore_errors=True)
    try:
        part.rename(entry)
    except OSError:
        if read_cache(entry) is None:
            raise


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_S:
                shutil.rmtree(path, ignore_errors=True)
