"""Say what is wrong with an image file: what a decoder raises becomes a DataError that names it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.images.file_types import EXTRA
from kindling.images.samples import describe, tiff_tags

ImageInput = Path | bytes | Image.Image
SNIFFED = 512  # bytes of a file that are looked at to say what it is instead
REPLACE = "replace the file, or remove it"
# The text beside the pixels of a PNG may be long (a workflow, a history); Pillow stops at 1 MB.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 64 << 20  # bytes
LONG_TEXT = "MAX_TEXT_"  # in what Pillow says of one that is longer still


def name_of(source: ImageInput) -> str:
    """Say which image is meant."""
    if isinstance(source, Path):
        return str(source)
    given = getattr(source, "filename", "") if isinstance(source, Image.Image) else ""
    return str(given) or "the image that was given"


@contextmanager
def named_faults(source: ImageInput, name: str, max_pixels: int) -> Iterator[None]:
    """Turn whatever goes wrong with an image into a DataError that names it."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(too_large(name, f"more than {max_pixels:,} pixels")) from error
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        rule, fix = "an image must be a file that you may read", "correct its path or permissions"
        raise DataError(
            Problem(rule, f"{name}: {error.strerror}", fix, "D401", file=name)
        ) from error
    except UnidentifiedImageError as error:
        raise DataError(_not_an_image(source, name)) from error
    except Exception as error:  # a damaged file can raise anything in the readers of its format
        said = " ".join(str(error).split()) or type(error).__name__
        if LONG_TEXT in said:
            rule = (
                f"the text in a PNG may not have more than {PngImagePlugin.MAX_TEXT_CHUNK:,} bytes"
            )
            fix = "take it out, for instance with exiftool -all= FILE"
            raise DataError(Problem(rule, name, fix, "D402", file=name)) from error
        rule = "an image must decode to its end"
        raise DataError(Problem(rule, f"{name}: {said}", REPLACE, "D402", file=name)) from error


def too_large(name: str, got: str) -> Problem:
    """Say that an image has more pixels than are allowed."""
    rule = "an image may not have more pixels than data.max_pixels"
    fix = ("shrink it", Setting("data.max_pixels", ..., "if you trust the file"))
    for_rows = "shrink it, or train with a larger data.max_pixels if you trust the file"
    return Problem(rule, f"{name}: {got}", fix, "D403", for_rows, file=name)


def _not_an_image(source: ImageInput, name: str) -> Problem:
    rule = "a file with the name of an image must be one"
    if isinstance(source, Image.Image):
        return Problem(rule, name, REPLACE, "D401", file=name)
    tags = _tags_or_none(source)
    if tags is not None:
        rule = "a TIFF must be grey, or red, green and blue, where its bands are not asked for"
        ways = (
            Setting("data.channels", "auto", "to take all bands"),
            Setting("data.channels", [1, 2, 3], "to take these"),
        )
        for_rows = "give images with the bands of the train images"
        return Problem(rule, f"{name}: {describe(tags)}", ways, "D441", for_rows, file=name)
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        what, fix = _sniff(file.read(SNIFFED))
    return Problem(rule, f"{name}: {what}", fix, "D401", file=name)


def _tags_or_none(source: Path | bytes) -> dict[int, object] | None:
    try:
        return tiff_tags(source)
    except Exception:  # a damaged file can raise anything here, too
        return None


def _sniff(content: bytes) -> tuple[str, str]:
    """Say what a file seems to be whose first bytes begin no image, and what helps."""
    if not content:
        return "empty", REPLACE
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    signs = {b"<!doctype html": "HTML", b"<html": "HTML", b"%pdf": "PDF", b"pk\x03\x04": "ZIP"}
    for sign, name in signs.items():
        if start.startswith(sign):
            return name, REPLACE
    if b"<svg" in start:
        return "SVG, which has no pixels", "draw it as PNG"
    if content[4:8] == b"ftyp" and content[8:11] in (b"hei", b"hev", b"mif"):
        return _of_heic()
    if content[128:132] == b"DICM":
        return "DICOM, which is not read", "save its pixels as PNG or TIFF of 16 bits"
    if re.search(rb"[\x00-\x08\x0e-\x1f]", content):
        return "no format that is known", REPLACE
    return f"text: {content[:20].decode(errors='replace')!r}", REPLACE


def _of_heic() -> tuple[str, str]:
    if find_spec("pillow_heif"):
        return "HEIC that is damaged", REPLACE
    return "HEIC, which needs the package pillow-heif", f"{EXTRA}; or save it as JPEG"
