"""An image file, its bytes or a Pillow image in; uint8 (channels, H, W) out, always the same way.

Training and serving both come here, so a served picture is read exactly as the train images were.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from kindling.errors import DataError, Problem
from kindling.images.bit_depth import depth, eight_bits, flatten, scale_clear
from kindling.images.exif_orientation import TURNS, lies_on_its_side, orientation
from kindling.images.schema import ImageSchema

Picture = Path | bytes | Image.Image

MAX_PIXELS = 50_000_000  # 8,660 x 5,773; four bytes each are 200 MB while one image is decoded
GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
SNIFFED = 512  # bytes of a file that are looked at to say what it is instead

Image.init()  # makes all formats of Pillow known
# Pillow warns of images that are refused here or asked for, and of odd remarks of cameras, never
# saying in which file; what hinders is an error.
for kind in (Image.DecompressionBombWarning, UserWarning):
    warnings.filterwarnings("ignore", category=kind, module=r"PIL\.")
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
        width, height = image.size[::-1] if lies_on_its_side(image) else image.size
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
        # A copy is decoded, the original still knows its tags.
        levels = eight_bits(image.copy(), depth(image), name_of(source))
        flat = flatten(levels, schema.background).convert("L" if schema.channels == 1 else "RGB")
        # Asked only now: Pillow has turned a TIFF by itself when its pixels are there.
        turn = TURNS.get(orientation(image))
        pixels = np.asarray(_fit(flat if turn is None else flat.transpose(turn), schema))
        _verify(image, source)
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
    file = BytesIO(source) if isinstance(source, bytes) else source
    image = Image.open(file, formats=FORMATS)
    scale_clear(image)
    return image


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


def _verify(image: Image.Image, source: Picture) -> None:
    """Hold a PNG against its checksums; its decoder stops at the last row and asks for none."""
    if image.format == "PNG" and not isinstance(source, Image.Image):
        with _open(source) as other:  # one that was verified cannot be decoded any more
            other.verify()


def _read_smaller(image: Image.Image, schema: ImageSchema) -> None:
    """Let a large JPEG be decoded at a half, a quarter or an eighth; others are left alone."""
    least = (2 * schema.width, 2 * schema.height)
    image.draft(None, least[::-1] if lies_on_its_side(image) else least)


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
