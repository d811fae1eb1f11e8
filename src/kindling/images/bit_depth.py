"""Convert images of any bit depth and transparency to opaque ones of 8 bits.

Pillow itself clips 16 and 32 bits and floats to 0 to 255, where they have to be scaled.
"""

import numpy as np
from PIL import Image

from kindling.errors import DataError, Problem
from kindling.images.image_schema import RGB

BITS_PER_SAMPLE, SAMPLE_FORMAT, SIGNED = 258, 339, 2  # two tags of a TIFF, and a value


def scale_transparent_value(image: Image.Image) -> None:
    """Bring the transparent value of a PNG to 8 bits where Pillow brings only its pixels there.

    Of 16-bit colours Pillow keeps the upper 8 bits: what differs in the lower ones becomes
    transparent, too.
    """
    tiles, value = getattr(image, "tile", None), image.info.get("transparency")
    if image.format != "PNG" or value is None or not tiles:
        return
    bits = {"L;2": 2, "L;4": 4, "RGB;16B": 16}.get(tiles[0][3], 8)
    if bits < 8:
        image.info["transparency"] = value * 255 // (2**bits - 1)
    elif bits == 16:
        image.info["transparency"] = tuple(part >> 8 for part in value)


def to_8_bits(image: Image.Image, name: str) -> Image.Image:
    """Scale integers of more bits, and floats from 0 to 1, to 0 to 255.

    Args:
        image: as it was opened and loaded: its TIFF tags tell the bit depth.
        name: what to call it in a message.

    Raises:
        DataError: floats beyond 0 to 1, or integers that would all become one grey.
    """
    if image.mode[0] not in "FI":  # floats, integers of 16 or 32 bits
        return image
    pixels = np.asarray(image)
    if image.mode == "F":
        if not ((pixels >= 0) & (pixels <= 1)).all():
            rule = "an image of floats must hold numbers between 0 and 1"
            got = f"{name}: {pixels.min():.6g} to {pixels.max():.6g}"
            fix = "scale it, or save it with 8 or 16 bits"
            raise DataError(Problem(rule, got, fix, "D404", file=name))
        return Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    bits, is_signed = _bit_depth(image)
    pixels = pixels.astype(np.int64)
    if bits == 32 and not is_signed:
        pixels &= 0xFFFFFFFF  # Pillow holds them as signed ones
    scaled = (pixels + (1 << (bits - 1)) * is_signed) >> (bits - 8)
    if scaled.min() == scaled.max() and pixels.min() < pixels.max():
        rule = "the pixels of an image must fill a part of its format's range that can be seen"
        got = f"{name}: {pixels.min()} to {pixels.max()} of {bits} bits, all one grey when scaled"
        raise DataError(Problem(rule, got, "save it with 8 or 16 bits", "D404", file=name))
    grey = Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if "transparency" in image.info:  # one of the values, as a PNG may say
        is_opaque = pixels != image.info["transparency"]
        grey.putalpha(Image.fromarray(is_opaque.astype(np.uint8) * 255))
    return grey


def _bit_depth(image: Image.Image) -> tuple[int, bool]:
    """Return the bits of one number, and whether it is signed."""
    tags = getattr(image, "tag_v2", {})
    if BITS_PER_SAMPLE in tags:
        return int(tags[BITS_PER_SAMPLE][0]), tags.get(SAMPLE_FORMAT, (1,))[0] == SIGNED
    is_wide = image.mode == "I" and image.format != "PPM"  # PPM's 16 bits have mode I in Pillow
    return (32, True) if is_wide else (16, False)


def flatten(image: Image.Image, background: RGB) -> Image.Image:
    """Put an image with transparent pixels before a background."""
    if not image.has_transparency_data:
        return image
    behind = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(behind, image.convert("RGBA"))
