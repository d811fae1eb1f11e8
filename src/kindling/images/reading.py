"""Read all image files of a data set in parallel, once: later runs map them from the image cache.

Files that cannot be used are named, a few of each fault; what is unusual about the others is said.
"""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TypeVar

import numpy as np
import PIL
from tqdm import tqdm

from kindling.errors import DataError, Problem, gathered
from kindling.formatting import first_few
from kindling.images.arrays import content_hash
from kindling.images.decoding import decode, read_header, read_range
from kindling.images.header_findings import (
    deep_rows,
    describe_numbers,
    header_faults,
    lost_steps,
    unusual_headers,
)
from kindling.images.image_cache import (
    Blocks,
    DecodedImages,
    cache_folder,
    read_cache,
    read_into_memory,
    write_cache,
)
from kindling.images.image_schema import (
    ImageHeader,
    ImageOptions,
    ImageSchema,
    choose_schema,
)
from kindling.images.listing import ListedImage
from kindling.kept_findings import findings_to_plain

TASK_FILES = 8  # files that a thread takes at once: handing over costs as much as a small image
BLOCK, BLOCK_BYTES = 512, 64 << 20  # images that are decoded before they are written away, at most
# With fewer files and pixels than these, decoding takes a second and is not worth a file.
CACHED_FILES, CACHED_PIXELS = 2_000, 50_000_000
VERSION = 5  # of how files are decoded and what the cache holds; another one makes it anew
T = TypeVar("T")
R = TypeVar("R")


def read_images(entries: list[ListedImage], options: ImageOptions, cache: str) -> DecodedImages:
    """Decode all files, or map what an earlier run decoded of the very same files.

    Args:
        entries: the files.
        options: what is asked of them all.
        cache: "none", "auto" (the user's cache folder, for what takes time), or a folder.

    Returns:
        The images; `about` holds their schema, notes for the plan and findings, as plain values.

    Raises:
        DataError: files that cannot be used, a few of each fault named.
    """
    folder = cache_folder(cache)
    place = None if folder is None else folder / _entry_name(entries, options)
    cached = None if place is None else read_cache(place)
    if cached is not None:
        return _with_note(cached, f"pixels from {place}")

    # All headers before any pixels: they decide the size, and cost little.
    headers, problems = read_headers(entries, options.max_pixels, options.page)
    if problems:
        raise DataError(*_faults(entries, headers, options, problems))
    other_bands = header_faults(entries, headers, options)
    if other_bands:
        raise DataError(*other_bands)
    schema, found = _with_range(entries, headers, choose_schema(headers, options))
    found += unusual_headers(entries, headers, schema, options)
    about = {
        "schema": asdict(schema),
        "notes": describe_numbers(headers, schema, options),
        "findings": findings_to_plain(found),
    }
    shape, dtype = (len(entries), *schema.shape), schema.dtype

    def blocks() -> Blocks:
        return decode_blocks(entries, headers, schema, options.max_pixels, problems)

    if place is None or (cache == "auto" and not _takes_time(headers)):
        return read_into_memory(shape, dtype, about, blocks())
    try:
        images = write_cache(place, shape, dtype, about, blocks())
    except OSError as error:
        reason = f"no cache in {cache}: {error.strerror or error}"
        return _with_note(read_into_memory(shape, dtype, about, blocks()), reason)
    return _with_note(images, f"pixels kept in {place} ({images.images.nbytes / 1e6:,.0f} MB)")


def _with_range(
    entries: list[ListedImage], headers: list[ImageHeader | None], schema: ImageSchema
) -> tuple[ImageSchema, list[Problem]]:
    """Look for the range of images of more than 8 bits, which no header tells.

    Returns:
        The schema with the range where the numbers are kept; and a warning where they are scaled
        by the range of their format and use little of it.
    """
    deep = deep_rows(headers)
    if not deep or schema.scale == "range":
        return schema, []
    rows = list(range(len(entries))) if schema.keeps_numbers else deep
    whole = replace(schema, scale="none", dtype="float32", samples="")

    def read(row: int) -> tuple[float, float] | None:
        try:
            return read_range(entries[row].file, whole)
        except DataError:  # said when it is decoded, with what is wrong with others
            return None

    ranges = dict(zip(rows, in_parallel(read, rows, "looking at pixels"), strict=True))
    if schema.keeps_numbers:
        low, high = _ends(ranges.values())
        return replace(schema, value_range=(low, high if high > low else low + 1)), []
    found: list[Problem] = []
    for samples in sorted({header.samples for header in headers if header is not None}):
        of_these = [row for row in deep if (h := headers[row]) and h.samples == samples]
        ends = _ends(ranges[row] for row in of_these)
        found += lost_steps(len(of_these), len(entries), ends, samples, schema) if of_these else []
    return schema, found


def _ends(ranges: Iterable[tuple[float, float] | None]) -> tuple[float, float]:
    """Join ranges to one; numbers that are not finite are refused later, each with its file."""
    known = [pair for pair in ranges if pair is not None and np.isfinite(pair).all()]
    lows, highs = zip(*known, strict=True) if known else ((0.0,), (1.0,))
    return min(lows), max(highs)


def find_faults(entries: list[ListedImage], options: ImageOptions) -> list[Problem]:
    """Decode all files without keeping their pixels; list which of them cannot be used."""
    headers, problems = read_headers(entries, options.max_pixels, options.page)
    return _faults(entries, headers, options, problems)


def read_headers(
    entries: list[ListedImage], max_pixels: int, page: int = 1
) -> tuple[list[ImageHeader | None], list[Problem]]:
    """Read the headers of all files; None and a problem where there is none to be read."""

    def read(entry: ListedImage) -> ImageHeader | Problem:
        try:
            return read_header(entry.file, max_pixels=max_pixels, page=page)
        except DataError as error:
            return error.problems[0]

    found = list(in_parallel(read, entries, "looking at images"))
    headers = [each if isinstance(each, ImageHeader) else None for each in found]
    return headers, [each for each in found if isinstance(each, Problem)]


def decode_blocks(
    entries: list[ListedImage],
    headers: list[ImageHeader | None],
    schema: ImageSchema,
    max_pixels: int,
    problems: list[Problem],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of images and their content hashes.

    Raises:
        DataError: behind the last block, with the problems that were given and those found.
    """
    # A blank stands for what cannot be decoded: all faults are found in one pass.
    problems = list(problems)
    blank = np.zeros(schema.shape, schema.dtype)

    def read(pair: tuple[ListedImage, ImageHeader | None]) -> tuple[np.ndarray, int]:
        if pair[1] is None:
            return blank, 0
        try:
            image = decode(pair[0].file, schema, max_pixels=max_pixels)
        except DataError as error:
            problems.extend(error.problems)
            return blank, 0
        return image, content_hash(image)

    pairs = list(zip(entries, headers, strict=True))
    block = min(BLOCK, max(1, BLOCK_BYTES // blank.nbytes))
    found = in_parallel(read, pairs, "decoding images", block)
    for start in range(0, len(pairs), block):
        decoded = [next(found) for _ in pairs[start : start + block]]
        images, content_hashes = zip(*decoded, strict=True)
        yield np.stack(images), np.array(content_hashes, dtype=np.uint64)
    if problems:
        raise DataError(*_by_fault(problems))


def _faults(
    entries: list[ListedImage],
    headers: list[ImageHeader | None],
    options: ImageOptions,
    problems: list[Problem],
) -> list[Problem]:
    """List what was wrong with headers and is with the pixels behind the others."""
    if not any(headers):
        return _by_fault(problems)
    found: list[Problem] = []
    schema = choose_schema(headers, options)
    with gathered(found):
        deque(decode_blocks(entries, headers, schema, options.max_pixels, problems), maxlen=0)
    return found


def _by_fault(problems: Sequence[Problem]) -> list[Problem]:
    """Make one problem of all of one fault, and name the first few files."""
    faults: dict[Problem, list[str]] = {}
    for problem in problems:
        faults.setdefault(replace(problem, got="", file=""), []).append(problem.got)
    return [
        replace(fault, got=first_few(sorted(got), noun="files", separator="; "), count=len(got))
        for fault, got in faults.items()
    ]


def in_parallel(
    work: Callable[[T], R], items: list[T], what: str, block: int = BLOCK
) -> Iterator[R]:
    """Do the same to all items in order, a block ahead, with a progress bar on a terminal.

    A thread for each core: Pillow lets go of the interpreter while it decodes and resizes. Two
    decode photos 1.9 times as fast as one; small images gain little, by processes as by threads.
    """

    def work_on(part: list[T]) -> list[R]:
        return [work(item) for item in part]

    bar = tqdm(total=len(items), desc=what, unit=" files", disable=None, leave=False)
    with bar, ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), block):
            some = items[start : start + block]
            parts = [some[k : k + TASK_FILES] for k in range(0, len(some), TASK_FILES)]
            for done in pool.map(work_on, parts):
                bar.update(len(done))  # not a block: of large photos it takes minutes
                yield from done


def _entry_name(entries: list[ListedImage], options: ImageOptions) -> str:
    """Name the cache of these files as they are now, decoded in this way.

    Where they lie belongs to it: files of another folder may have the same names, sizes and times.
    """
    state = hashlib.sha256(f"{VERSION} {PIL.__version__} {options}\n".encode())
    # Not by their contents: to hash all files would take as long as to read them. A file that
    # takes another's place, with its size and its time, has another inode or time of change.
    for entry in entries:
        stat = entry.file.stat()
        times = f"{stat.st_mtime_ns}\0{stat.st_ctime_ns}\0{stat.st_dev}:{stat.st_ino}"
        line = f"{entry.file.resolve()}\0{stat.st_size}\0{times}\n"
        state.update(line.encode(errors="surrogateescape"))
    return state.hexdigest()[:16]


def _takes_time(headers: list[ImageHeader | None]) -> bool:
    pixels = sum(header.height * header.width for header in headers if header is not None)
    return len(headers) >= CACHED_FILES or pixels >= CACHED_PIXELS


def _with_note(images: DecodedImages, note: str) -> DecodedImages:
    return images._replace(about={**images.about, "notes": [*images.about["notes"], note]})
