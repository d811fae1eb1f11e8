"""An image file, its bytes or a Pillow image in; uint8 (channels, H, W) out, always the same way.

Training and serving both come here, so a served picture is read exactly as the train images were.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from kindling.data.columns.schema import ImageSchema
from kindling.errors import DataError, Problem

Picture = Path | bytes | Image.Image
RGB = tuple[int, int, int]

MAX_PIXELS = 50_000_000  # 8,660 x 5,773; four bytes each are 200 MB while one image is decoded
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
ORIENTATION = 0x0112  # the EXIF tag; from 5 on the image is stored lying on its side
SNIFFED = 512  # bytes of a file that are looked at to say what it is instead

Image.init()  # makes all formats of Pillow known
# Pillow's own limit warns of images that are refused here, or that the user asked to accept.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# EPS starts Ghostscript, WMF needs Windows; the others only describe what they cannot decode.
FORMATS = [name for name in Image.ID if name not in {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}]
SUFFIXES = {
    end: name.replace("MPO", "JPEG")
    for end, name in Image.registered_extensions().items()
    if name in (*FORMATS, "MPO")
}


class Header(NamedTuple):
    """What an image says of itself before it is decoded, the right way up."""

    height: int
    width: int
    is_grey: bool
    format: str
    has_more_frames: bool


def read_header(source: Picture, *, max_pixels: int = MAX_PIXELS) -> Header:
    """Look at an image without decoding it."""
    with opened(source, max_pixels) as image:
        width, height = image.size[::-1] if _lies_on_its_side(image) else image.size
        more = bool(getattr(image, "is_animated", False))
        form = (image.format or "").replace("MPO", "JPEG")  # a JPEG file with more than one picture
        return Header(height, width, image.mode in GREY_MODES, form, more)


def decode(
    source: Picture, schema: ImageSchema, *, max_pixels: int = MAX_PIXELS
) -> UInt8[np.ndarray, "channels height width"]:
    """Decode the first frame of an image as the schema says, or raise a DataError that names it."""
    with opened(source, max_pixels) as image:
        if not isinstance(source, Image.Image):
            _read_smaller(image, schema)
        upright = _eight_bits(ImageOps.exif_transpose(image), _depth(image), name_of(source))
        flat = _flatten(upright, schema.background).convert("L" if schema.channels == 1 else "RGB")
        pixels = np.asarray(_fit(flat, schema))
    # A grey image is (H, W), a colour one (H, W, 3): both become (channels, H, W).
    return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))


@contextmanager
def opened(source: Picture, max_pixels: int) -> Iterator[Image.Image]:
    """Open an image, its size checked; whatever goes wrong with it becomes a DataError."""
    if Image.MAX_IMAGE_PIXELS is not None:  # Pillow's own limit, for when the user's is higher
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    try:
        with _open(source) as image:
            if image.width * image.height > max_pixels:
                got = f"{image.width}x{image.height} pixels, more than {max_pixels:,}"
                raise DataError(_too_large(source, got))
            yield image
    except (DataError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(source, f"more than {max_pixels:,} pixels")) from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        rule, fix = "an image must be a file that you may read", "correct its path or permissions"
        raise DataError(
            Problem(rule, f"{name_of(source)}: {error.strerror}", fix, "D401")
        ) from error
    except UnidentifiedImageError as error:
        raise DataError(_no_image(source)) from error
    except Exception as error:  # a damaged file can raise anything in the readers of its format
        got = f"{name_of(source)}: {' '.join(str(error).split()) or type(error).__name__}"
        fix = "replace the file, or remove it"
        raise DataError(Problem("an image must decode to its end", got, fix, "D402")) from error


def name_of(source: Picture) -> str:
    """Say which image is meant."""
    if isinstance(source, Path):
        return str(source)
    given = getattr(source, "filename", "") if isinstance(source, Image.Image) else ""
    return str(given) or "the image that was given"


def _open(source: Picture) -> Image.Image:
    if isinstance(source, Image.Image):
        return source.copy()  # closing it leaves the caller's own alone
    return Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)


def _too_large(source: Picture, got: str) -> Problem:
    rule = "an image may not have more pixels than data.max_pixels"
    fix = "shrink it, or raise data.max_pixels if you trust the file"
    return Problem(rule, f"{name_of(source)}: {got}", fix, "D403")


def _no_image(source: Picture) -> Problem:
    rule = "a file with the name of an image must be one"
    with BytesIO(source) if isinstance(source, bytes) else Path(name_of(source)).open("rb") as file:
        what = _sniff(file.read(SNIFFED))
    return Problem(rule, f"{name_of(source)}: {what}", "replace the file, or remove it", "D401")


def _sniff(content: bytes) -> str:
    """Say what a file seems to be whose first bytes begin no image."""
    if not content:
        return "empty"
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    signs = {b"<!doctype html": "HTML", b"<html": "HTML", b"%pdf": "PDF", b"pk\x03\x04": "ZIP"}
    for sign, name in signs.items():
        if start.startswith(sign):
            return name
    if b"<svg" in start:
        return "SVG, which has no pixels: draw it as PNG"
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "HEIC, which Pillow does not read: save it as JPEG"
    if re.search(rb"[\x00-\x08\x0e-\x1f]", content):
        return "no format that is known"
    return f"text: {content[:20].decode(errors='replace')!r}"


def _lies_on_its_side(image: Image.Image) -> bool:
    return image.getexif().get(ORIENTATION, 1) >= 5


def _read_smaller(image: Image.Image, schema: ImageSchema) -> None:
    """Let a large JPEG be decoded at a half, a quarter or an eighth; others are left alone."""
    least = (2 * schema.width, 2 * schema.height)
    image.draft(None, least[::-1] if _lies_on_its_side(image) else least)


def _eight_bits(image: Image.Image, depth: tuple[int, bool], name: str) -> Image.Image:
    """Scale integers of more bits, and floats, to 0 to 255; Pillow itself would clip them."""
    if image.mode == "F":
        levels = np.asarray(image)
        if not ((levels >= 0) & (levels <= 1)).all():
            rule = "an image of floats must hold numbers between 0 and 1"
            got = f"{name}: {levels.min():.6g} to {levels.max():.6g}"
            raise DataError(Problem(rule, got, "scale it, or save it with 8 or 16 bits", "D404"))
        return Image.fromarray(np.rint(levels * 255).astype(np.uint8))
    if not image.mode.startswith("I"):
        return image
    bits, is_signed = depth
    levels = np.asarray(image).astype(np.int64)
    if bits == 32 and not is_signed:
        levels &= 0xFFFFFFFF  # Pillow holds them as signed ones
    scaled = (levels + (1 << (bits - 1)) * is_signed) >> (bits - 8)
    if scaled.min() == scaled.max() and levels.min() < levels.max():
        rule = "the levels of an image must fill a part of its format's range that can be seen"
        got = f"{name}: {levels.min()} to {levels.max()} of {bits} bits, all one grey when scaled"
        raise DataError(Problem(rule, got, "save it with 8 or 16 bits", "D404"))
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _depth(image: Any) -> tuple[int, bool]:
    """Return the bits of one level, and whether it is signed."""
    tags = getattr(image, "tag_v2", {})  # TIFF: 258 is BitsPerSample, 339 SampleFormat, 2 signed
    if 258 in tags:
        return int(tags[258][0]), tags.get(339, (1,))[0] == 2
    is_wide = image.mode == "I" and image.format != "PPM"  # PPM's 16 bits have mode I in Pillow
    return (32, True) if is_wide else (16, False)


def _flatten(image: Image.Image, background: RGB) -> Image.Image:
    """Put an image with transparent pixels before a background."""
    if not image.has_transparency_data:
        return image
    behind = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(behind, image.convert("RGBA"))


def _fit(image: Image.Image, schema: ImageSchema) -> Image.Image:
    """Bring an image to the schema's size."""
    size, method = (schema.width, schema.height), Image.Resampling.BILINEAR
    if image.size == size:
        return image
    if schema.fit == "stretch":
        return image.resize(size, method)
    if schema.fit == "crop":
        return ImageOps.fit(image, size, method)
    scale = min(schema.width / image.width, schema.height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGB", (1, 1), schema.background).convert(image.mode).resize(size)
    corner = ((schema.width - inner[0]) // 2, (schema.height - inner[1]) // 2)
    canvas.paste(image.resize(inner, method), corner)
    return canvas
