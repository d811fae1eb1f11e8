"""Read all bits and all bands of an image file, where Pillow's own modes would cut them.

Colours of 16 bits are decoded twice by Pillow, once for each byte; a TIFF with other bands than
grey, or red, green and blue, is read by tifffile, which is optional.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from kindling.errors import DataError, Problem
from kindling.fixes import Fix, Setting
from kindling.images.bit_depth import (
    Samples,
    grey_numbers,
    raw_mode,
    refuse_hidden,
    samples_of_tags,
)
from kindling.images.file_types import EXTRA
from kindling.images.image_schema import BYTES, ImageSchema

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two are BigTIFF
MAX_BANDS = 1024
DARK = 128  # of 256: an image that stays below it leaves a bit of its format unused
OTHER_BYTE = {"B": "L", "L": "B", "N": "B"}  # of 16 bits; the machine's own order is little-endian
PLAIN = {1, 8, 32946, 32773}  # compressions of TIFF that need no codec beside Python's own
ORIENTATION, COMPRESSION = 274, 259
FLIPS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # of (height, width, bands)
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x.swapaxes(0, 1)[::-1],
}
Reopen = Callable[[], AbstractContextManager[Image.Image]]


def read_seen(
    image: Image.Image, samples: Samples, reopen: Reopen, name: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Read grey or colour with all its bits.

    Args:
        image: opened, its pixels not asked for yet.
        samples: what its file says of them.
        reopen: opens it once more.
        name: what to call it in a message.

    Returns:
        float32 (H, W, 1 or 3) in the unit of the file, and the opacity (H, W) from 0 to 1, if any.
    """
    clear = image.info.get("transparency")
    if image.mode[0] in "FI" or samples.name == "int8":
        image.load()
        numbers = grey_numbers(image, samples)[..., np.newaxis]
    elif samples.is_deep:
        numbers = _both_bytes(image, reopen, name)
    else:
        image.load()
        is_clear = image.has_transparency_data
        mode = "L" if image.mode in ("1", "L") and not is_clear else "RGBA" if is_clear else "RGB"
        numbers, clear = _three_axes(np.asarray(image.convert(mode))), None
    alpha = None
    if numbers.shape[2] in (2, 4):
        most = 2**samples.bits - 1
        numbers, alpha = numbers[..., :-1], numbers[..., -1]
        if image.format == "TIFF":
            refuse_hidden(alpha, most, samples, name)
        alpha = alpha / np.float32(most)
    elif clear is not None:
        alpha = (numbers != np.asarray(clear)).any(axis=2).astype(np.float32)
    return numbers.astype(np.float32), alpha


def read_bands(image: Image.Image, samples: Samples, reopen: Reopen, name: str) -> np.ndarray:
    """Read all bands of a file that Pillow opens (H, W, bands), transparency as one of them."""
    if image.mode[0] in "FI" or samples.name == "int8":
        image.load()
        return grey_numbers(image, samples)[..., np.newaxis]
    if samples.is_deep:
        return _both_bytes(image, reopen, name)
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return _three_axes(np.asarray(image))


def _three_axes(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _both_bytes(image: Image.Image, reopen: Reopen, name: str) -> np.ndarray:
    """Decode colours of 16 bits: Pillow keeps a byte of each, so they are decoded once for each."""
    raw = raw_mode(image)
    if raw == "LA;16B":  # four bytes, as RGBA has them
        pixels = np.asarray(_decoded_as(image, "RGBA")).astype(np.uint16)
        return pixels[..., ::2] << 8 | pixels[..., 1::2]
    if raw[-1:] not in OTHER_BYTE or image.format not in ("PNG", "TIFF"):
        rule = "colours of more than 8 bits must be PNG or TIFF to be read whole"
        got = f"{name}: {image.format}, of which Pillow decodes 8 bits"
        fix = "save it as PNG" if raw else "give its path or its bytes"
        raise DataError(Problem(rule, got, fix, "D441", file=name))
    image.load()
    with reopen() as other:
        low = np.asarray(_decoded_as(other, raw[:-1] + OTHER_BYTE[raw[-1]]))
    return np.asarray(image).astype(np.uint16) << 8 | low


def _decoded_as(image: Image.Image, raw: str) -> Image.Image:
    """Let Pillow take the bytes of the pixels for other ones."""
    tiles: Any = image.tile  # type: ignore[attr-defined]
    image.tile = [  # type: ignore[attr-defined]
        tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw)
        for tile in tiles
    ]
    image.load()
    return image


def tiff_tags(source: Path | bytes, page: int = 1) -> dict[int, Any] | None:
    """Read the tags of one page of a TIFF, whether or not Pillow can decode it; else None."""
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        start = stream.read(8)
        if start[:4] not in TIFF_MAGIC:
            return None
        start += stream.read(8) if b"+" in start[:4] else b""
        tags = TiffImagePlugin.ImageFileDirectory_v2(start)
        for _ in range(page):
            if not tags.next:
                return None
            stream.seek(tags.next)
            tags.load(stream)
        return dict(tags)


def read_tiff_bands(
    source: Path | bytes, tags: dict[int, Any], page: int, max_pixels: int, name: str
) -> np.ndarray:
    """Read all bands of a TIFF, upright: (H, W, bands) in its own data type.

    Raises:
        DataError: the package for it is not installed, or more numbers than four for each pixel
            that is allowed.
    """
    height, width = int(tags[257]), int(tags[256])
    count = int(tags.get(277, 1))
    if count > MAX_BANDS or height * width > max_pixels or height * width * count > 4 * max_pixels:
        rule = "an image may not have more pixels than data.max_pixels, of four bands each"
        got = f"{name}: {height}x{width} pixels of {count} bands"
        fix = ("shrink it", Setting("data.max_pixels", ..., "if you trust the file"))
        raise DataError(Problem(rule, got, fix, "D403", "shrink it", file=name))
    needed = [] if find_spec("tifffile") else ["tifffile"]
    if tags.get(COMPRESSION, 1) not in PLAIN and not find_spec("imagecodecs"):
        needed.append("imagecodecs")
    if needed:
        rule = f"to read the bands of a TIFF, {' and '.join(needed)} must be installed"
        got = f"{name}: {describe(tags)}"
        install = EXTRA if needed == ["tifffile"] else "type pip install tifffile imagecodecs"
        ways: Fix = install
        if samples_of_tags(tags).is_plain_colour:  # Pillow reads these three
            ways = (install, Setting("data.channels", 3, "for red, green and blue only"))
        raise DataError(Problem(rule, got, ways, "D441", install, file=name))
    from tifffile import TiffFile  # optional

    with TiffFile(BytesIO(source) if isinstance(source, bytes) else source) as file:
        found: Any = file.pages[page - 1]
        numbers = np.asarray(found.asarray())
        is_planar = found.axes.startswith("S")  # bands come before height and width
    numbers = _three_axes(np.moveaxis(numbers, 0, -1) if is_planar else numbers)
    if numbers.shape != (height, width, count):
        raise ValueError(f"an array of {numbers.shape}, where the tags say {describe(tags)}")
    turn = FLIPS.get(int(tags.get(ORIENTATION, 1)))
    return numbers if turn is None else turn(numbers)


def describe(tags: dict[int, Any]) -> str:
    """Say how many bands of how many bits a TIFF has."""
    bits = np.max(tags.get(258, 1))
    return f"a TIFF with {tags.get(277, 1)} bands of {bits} bits"


def refuse_other_numbers(
    samples: Samples, schema: ImageSchema, name: str, *, is_sure: bool
) -> None:
    """Refuse another bit depth, or other bands, than those of the train images."""
    is_other = schema.samples not in ("", samples.name)
    # A Pillow image that belongs to no file says only that it is deep, not how deep.
    if is_other and (is_sure or not samples.is_deep or schema.samples == BYTES):
        rule = f"an image must hold {schema.samples} numbers, as the train images do"
        got, fix = f"{name}: {samples.name}", "give it as the train images were, by path or bytes"
        raise DataError(Problem(rule, got, fix, "D440", file=name))
    count = samples.bands + samples.has_alpha
    if schema.bands and schema.num_bands not in (0, count):
        rule = f"an image must have {schema.num_bands} bands, as the train images do"
        got, fix = f"{name}: {count} bands", "give it with the bands of the train images"
        raise DataError(Problem(rule, got, fix, "D441", file=name))


def refuse_dark(seen: Image.Image, samples: Samples, name: str) -> None:
    """Refuse numbers that leave bits of their format unused, where the train images had bytes."""
    brightest = np.asarray(seen.convert("RGB")).max()
    if samples.kind == "uint" and brightest < DARK:
        rule = "an image of more bits than the train images' 8 must use the range of its format"
        got = f"{name}: {samples.name}, of which less than a half is used"
        fix = "save it with 8 bits, scaled as the train images were"
        raise DataError(Problem(rule, got, fix, "D440", file=name))
