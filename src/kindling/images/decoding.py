"""Decode an image file, its bytes or a Pillow image: the same in training and in serving.

Orientation, bit depth, transparency, size and channels are brought to what an `ImageSchema` says;
whatever is wrong with a file is a DataError that names it.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeGuard

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from kindling.errors import DataError, Problem
from kindling.images.arrays import MAGIC, npy_shape, read_npy
from kindling.images.bit_depth import flatten, scale_transparent_value, to_8_bits
from kindling.images.image_schema import MAX_PIXELS, ImageHeader, ImageSchema

ImageInput = Path | bytes | Image.Image
Pixels = UInt8[np.ndarray, "channels height width"] | Float32[np.ndarray, "channels height width"]

GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
SNIFFED = 512  # bytes of a file that are looked at to say what it is instead
EXIF_ORIENTATION = 0x0112
EXIF_KEYS = {"exif", "RawData profile type exif", "XML:com.adobe.xmp"}  # in a PNG's text
TURNS = {  # what undoes an EXIF orientation; from 5 on height and width change places
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.init()  # makes all formats of Pillow known
# Pillow warns of images that are refused here or asked for, and of odd metadata of cameras, never
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


def read_header(source: ImageInput, *, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read size, colours and format of an image without decoding it."""
    with _named_faults(source, max_pixels):
        if _is_npy(source):
            channels, height, width = npy_shape(source, name_of(source))
            return ImageHeader(height, width, channels == 1, "NPY", False)
    with _opened(source, max_pixels) as image:
        width, height = image.size[::-1] if _swaps_sides(image) else image.size
        more = bool(getattr(image, "is_animated", False))
        form = (image.format or "").replace("MPO", "JPEG")  # a JPEG file with more than one image
        return ImageHeader(height, width, image.mode in GREY_MODES, form, more)


def decode(source: ImageInput, schema: ImageSchema, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decode the first frame of an image to the schema's shape and data type.

    Args:
        source: a file, its bytes, or a Pillow image; or one array as a .npy file or its bytes.
        schema: what it is brought to; an array must have its shape and data type already.
        max_pixels: a larger image is refused before it is decoded.

    Raises:
        DataError: it cannot be used; the problem names it.
    """
    with _named_faults(source, max_pixels):
        if _is_npy(source):
            return read_npy(source, schema, name_of(source))
    if not schema.is_grey_or_colour:
        rule = f"an image must be given as an array: {schema.dtype} {schema.shape}"
        fix = "save the array with numpy.save as a .npy file"
        got = f"{name_of(source)}: no .npy file"
        raise DataError(Problem(rule, got, fix, "D409", file=name_of(source)))
    with _opened(source, max_pixels) as image:
        if not isinstance(source, Image.Image):
            _decode_smaller(image, schema)
        image.load()  # before the mode is asked: some formats tell it only then
        opaque = flatten(to_8_bits(image, name_of(source)), schema.background)
        flat = opaque.convert("L" if schema.channels == 1 else "RGB")
        # Asked only now: Pillow has turned a TIFF by itself when its pixels are there.
        turn = TURNS.get(_orientation(image))
        pixels = np.asarray(_resize(flat if turn is None else flat.transpose(turn), schema))
        _verify(image, source)
    # A grey image is (H, W), a colour one (H, W, 3): both become (channels, H, W).
    return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))


def name_of(source: ImageInput) -> str:
    """Say which image is meant."""
    if isinstance(source, Path):
        return str(source)
    given = getattr(source, "filename", "") if isinstance(source, Image.Image) else ""
    return str(given) or "the image that was given"


def image_suffixes(schema: ImageSchema) -> set[str]:
    """List the endings of the files that `decode` takes for a schema."""
    return {".npy"} | (set(SUFFIXES) if schema.is_grey_or_colour else set())


def _is_npy(source: ImageInput) -> TypeGuard[Path | bytes]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    return isinstance(source, bytes) and source.startswith(MAGIC)


@contextmanager
def _named_faults(source: ImageInput, max_pixels: int) -> Iterator[None]:
    """Turn whatever goes wrong with an image into a DataError that names it."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(source, f"more than {max_pixels:,} pixels")) from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        rule, fix = "an image must be a file that you may read", "correct its path or permissions"
        name = name_of(source)
        raise DataError(
            Problem(rule, f"{name}: {error.strerror}", fix, "D401", file=name)
        ) from error
    except UnidentifiedImageError as error:
        raise DataError(_not_an_image(source)) from error
    except Exception as error:  # a damaged file can raise anything in the readers of its format
        name = name_of(source)
        got = f"{name}: {' '.join(str(error).split()) or type(error).__name__}"
        rule, fix = "an image must decode to its end", "replace the file, or remove it"
        raise DataError(Problem(rule, got, fix, "D402", file=name)) from error


@contextmanager
def _opened(source: ImageInput, max_pixels: int) -> Iterator[Image.Image]:
    """Open an image, its size checked."""
    if Image.MAX_IMAGE_PIXELS is not None:  # Pillow's own limit, for when the user's is higher
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    with _named_faults(source, max_pixels), _open(source) as image:
        if image.width * image.height > max_pixels:
            got = f"{image.width}x{image.height} pixels, more than {max_pixels:,}"
            raise DataError(_too_large(source, got))
        yield image


def _open(source: ImageInput) -> Image.Image:
    if isinstance(source, Image.Image):
        return source.copy()  # closing it leaves the caller's own alone
    file = BytesIO(source) if isinstance(source, bytes) else source
    image = Image.open(file, formats=FORMATS)
    scale_transparent_value(image)
    return image


def _too_large(source: ImageInput, got: str) -> Problem:
    rule = "an image may not have more pixels than data.max_pixels"
    fix = "shrink it, or raise data.max_pixels if you trust the file"
    return Problem(rule, f"{name_of(source)}: {got}", fix, "D403", file=name_of(source))


def _not_an_image(source: ImageInput) -> Problem:
    rule, fix = "a file with the name of an image must be one", "replace the file, or remove it"
    name = name_of(source)
    with BytesIO(source) if isinstance(source, bytes) else Path(name).open("rb") as file:
        what = _sniff(file.read(SNIFFED))
    return Problem(rule, f"{name}: {what}", fix, "D401", file=name)


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


def _verify(image: Image.Image, source: ImageInput) -> None:
    """Check a PNG against its checksums; its decoder stops at the last row and asks for none."""
    if image.format == "PNG" and not isinstance(source, Image.Image):
        with _open(source) as other:  # one that was verified cannot be decoded any more
            other.verify()


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8: how the camera was held."""
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # metadata that cannot be read say nothing; the pixels may be sound
        return 1


def _swaps_sides(image: Image.Image) -> bool:
    """Say whether the EXIF orientation lets height and width change places."""
    if image.format == "TIFF":
        return False  # Pillow turns these by itself
    # Pillow decodes a PNG to look for EXIF behind its pixels: only one that has some is asked.
    has_exif = image.format != "PNG" or bool(EXIF_KEYS & set(image.info))
    return has_exif and _orientation(image) >= 5


def _decode_smaller(image: Image.Image, schema: ImageSchema) -> None:
    """Let a large JPEG be decoded at a half, a quarter or an eighth; others are left alone."""
    least = (2 * schema.width, 2 * schema.height)
    image.draft(None, least[::-1] if _swaps_sides(image) else least)


def _resize(image: Image.Image, schema: ImageSchema) -> Image.Image:
    """Pad, crop or stretch an image to the schema's size."""
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
