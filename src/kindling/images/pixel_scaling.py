"""Standardise pixels: fit mean and scale of each channel on train images, apply them on the device.

Images stay uint8 (or float32) in memory and on the bus; the scaling is part of an exported network.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from kindling.images.image_schema import ImageSchema
from kindling.raw_data import RawData

CHUNK, CHUNK_BYTES = 256, 32 << 20  # images that are looked at together, at most


class ImagePreprocessor:
    """The mean and the standard deviation of each channel over the train images' pixels."""

    mean_: tuple[float, ...]
    scale_: tuple[float, ...]
    shape_: tuple[int, int, int]

    def fit(self, images: np.ndarray, rows: np.ndarray) -> "ImagePreprocessor":
        """Fit scikit-learn's StandardScaler, a chunk of images at a time.

        Args:
            images: uint8 or float32 (N, channels, H, W), in memory or mapped from a file.
            rows: int64, which of them are train images; the others are not looked at.
        """
        chunk = max(1, min(CHUNK, CHUNK_BYTES // images[:1].nbytes))
        chunks = (images[rows[start : start + chunk]] for start in range(0, len(rows), chunk))
        fit = _fit_uint8 if images.dtype == np.uint8 else _fit_float32
        means, scales = zip(*fit(chunks, images.shape[1]), strict=True)
        self.mean_, self.scale_ = tuple(map(float, means)), tuple(map(float, scales))
        self.shape_ = images.shape[1:]
        return self

    def describe(self) -> dict[str, Any]:
        """Return what a DataSpec holds of the images."""
        shape = tuple(int(size) for size in self.shape_)
        return {"image_shape": shape, "pixel_mean": self.mean_, "pixel_scale": self.scale_}


def _fit_uint8(chunks: Iterator[np.ndarray], channels: int) -> Iterator[tuple[float, float]]:
    """Count how often each of the 256 values occurs: it says as much as all pixels."""
    counts = torch.zeros((channels, 256), dtype=torch.int64)
    for chunk in chunks:
        pixels = torch.from_numpy(chunk)
        for channel, seen in enumerate(counts):
            seen += pixels[:, channel].reshape(-1).bincount(minlength=256)
    values = np.arange(256.0)[:, None]
    for seen in counts:
        scaler = StandardScaler().fit(values, sample_weight=seen.numpy())
        yield scaler.mean_[0], scaler.scale_[0]


def _fit_float32(chunks: Iterator[np.ndarray], channels: int) -> Iterator[tuple[float, float]]:
    scaler = StandardScaler()
    for chunk in chunks:
        scaler.partial_fit(np.moveaxis(chunk, 1, -1).reshape(-1, channels))  # (N*H*W, channels)
    yield from zip(scaler.mean_, scaler.scale_, strict=True)


def fit_images(
    raw: RawData, train: np.ndarray
) -> tuple[ImageSchema, "ImagePreprocessor", np.ndarray]:
    """Fit the pixel statistics on train images.

    Args:
        raw: images of all splits.
        train: int64, which of them are train rows.

    Returns:
        How the images are made, what was fitted, and all images as they are.
    """
    assert raw.images is not None
    assert isinstance(raw.x, np.ndarray)
    return raw.images, ImagePreprocessor().fit(raw.x, train), raw.x


class PixelScaler(nn.Module):
    """Standardise each channel with a mean and a scale in the unit of the pixels (uint8: 0-255)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: tuple[float, ...], scale: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))  # (channels, 1, 1)
        self.register_buffer("scale", torch.tensor(scale).view(-1, 1, 1))

    def forward(
        self,
        pixels: UInt8[Tensor, "batch channels height width"]
        | Float32[Tensor, "batch channels height width"],
    ) -> Float32[Tensor, "batch channels height width"]:
        return (pixels.float() - self.mean) / self.scale
