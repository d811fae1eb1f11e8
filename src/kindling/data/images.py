"""A folder of class folders in, uint8 images and their labels out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kindling.data.datamodule import DataModule
from kindling.data.source import Raw
from kindling.errors import DataError, Problem
from kindling.types import STAGES, Stage

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
GREY_MODES = {"1", "L", "LA", "I", "I;16", "F"}
MIN_SIZE_PX, AUTO_SIZE_PX = 8, 128  # the networks' least; the longest side that "auto" chooses


def images(
    path: str, *, size: str | Sequence[int] = "auto", channels: str | int = "auto", **loading: Any
) -> DataModule:
    """Make the DataModule of a folder of images.

    Args:
        path: `path/CLASS/*.png|jpg|...`, or `path/train`, `path/val`, `path/test` of that form.
        size: [height, width] in pixels, or "auto": the most common one, no side over 128.
        channels: 1 (grey), 3 (colour), or "auto": 3 if any image has colour.
        **loading: what `DataModule` takes.
    """
    fixed_size = None if isinstance(size, str) else (int(size[0]), int(size[1]))
    fixed_channels = None if isinstance(channels, str) else channels
    return DataModule(ImageSource(Path(path), fixed_size, fixed_channels), **loading)


class Entry(NamedTuple):
    """One image file: where it is, what it shows, and the stage of its folder."""

    file: Path
    label: str
    stage: Stage | None


@dataclass(frozen=True)
class ImageSource:
    """Reads class folders; a size or channels of None are taken from the images."""

    path: Path
    size: tuple[int, int] | None
    channels: int | None

    def missing(self) -> list[Problem]:
        if self.path.is_dir():
            return []
        got = (
            f"the file {self.path}" if self.path.exists() else f"nothing at {self.path.absolute()}"
        )
        return [
            Problem("data.path must be a folder of class folders", got, "data.path=the/folder/")
        ]

    def read(self) -> Raw:
        entries = self._list()
        with ThreadPoolExecutor() as pool:  # Pillow lets go of the interpreter while it decodes
            headers = _readable(entries, pool.map(lambda entry: _header(entry.file), entries))
            height, width = self.size or _common_size([header.size for header in headers])
            grey = all(header.mode in GREY_MODES for header in headers)
            channels = self.channels or (1 if grey else 3)
            pixels = np.empty((len(entries), channels, height, width), dtype=np.uint8)
            _readable(entries, pool.map(lambda p, e: _decode_into(p, e.file), pixels, entries))
        resized = sum(header.size != (width, height) for header in headers)
        stages = np.array([entry.stage for entry in entries], dtype=object)
        given: tuple[Stage, ...] = ("val", "test")
        return Raw(
            x=pixels,
            y=np.array([entry.label for entry in entries], dtype=object),
            target="class",
            is_regression=False,
            reason="each folder is a class",
            names=np.array([str(entry.file.relative_to(self.path)) for entry in entries], object),
            given={s: np.flatnonzero(stages == s) for s in given if (stages == s).any()},
            notes=(f"{resized} images resized to {height}x{width} pixels",) if resized else (),
        )

    def _list(self) -> list[Entry]:
        """List the images of all class folders, in the order of their names."""
        is_split = any(path.is_dir() for path in (self.path / "train").glob("*"))
        roots: list[tuple[Path, Stage | None]] = [(self.path, None)]
        if is_split:
            roots = [(self.path / stage, stage) for stage in STAGES]
        entries = [
            Entry(file, folder.name, stage)
            for root, stage in roots
            for folder in sorted(path for path in root.glob("[!.]*") if path.is_dir())
            for file in sorted(folder.glob("[!.]*"))
            if file.suffix.lower() in SUFFIXES
        ]
        if not entries:
            fix = "put the images of each class into a folder of its own: data.path/CLASS/*.png"
            raise DataError(Problem("data.path must hold class folders", f"{self.path}", fix))
        return entries


class Header(NamedTuple):
    """What an image file says of itself before it is decoded; size is (width, height)."""

    size: tuple[int, int]
    mode: str


def _header(file: Path) -> Header | Exception:
    try:
        with Image.open(file) as image:
            size = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # EXIF: stored lying on its side
                size = size[::-1]
            return Header(size, image.mode)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        return error


def _decode_into(pixels: np.ndarray, file: Path) -> Exception | None:
    """Decode one file into uint8 (channels, H, W); return what went wrong, if anything did."""
    channels, height, width = pixels.shape
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I;16"):  # Pillow would clip these, not scale them
                image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            image = image.convert("L" if channels == 1 else "RGB")
            if image.size != (width, height):
                image = image.resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError) as error:
        return error
    # A grey image is (H, W), a colour one (H, W, 3): both become (channels, H, W).
    pixels[:] = np.atleast_3d(np.asarray(image)).transpose(2, 0, 1)
    return None


def _common_size(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the (height, width) that most images have, shrunk to the longest allowed side."""
    width, height = Counter(sizes).most_common(1)[0][0]
    shrink = min(1.0, AUTO_SIZE_PX / max(width, height))
    return max(MIN_SIZE_PX, round(height * shrink)), max(MIN_SIZE_PX, round(width * shrink))


def _readable(entries: list[Entry], outcomes: Iterable[Any]) -> list[Any]:
    """Return the outcomes, or raise a DataError that lists the files that cannot be read."""
    listed = list(outcomes)
    problems = [
        Problem(f"{entry.file} must be an image", str(outcome), "replace or remove the file")
        for entry, outcome in zip(entries, listed, strict=True)
        if isinstance(outcome, Exception)
    ]
    if problems:
        raise DataError(*problems)
    return listed
