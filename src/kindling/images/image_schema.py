"""The channels, size and data type that every image of a data set is brought to.

`choose_schema` takes from the files what nobody asked for. Kept with a model, a schema is how a
served image is read exactly as the train images were.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_high
from typing import Literal, NamedTuple

Fit = Literal["pad", "crop", "stretch"]
Dtype = Literal["uint8", "float32"]
RGB = tuple[int, int, int]

WHITE: RGB = (255, 255, 255)
MAX_PIXELS = 50_000_000  # 8,660 x 5,773; four bytes each are 200 MB while one image is decoded
MIN_SIZE_PX = 8  # a side below this shows nothing, and no network takes it
AUTO_SIZE_PX = 128  # the longest side that data.size=auto chooses


@dataclass(frozen=True)
class ImageSchema:
    """What every image of a data set is: an array (channels, height, width).

    Args:
        channels: 1 (grey) or 3 (colour) where image files are decoded; any number of arrays.
        height, width: in pixels.
        fit: what becomes of another shape: "pad" and "crop" keep it, "stretch" does not.
        background: red, green and blue (0 to 255) behind transparent pixels and in the padding.
        dtype: "uint8", 0 to 255; or "float32", in whatever range and unit the data have.
    """

    channels: int
    height: int
    width: int
    fit: Fit = "pad"
    background: RGB = WHITE
    dtype: Dtype = "uint8"

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @property
    def is_grey_or_colour(self) -> bool:
        """Whether image files such as PNG can hold such images, and a page can show them."""
        return self.dtype == "uint8" and self.channels in (1, 3)

    @property
    def colours(self) -> str:
        """Channels and data type in words: "grey", "colour", or "4-channel float32"."""
        if self.is_grey_or_colour:
            return "grey" if self.channels == 1 else "colour"
        return f"{self.channels}-channel {self.dtype}"


class ImageHeader(NamedTuple):
    """What an image file says of itself before it is decoded, its EXIF orientation applied."""

    height: int
    width: int
    is_grey: bool
    format: str
    has_more_frames: bool


@dataclass(frozen=True)
class ImageOptions:
    """What a user asks of all images; a size or channels of None are taken from the files."""

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: Fit = "pad"
    background: RGB = WHITE
    max_pixels: int = MAX_PIXELS


def choose_schema(headers: Iterable[ImageHeader | None], options: ImageOptions) -> ImageSchema:
    """Take size and channels from the files where they are not asked for.

    The size is what at least half of the images have, else the median of each side, shrunk to
    AUTO_SIZE_PX; the images are grey if all of them are.
    """
    known = [header for header in headers if header is not None]
    sizes = Counter((header.height, header.width) for header in known)
    common, count = sizes.most_common(1)[0]
    if 2 * count < len(known):
        common = tuple(median_high(sides) for sides in zip(*sizes.elements(), strict=True))
    shrink = min(1.0, AUTO_SIZE_PX / max(common))
    auto = tuple(max(MIN_SIZE_PX, round(side * shrink)) for side in common)
    height, width = options.size or auto
    channels = options.channels or (1 if all(header.is_grey for header in known) else 3)
    return ImageSchema(channels, height, width, options.fit, options.background)
