"""What an image file says of its numbers, and how deep or transparent ones become opaque bytes.

Pillow itself clips 16 and 32 bits and floats to 0 to 255, where they have to be scaled, and tells
neither the bands behind the third nor what the fourth is: the tags of a TIFF do.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.images.image_schema import RGB

# Tags of a TIFF, and values of theirs. Its smallest and largest sample value (280, 281, 340, 341)
# are statistics of one file: scaled by them, each file would be scaled in a way of its own.
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, EXTRA_SAMPLES, SAMPLE_FORMAT = (
    258,
    262,
    277,
    338,
    339,
)
WHITE_IS_ZERO, GREY_OR_RGB = 0, (0, 1, 2)
PREMULTIPLIED, TRANSPARENCY = 1, (1, 2, 999)  # 999 is CorelDRAW's
KINDS: dict[int, Literal["uint", "int", "float"]] = {1: "uint", 2: "int", 3: "float"}


class Samples(NamedTuple):
    """What a file says of its numbers.

    Args:
        kind, bits: of each number; fewer than 8 bits count as 8, as Pillow spreads them so.
        bands: numbers of a pixel, without transparency.
        has_alpha: whether the file says that a further band is transparency.
        is_inverted: whether zero is white, and Pillow leaves it so.
        is_premultiplied: whether the bands were multiplied with the transparency already.
    """

    kind: Literal["uint", "int", "float"] = "uint"
    bits: int = 8
    bands: int = 3
    has_alpha: bool = False
    is_inverted: bool = False
    is_premultiplied: bool = False

    @property
    def name(self) -> str:
        """Such as uint8, uint12, int16 or float32."""
        return f"{self.kind}{self.bits}{' (white is zero)' * self.is_inverted}"

    @property
    def is_deep(self) -> bool:
        return self.name != "uint8"

    @property
    def is_plain_colour(self) -> bool:
        """Whether Pillow gives the first three bands as they are."""
        return not self.is_deep and self.bands >= 3 and not self.is_premultiplied


def samples_of(image: Image.Image) -> Samples:
    """Read from an opened image what its numbers are."""
    tags = getattr(image, "tag_v2", None)
    if image.format == "TIFF" and tags:
        return samples_of_tags(tags)
    names = image.getbands()
    has_alpha = names[-1] in "Aa" or "transparency" in image.info
    bands = 3 if image.mode in ("P", "PA", "CMYK") else len(names) - (names[-1] in "Aa")
    if image.mode == "F":
        return Samples("float", 32, bands, has_alpha)
    if image.mode == "I":  # PGM's 16 bits have it in Pillow, scaled to all of them
        is_pgm = image.format == "PPM"
        return Samples("uint" if is_pgm else "int", 16 if is_pgm else 32, bands, has_alpha)
    is_deep = image.mode.startswith("I;16") or _is_deep_colour(image)
    bands = 1 if raw_mode(image) == "LA;16B" else bands
    return Samples("uint", 16 if is_deep else 8, bands, has_alpha)


def raw_mode(image: Image.Image) -> str:
    """Return how the numbers lie in the file, in Pillow's words; "" once they were decoded."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0][3]
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _is_deep_colour(image: Image.Image) -> bool:
    """Say whether Pillow would decode the upper 8 bits of 16 only."""
    if image.format == "PPM" and image.mode == "RGB" and getattr(image, "tile", None):
        arguments = image.tile[0][3]  # type: ignore[attr-defined]
        return isinstance(arguments, tuple) and arguments[-1] > 255
    return ";16" in raw_mode(image)


def samples_of_tags(tags: Mapping[int, Any]) -> Samples:
    """Read from a TIFF's tags what its numbers are."""
    photometric, count = tags.get(PHOTOMETRIC, 1), int(tags.get(SAMPLES_PER_PIXEL, 1))
    bits = max(8, int(np.max(tags.get(BITS_PER_SAMPLE, 1))))
    kind = KINDS.get(int(np.max(tags.get(SAMPLE_FORMAT, 1))), "uint")
    extra = np.atleast_1d(np.asarray(tags.get(EXTRA_SAMPLES, ()), dtype=int)).tolist()
    alpha = [number for number in extra if number in TRANSPARENCY]
    # Of palettes, inks and luminance with colour differences, Pillow makes three bands.
    bands = count - len(alpha[:1]) if photometric in GREY_OR_RGB else 3
    is_inverted = photometric == WHITE_IS_ZERO and bits > 8 and kind == "uint"
    return Samples(kind, bits, bands, bool(alpha), is_inverted, alpha[:1] == [PREMULTIPLIED])


def scale_transparent_value(image: Image.Image) -> None:
    """Bring the transparent value of a PNG to 8 bits where Pillow brings only its pixels there.

    Of 16-bit colours Pillow keeps the upper 8 bits: what differs in the lower ones becomes
    transparent, too.
    """
    value = image.info.get("transparency")
    if image.format != "PNG" or value is None:
        return
    if isinstance(value, tuple):
        if ";16" in raw_mode(image) or max(value) > 255:
            image.info["transparency"] = tuple(part >> 8 for part in value)
        return
    bits = {"L;2": 2, "L;4": 4}.get(raw_mode(image))
    if bits is not None:
        image.info["transparency"] = value * 255 // (2**bits - 1)


def grey_numbers(image: Image.Image, samples: Samples) -> np.ndarray:
    """Return the numbers of a grey image (H, W) as its file holds them: int64, or float32."""
    pixels = np.asarray(image)
    if samples.kind == "float":
        return pixels.astype(np.float32)
    if samples.name == "int8" and pixels.dtype == np.uint8:
        pixels = pixels.view(np.int8)  # Pillow takes them for unsigned ones
    pixels = pixels.astype(np.int64)
    if samples.name == "uint32":
        pixels &= 0xFFFFFFFF  # Pillow holds them as signed ones
    return pixels


def format_bytes(numbers: np.ndarray, samples: Samples, name: str) -> np.ndarray:
    """Scale the range of a format to 0 to 255: integers of more bits, and floats from 0 to 1.

    Args:
        numbers: of any shape.
        samples: says what the range is.
        name: what to call the image in a message.

    Raises:
        DataError: floats beyond 0 to 1, or integers that would all become one grey.
    """
    if samples.kind == "float":
        if not ((numbers >= 0) & (numbers <= 1)).all():
            rule = "an image of floats must hold numbers between 0 and 1 where others hold bytes"
            got = f"{name}: {np.min(numbers):.6g} to {np.max(numbers):.6g}"
            fix = ("save it with 8 or 16 bits", Setting("data.scale", "none", "to keep them"))
            raise DataError(Problem(rule, got, fix, "D404", "scale it", file=name))
        return np.rint(numbers * 255).astype(np.uint8)
    numbers = numbers.astype(np.int64, copy=False)
    numbers = (1 << samples.bits) - 1 - numbers if samples.is_inverted else numbers
    scaled = (numbers + (1 << (samples.bits - 1)) * (samples.kind == "int")) >> (samples.bits - 8)
    if scaled.min() == scaled.max() and numbers.min() < numbers.max():
        rule = "the pixels of an image must fill a part of its format's range that can be seen"
        low, high = int(numbers.min()), int(numbers.max())
        got = f"{name}: {low} to {high} of {samples.bits} bits, all one grey when scaled"
        ways = (Setting("data.scale", [low, high]), "save it with 8 bits")
        raise DataError(Problem(rule, got, ways, "D404", "save it with 8 bits", file=name))
    return np.clip(scaled, 0, 255).astype(np.uint8)


def to_8_bits(image: Image.Image, samples: Samples, name: str) -> Image.Image:
    """Scale a loaded image of any bit depth by the range of its format, see `format_bytes`."""
    is_grey = image.mode[0] in "FI" or samples.name == "int8"
    if not is_grey:
        return image  # bytes; of 16-bit colours Pillow has kept the upper ones
    numbers = grey_numbers(image, samples)
    grey = Image.fromarray(format_bytes(numbers, samples, name))
    if "transparency" in image.info:  # one of the values, as a PNG may say
        is_opaque = numbers != image.info["transparency"]
        grey.putalpha(Image.fromarray(is_opaque.astype(np.uint8) * 255))
    return grey


def flatten(image: Image.Image, background: RGB) -> Image.Image:
    """Put an image with transparent pixels before a background."""
    if not image.has_transparency_data:
        return image
    behind = Image.new("RGBA", image.size, (*background, 255))
    return Image.alpha_composite(behind, image.convert("RGBA"))


def refuse_hidden(alpha: np.ndarray, most: int, samples: Samples, name: str) -> None:
    """Refuse transparency that leaves no pixel of a TIFF opaque: infrared is often called so.

    Args:
        alpha: of all pixels.
        most: what is opaque.
        samples: says how many bands there are beside it.
        name: what to call the image in a message.
    """
    if np.max(alpha) < most:
        band = samples.bands + 1
        rule = "the transparency of a TIFF must leave some pixel opaque"
        got = f"{name}: band {band}, which the file calls transparency, is at most {np.max(alpha)}"
        fix = (
            Setting("data.channels", band, "if it is a band like the others"),
            Setting("data.channels", list(range(1, band)), "to leave it out"),
        )
        help_rows = "write it without a band that is called transparency, or with an opaque one"
        raise DataError(Problem(rule, f"{got} of {most}", fix, "D442", help_rows, file=name))


def without_fourth_band(image: Image.Image, samples: Samples, name: str) -> Image.Image:
    """Take the fourth band of a TIFF for transparency only where the file says that it is."""
    if image.format != "TIFF" or image.mode not in ("RGBA", "LA"):
        return image
    if not samples.has_alpha:
        return image.convert("RGB" if image.mode == "RGBA" else "L")
    refuse_hidden(np.asarray(image.getchannel("A")), 255, samples, name)
    return image
