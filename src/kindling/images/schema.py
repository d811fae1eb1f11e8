"""The channels, size and data type that every image of a data set is brought to."""

from dataclasses import dataclass
from typing import Literal

Fit = Literal["pad", "crop", "stretch"]


@dataclass(frozen=True)
class ImageSchema:
    """How any image file becomes uint8 (channels, height, width).

    Args:
        channels: 1 (grey) or 3 (colour).
        height, width: in pixels.
        fit: what becomes of another shape: "pad" and "crop" keep it, "stretch" does not.
        background: red, green and blue (0 to 255) behind transparent pixels and in the padding.
    """

    channels: int
    height: int
    width: int
    fit: Fit = "pad"
    background: tuple[int, int, int] = (255, 255, 255)
