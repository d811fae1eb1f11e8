"""The channels, size, data type and numbers that every image of a data set is brought to.

`choose_schema` takes from the files what nobody asked for. Kept with a model, a schema is how a
served image is read exactly as the train images were.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_high
from typing import Any, Literal, NamedTuple

Fit = Literal["pad", "crop", "stretch"]
Dtype = Literal["uint8", "float32"]
Scale = Literal["format", "range", "none"]
RGB = tuple[int, int, int]

WHITE: RGB = (255, 255, 255)
MAX_PIXELS = 50_000_000  # 8,660 x 5,773; four bytes each are 200 MB while one image is decoded
MIN_SIZE_PX = 8  # a side below this shows nothing, and no network takes it
MAX_SIZE_PX = 4096  # the longest side that data.size takes
AUTO_SIZE_PX = 128  # the longest side that data.size=auto chooses
BYTES = "uint8"


@dataclass(frozen=True)
class ImageSchema:
    """What every image of a data set is: an array (channels, height, width).

    Args:
        channels: 1 (grey) or 3 (colour), or as many as there are bands; any number of arrays.
        height, width: in pixels.
        fit: what becomes of another shape: "pad" and "crop" keep it, "stretch" does not.
        background: red, green and blue (0 to 255) behind transparent pixels and in the padding.
        dtype: "uint8", 0 to 255; or "float32", in whatever range and unit the data have.
        scale: how a file's numbers become these: "format" scales the range of its format to 0 to
            255, "range" what value_range says; "none" keeps them as they are.
        value_range: in the unit of the files; of "none", what the files held: black and white.
        samples: what the numbers of the files were, such as "uint16"; "" of several kinds.
        bands: those of a file that are its channels, counted from 1; () is grey or colour as seen.
        num_bands: how many bands a file must have; 0 if that is not looked at.
        page: of a file with several, counted from 1.
        max_pixels: a larger image is refused before it is decoded.
    """

    channels: int
    height: int
    width: int
    fit: Fit = "pad"
    background: RGB = WHITE
    dtype: Dtype = "uint8"
    scale: Scale = "format"
    value_range: tuple[float, float] = (0.0, 255.0)
    samples: str = ""
    bands: tuple[int, ...] = ()
    num_bands: int = 0
    page: int = 1
    max_pixels: int = MAX_PIXELS

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "ImageSchema":
        """Make a schema of what JSON has made of one: lists become tuples again."""
        typed: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**typed)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @property
    def is_grey_or_colour(self) -> bool:
        """Whether a page can show such images: bytes of grey, or of red, green and blue."""
        return self.dtype == "uint8" and self.channels in (1, 3)

    @property
    def takes_image_files(self) -> bool:
        """Whether image files such as PNG become such images; else only arrays do."""
        return self.is_grey_or_colour or self.scale != "format" or bool(self.bands)

    @property
    def keeps_numbers(self) -> bool:
        """Whether the numbers of files are kept as they are, in the unit of the files."""
        return self.scale == "none" and self.dtype == "float32"

    @property
    def is_seen(self) -> bool:
        """Whether the channels are grey, or red, green and blue, in whatever range."""
        has_colours = self.channels in (1, 3) and self.bands in ((), (1,), (1, 2, 3))
        return has_colours and (self.dtype == "uint8" or self.keeps_numbers)

    @property
    def colours(self) -> str:
        """Channels and data type in words: "grey", "colour", or "4-channel float32"."""
        if not self.is_seen:
            return f"{self.channels}-channel {self.dtype}"
        word = "grey" if self.channels == 1 else "colour"
        return word if self.dtype == "uint8" else f"{word} {self.dtype}"


class ImageHeader(NamedTuple):
    """What an image file says of itself before it is decoded, its EXIF orientation applied.

    Args:
        samples: what its numbers are, such as "uint8", "uint12", "int16" or "float32".
        bands: numbers of a pixel, without transparency.
        has_alpha: whether there is transparency, too.
    """

    height: int
    width: int
    is_grey: bool
    format: str
    has_more_frames: bool
    samples: str = BYTES
    bands: int = 3
    has_alpha: bool = False


@dataclass(frozen=True)
class ImageOptions:
    """What a user asks of all images; a size or channels of None are taken from the files.

    Args:
        channels: 1, 3, or how many of the bands.
        bands: these bands, counted from 1.
        scale: "auto" keeps more than 8 bits as they are; "format" and "none" as in ImageSchema; two
            numbers become 0 and 255.
        page: of a file with several, counted from 1.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: Fit = "pad"
    background: RGB = WHITE
    max_pixels: int = MAX_PIXELS
    bands: tuple[int, ...] = ()
    scale: tuple[float, float] | Literal["auto", "format", "none"] = "auto"
    page: int = 1


def choose_schema(headers: Iterable[ImageHeader | None], options: ImageOptions) -> ImageSchema:
    """Take size, channels, bands and numbers from the files where they are not asked for.

    The size is what at least half of the images have, else the median of each side, shrunk to
    AUTO_SIZE_PX; the images are grey if all of them are. The value range of numbers that are kept
    as they are is not known before they are read.
    """
    known = [header for header in headers if header is not None]
    sizes = Counter((header.height, header.width) for header in known)
    common, count = sizes.most_common(1)[0]
    if 2 * count < len(known):
        common = tuple(median_high(sides) for sides in zip(*sizes.elements(), strict=True))
    shrink = min(1.0, AUTO_SIZE_PX / max(common))
    auto = tuple(max(MIN_SIZE_PX, round(side * shrink)) for side in common)
    height, width = options.size or auto
    kinds = {header.samples for header in known}
    bands = _choose_bands(known, options)
    seen = options.channels or (1 if all(header.is_grey for header in known) else 3)
    counts = {header.bands + header.has_alpha for header in known}
    scale = _choose_scale(kinds, options)
    return ImageSchema(
        len(bands) or seen,
        height,
        width,
        options.fit,
        options.background,
        dtype="float32" if scale == "none" else "uint8",
        scale=scale,
        value_range=options.scale if isinstance(options.scale, tuple) else (0.0, 255.0),
        samples=kinds.pop() if len(kinds) == 1 else "",
        bands=bands,
        num_bands=counts.pop() if bands and len(counts) == 1 else 0,
        page=options.page,
        max_pixels=options.max_pixels,
    )


def _choose_bands(headers: list[ImageHeader], options: ImageOptions) -> tuple[int, ...]:
    """Return the bands that become channels; () where the images are grey or colour as seen."""
    if options.bands:
        return options.bands
    most = max(header.bands for header in headers)
    is_seen = all(header.bands in (1, 3) for header in headers)
    if options.channels not in (None, 1, 3) or (options.channels == 3 and most > 3):
        return tuple(range(1, (options.channels or 0) + 1))
    return () if is_seen or options.channels else tuple(range(1, most + 1))


def _choose_scale(kinds: set[str], options: ImageOptions) -> Scale:
    if isinstance(options.scale, tuple):
        return "range"
    if kinds == {BYTES} or options.scale == "format":
        return "format"
    # Of several bit depths only the formats' ranges can be compared.
    return "none" if len(kinds) == 1 or options.scale == "none" else "format"
