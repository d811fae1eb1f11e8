"""What files say of themselves, and what is asked of them, in; how all of them are decoded out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_high

from kindling.images.bit_depth import RGB
from kindling.images.decode import MAX_PIXELS, Header
from kindling.images.schema import Fit, ImageSchema
from kindling.images.warnings import MIN_SIZE_PX

AUTO_SIZE_PX = 128  # the longest side that "auto" chooses


@dataclass(frozen=True)
class Options:
    """What is asked of all images; a size or channels of None are taken from the files."""

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: Fit = "pad"
    background: RGB = (255, 255, 255)
    max_pixels: int = MAX_PIXELS


DEFAULTS = Options()


def choose(headers: Iterable[Header | None], options: Options) -> ImageSchema:
    """Choose size and channels from the files, where they are not asked for."""
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


def resized(headers: Iterable[Header | None], schema: ImageSchema) -> list[str]:
    """Note how many images have another size, and what becomes of them."""
    size = (schema.height, schema.width)
    count = sum(h is not None and (h.height, h.width) != size for h in headers)
    word = {"pad": "padded", "crop": "cropped", "stretch": "stretched"}[schema.fit]
    return [f"{count:,} of them {word} to that size"] if count else []
