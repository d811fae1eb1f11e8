"""Image files in; their pixels, decoded once and alike, out: from the cache where it has them."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TypeVar

import numpy as np
import PIL
from tqdm import tqdm

from kindling.errors import DataError, Problem, gathered
from kindling.images.cache import (
    Blocks,
    ImageCache,
    cache_folder,
    digest,
    in_memory,
    key_of,
    read_cache,
    write_cache,
)
from kindling.images.common_size import Options, choose, resized
from kindling.images.decode import Header, decode, read_header
from kindling.images.listing import Entry
from kindling.images.schema import ImageSchema
from kindling.images.warnings import odd_headers, summarise

PART = 8  # files that a thread takes at once: handing over costs as much as a small image
BLOCK, BLOCK_BYTES = 512, 64 << 20  # images that are decoded before they are written away, at most
# With fewer files and pixels than these, decoding takes a second and is not worth a file.
CACHED_FILES, CACHED_PIXELS = 2_000, 50_000_000
T = TypeVar("T")
R = TypeVar("R")
VERSION = 3  # of how files are decoded; another one makes every cache anew


def read_images(entries: list[Entry], options: Options, cache: str) -> ImageCache:
    """Decode all files, or map what an earlier run decoded of the very same files.

    Args:
        entries: the files.
        options: what is asked of them all.
        cache: "none", "auto" (the user's cache folder, for what takes time), or a folder.

    Raises:
        DataError: files that cannot be used, a few of each kind named.
    """
    folder = cache_folder(cache)
    place = None if folder is None else folder / _key(entries, options)
    album = None if place is None else read_cache(place)
    if album is not None:
        return _with_note(album, f"pixels from {place}")
    headers, problems = look_at(entries, options.max_pixels)
    if problems:
        raise DataError(*_faults(entries, headers, options, problems))
    schema = choose(headers, options)
    found = odd_headers(entries, headers, schema)
    about = {
        "schema": asdict(schema),
        "notes": resized(headers, schema),
        "findings": [asdict(problem) for problem in found],
    }
    shape = (len(entries), schema.channels, schema.height, schema.width)

    def blocks() -> Blocks:
        return decode_blocks(entries, headers, schema, options.max_pixels, problems)

    if place is None or not (cache != "auto" or _takes_time(headers)):
        return in_memory(shape, about, blocks())
    try:
        album = write_cache(place, shape, about, blocks())
    except OSError as error:
        reason = f"no cache in {cache}: {error.strerror or error}"
        return _with_note(in_memory(shape, about, blocks()), reason)
    return _with_note(album, f"pixels kept in {place} ({album.images.nbytes / 1e6:,.0f} MB)")


def find_faults(entries: list[Entry], options: Options) -> list[Problem]:
    """Decode all files without keeping their pixels; list which of them cannot be used."""
    headers, problems = look_at(entries, options.max_pixels)
    return _faults(entries, headers, options, problems)


def look_at(entries: list[Entry], max_pixels: int) -> tuple[list[Header | None], list[Problem]]:
    """Read the headers of all files; None and a problem where there is none to be read."""

    def look(entry: Entry) -> Header | Problem:
        try:
            return read_header(entry.file, max_pixels=max_pixels)
        except DataError as error:
            return error.problems[0]

    found = list(in_parallel(look, entries, "looking at images"))
    headers = [each if isinstance(each, Header) else None for each in found]
    return headers, [each for each in found if isinstance(each, Problem)]


def decode_blocks(
    entries: list[Entry],
    headers: list[Header | None],
    schema: ImageSchema,
    max_pixels: int,
    problems: list[Problem],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images and their content_hashes; raise a DataError with all problems behind the last one."""
    problems = list(problems)
    blank = np.zeros((schema.channels, schema.height, schema.width), np.uint8)

    def read(pair: tuple[Entry, Header | None]) -> tuple[np.ndarray, int]:
        if pair[1] is None:
            return blank, 0
        try:
            image = decode(pair[0].file, schema, max_pixels=max_pixels)
        except DataError as error:
            problems.extend(error.problems)
            return blank, 0
        return image, digest(image)

    pairs = list(zip(entries, headers, strict=True))
    block = min(BLOCK, max(1, BLOCK_BYTES // blank.nbytes))
    found = in_parallel(read, pairs, "decoding images", block)
    for start in range(0, len(pairs), block):
        images, content_hashes = zip(
            *(next(found) for _ in pairs[start : start + block]), strict=True
        )
        yield np.stack(images), np.array(content_hashes, dtype=np.uint64)
    if problems:
        raise DataError(*summarise(problems))


def _faults(
    entries: list[Entry], headers: list[Header | None], options: Options, problems: list[Problem]
) -> list[Problem]:
    """List what was wrong with headers and is with the pixels behind the others."""
    if not any(headers):
        return summarise(problems)
    found: list[Problem] = []
    schema = choose(headers, options)
    with gathered(found):
        deque(decode_blocks(entries, headers, schema, options.max_pixels, problems), maxlen=0)
    return found


def in_parallel(
    work: Callable[[T], R], items: list[T], what: str, block: int = BLOCK
) -> Iterator[R]:
    """Do the same to all items in order, a block ahead, with a bar where a person looks.

    A thread for each core: Pillow lets go of the interpreter while it decodes and resizes. Two
    decode photos 1.9 times as fast as one; small images gain little, by processes as by threads.
    """

    def work_on(part: list[T]) -> list[R]:
        return [work(item) for item in part]

    bar = tqdm(total=len(items), desc=what, unit=" files", disable=None, leave=False)
    with bar, ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), block):
            some = items[start : start + block]
            parts = [some[k : k + PART] for k in range(0, len(some), PART)]
            for done in pool.map(work_on, parts):
                yield from done
            bar.update(len(some))


def _key(entries: list[Entry], options: Options) -> str:
    """Name the cache of these files as they are now, decoded in this way.

    Where they lie belongs to it: files of another folder may have the same names, sizes and times.
    """
    lines = [f"{VERSION} {PIL.__version__} {options}"]
    for entry in entries:
        stat = entry.file.stat()
        lines.append(f"{entry.file.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}")
    return key_of(lines)


def _takes_time(headers: list[Header | None]) -> bool:
    pixels = sum(header.height * header.width for header in headers if header is not None)
    return len(headers) >= CACHED_FILES or pixels >= CACHED_PIXELS


def _with_note(album: ImageCache, note: str) -> ImageCache:
    return album._replace(about={**album.about, "notes": [*album.about["notes"], note]})
