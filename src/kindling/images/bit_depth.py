"""An image of any mode in; 8 bits a level, before a background where it is transparent, out."""

from typing import Any

import numpy as np
from PIL import Image

from kindling.errors import DataError, Problem

RGB = tuple[int, int, int]


def scale_clear(image: Image.Image) -> None:
    """Bring the clear level of a PNG to 8 bits where Pillow does so with its pixels alone.

    Of 16-bit colours Pillow keeps the upper 8 bits: what differs in the lower ones is clear, too.
    """
    tiles, clear = getattr(image, "tile", None), image.info.get("transparency")
    if image.format != "PNG" or clear is None or not tiles:
        return
    bits = {"L;2": 2, "L;4": 4, "RGB;16B": 16}.get(tiles[0][3], 8)
    if bits < 8:
        image.info["transparency"] = clear * 255 // (2**bits - 1)
    elif bits == 16:
        image.info["transparency"] = tuple(level >> 8 for level in clear)


def eight_bits(image: Image.Image, depth: tuple[int, bool], name: str) -> Image.Image:
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
    grey = Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if "transparency" in image.info:  # one of the levels, as a PNG may say
        seen = levels != image.info["transparency"]
        grey.putalpha(Image.fromarray(seen.astype(np.uint8) * 255))
    return grey


def depth(image: Any) -> tuple[int, bool]:
    """Return the bits of one level, and whether it is signed."""
    tags = getattr(image, "tag_v2", {})  # TIFF: 258 is BitsPerSample, 339 SampleFormat, 2 signed
    if 258 in tags:
        return int(tags[258][0]), tags.get(339, (1,))[0] == 2
    is_wide = image.mode == "I" and image.format != "PPM"  # PPM's 16 bits have mode I in Pillow
    return (32, True) if is_wide else (16, False)


def flatten(image: Image.Image, background: RGB) -> Image.Image:
    """Put an image with transparent pixels before a background."""
    if not image.has_transparency_data:
        return image
    behind = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(behind, image.convert("RGBA"))
