"""Decode an image file, its bytes or a Pillow image: the same in training and in serving.

Orientation, bit depth, bands, transparency, size and channels are brought to what an `ImageSchema`
says; whatever is wrong with a file is a DataError that names it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TypeGuard

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageFile

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.images.arrays import MAGIC, npy_shape, read_npy
from kindling.images.bit_depth import (
    Samples,
    flatten,
    samples_of,
    samples_of_tags,
    scale_transparent_value,
    to_8_bits,
    without_fourth_band,
)
from kindling.images.file_types import FORMATS
from kindling.images.image_faults import ImageInput, name_of, named_faults, too_large
from kindling.images.image_schema import BYTES, MAX_PIXELS, ImageHeader, ImageSchema
from kindling.images.resizing import numbers_to_pixels, resize
from kindling.images.samples import (
    read_bands,
    read_seen,
    read_tiff_bands,
    refuse_dark,
    refuse_other_numbers,
    tiff_tags,
)

Pixels = UInt8[np.ndarray, "channels height width"] | Float32[np.ndarray, "channels height width"]

GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
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


def read_header(source: ImageInput, *, max_pixels: int = MAX_PIXELS, page: int = 1) -> ImageHeader:
    """Read size, colours, numbers and format of one page of an image without decoding it."""
    name = name_of(source)
    with named_faults(source, name, max_pixels):
        if _is_npy(source):
            channels, height, width = npy_shape(source, name)
            return ImageHeader(height, width, channels == 1, "NPY", False, bands=channels)
    try:
        with _opened(source, name, max_pixels, page) as (image, samples):
            width, height = image.size[::-1] if _swaps_sides(image) else image.size
            more = bool(getattr(image, "is_animated", False))
            form = (image.format or "").replace("MPO", "JPEG")  # a JPEG with more than one image
            grey = image.mode in GREY_MODES
            about = (samples.name, samples.bands, samples.has_alpha)
            return ImageHeader(height, width, grey, form, more, *about)
    except DataError as error:
        if error.problems[0].code == "D441" and not isinstance(source, Image.Image):
            return _tiff_header(source, name, max_pixels, page)
        raise


def decode(source: ImageInput, schema: ImageSchema, *, max_pixels: int | None = None) -> Pixels:
    """Decode one page of an image to the schema's shape and data type.

    Args:
        source: a file, its bytes, or a Pillow image; or one array as a .npy file or its bytes. A
            Pillow image whose pixels were not asked for yet is read as its file is; another one
            has what Pillow made of it, so that a large JPEG may differ by a level from its file.
        schema: what it is brought to; an array must have its shape and data type already.
        max_pixels: a larger image is refused before it is decoded; None takes the schema's.

    Raises:
        DataError: it cannot be used; the problem names it.
    """
    limit, name = schema.max_pixels if max_pixels is None else max_pixels, name_of(source)
    with named_faults(source, name, limit):
        if _is_npy(source):
            return read_npy(source, schema, name)
        source = _as_file(source)
    if not schema.takes_image_files:
        rule = f"an image must be given as an array: {schema.dtype} {schema.shape}"
        fix = "save the array with numpy.save as a .npy file"
        raise DataError(Problem(rule, f"{name}: no .npy file", fix, "D409", file=name))
    if schema.bands or schema.scale != "format":
        return _decode_numbers(source, schema, limit, name)
    with _opened(source, name, limit, schema.page) as (image, samples):
        if not isinstance(source, Image.Image):
            _decode_smaller(image, schema)
        scale_transparent_value(image)  # while it says how the numbers lie in the file
        image.load()  # before the mode is asked: some formats tell it only then
        seen = to_8_bits(without_fourth_band(image, samples, name), samples, name)
        if samples.is_deep and schema.samples == BYTES:
            refuse_dark(seen, samples, name)
        opaque = flatten(seen, schema.background)
        flat = opaque.convert("L" if schema.channels == 1 else "RGB")
        # Asked only now: Pillow has turned a TIFF by itself when its pixels are there.
        turn = TURNS.get(_orientation(image))
        pixels = np.asarray(resize(flat if turn is None else flat.transpose(turn), schema))
        _verify(image, source)
    # A grey image is (H, W), a colour one (H, W, 3): both become (channels, H, W).
    return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))


def read_range(source: ImageInput, schema: ImageSchema) -> tuple[float, float]:
    """Return the smallest and the largest number of an image, in the unit of its file."""
    name = name_of(source)
    numbers = _read_numbers(_as_file(source), schema, schema.max_pixels, name)[0]
    return float(np.min(numbers)), float(np.max(numbers))


def _decode_numbers(source: ImageInput, schema: ImageSchema, limit: int, name: str) -> Pixels:
    """Decode all bits or bands of an image, and only then bring them to the schema."""
    numbers, alpha, samples, turn = _read_numbers(source, schema, limit, name)
    with named_faults(source, name, limit):
        return numbers_to_pixels(numbers, alpha, schema, samples, turn, name)


def _read_numbers(
    source: ImageInput, schema: ImageSchema, limit: int, name: str
) -> tuple[np.ndarray, np.ndarray | None, Samples, Image.Transpose | None]:
    """Read numbers (H, W, bands), opacity, what the file says of them, and how it is turned."""
    with named_faults(source, name, limit):
        is_file = not isinstance(source, Image.Image)
        tags = None
        if schema.bands and not isinstance(source, Image.Image):
            tags = tiff_tags(source, schema.page)
        if tags is not None:
            assert not isinstance(source, Image.Image)
            samples = samples_of_tags(tags)
            refuse_other_numbers(samples, schema, name, is_sure=True)
            needs_package = max(schema.bands) > 3 or not samples.is_plain_colour
            if needs_package or find_spec("tifffile"):
                bands = read_tiff_bands(source, tags, schema.page, limit, name)
                return bands, None, samples, None
    with _opened(source, name, limit, schema.page) as (image, samples):
        is_sure = is_file or image.format is not None
        refuse_other_numbers(samples, schema, name, is_sure=is_sure)
        reopen = partial(_open, source, schema.page)
        if schema.bands:
            numbers, alpha = read_bands(image, samples, reopen, name), None
        else:
            numbers, alpha = read_seen(image, samples, reopen, name)
        turn = TURNS.get(_orientation(image))
        _verify(image, source)
    return numbers, alpha, samples, turn


def _is_npy(source: ImageInput) -> TypeGuard[Path | bytes]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    return isinstance(source, bytes) and source.startswith(MAGIC)


def _as_file(source: ImageInput) -> ImageInput:
    """Return the bytes behind a Pillow image that was opened and whose pixels were not asked for.

    Pillow's copy of it would have lost what the file says of its bit depth.
    """
    if isinstance(source, ImageFile.ImageFile) and source.tile and source.tell() == 0:
        file = source.fp
        if file is not None and not file.closed:
            place = file.tell()
            file.seek(0)
            content = file.read()
            file.seek(place)
            return content
    return source


@contextmanager
def _opened(
    source: ImageInput, name: str, max_pixels: int, page: int = 1
) -> Iterator[tuple[Image.Image, Samples]]:
    """Open an image, its size checked, with what its file says of its numbers."""
    if Image.MAX_IMAGE_PIXELS is not None:  # Pillow's own limit, for when the user's is higher
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    with named_faults(source, name, max_pixels), _open(source, page) as image:
        if image.width * image.height > max_pixels:
            got = f"{image.width}x{image.height} pixels, more than {max_pixels:,}"
            raise DataError(too_large(name, got))
        yield image, samples_of(source if isinstance(source, Image.Image) else image)


@contextmanager
def _open(source: ImageInput, page: int = 1) -> Iterator[Image.Image]:
    if isinstance(source, Image.Image):
        copy = source.copy()  # the caller's own is left alone
        copy.format = source.format  # what a copy loses
        yield copy
        return
    # Not by its path: Pillow 13 maps an uncompressed TIFF then, and takes the sides of one that is
    # to be turned by its EXIF orientation for each other.
    stream = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with stream, Image.open(stream, formats=FORMATS) as image:
        if page > 1:
            _seek(image, page, name_of(source))
        yield image


def _seek(image: Image.Image, page: int, name: str) -> None:
    try:
        image.seek(page - 1)
    except EOFError as error:
        rule, got = f"an image file must have page {page}", f"{name}: no such page"
        fix = ("take it out", Setting("data.pages", "first"))
        for_rows = "give files with as many pages as those of the train images"
        raise DataError(Problem(rule, got, fix, "D441", for_rows, file=name)) from error


def _tiff_header(source: Path | bytes, name: str, max_pixels: int, page: int) -> ImageHeader:
    """Read the header of a TIFF that Pillow does not decode."""
    with named_faults(source, name, max_pixels):
        tags = tiff_tags(source, page)
        if tags is None:
            raise EOFError(f"no page {page}")
        width, height = int(tags[256]), int(tags[257])
        if width * height > max_pixels:
            got = f"{width}x{height} pixels, more than {max_pixels:,}"
            raise DataError(too_large(name, got))
        sides = (width, height) if int(tags.get(274, 1)) >= 5 else (height, width)
        samples = samples_of_tags(tags)
        more = tiff_tags(source, 2) is not None
        about = (samples.name, samples.bands, samples.has_alpha)
        return ImageHeader(sides[0], sides[1], samples.bands == 1, "TIFF", more, *about)


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
