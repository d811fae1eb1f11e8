"""Train images in, the mean and the scale of their pixels out."""

from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler


class ImagePreprocessor:
    """Images stay uint8; the scale of their pixels is fitted here and applied on the device."""

    scalers_: list[StandardScaler]
    shape_: tuple[int, int, int]

    CHUNK = 256  # images that are counted at one time

    def fit(self, images: np.ndarray, rows: np.ndarray) -> "ImagePreprocessor":
        """Fit on these images of uint8 (N, channels, H, W); the others are not looked at.

        How often each of 256 levels occurs says as much as all pixels, and is fitted at once.
        """
        counts = torch.zeros((images.shape[1], 256), dtype=torch.int64)
        for start in range(0, len(rows), self.CHUNK):
            chunk = torch.from_numpy(images[rows[start : start + self.CHUNK]])
            for channel, seen in enumerate(counts):
                seen += chunk[:, channel].reshape(-1).bincount(minlength=256)
        levels = np.arange(256.0)[:, None]
        self.scalers_ = [
            StandardScaler().fit(levels, sample_weight=seen.numpy()) for seen in counts
        ]
        self.shape_ = images.shape[1:]
        return self

    def describe(self) -> dict[str, Any]:
        return {
            "image_shape": tuple(int(size) for size in self.shape_),
            "pixel_mean": tuple(float(scaler.mean_[0]) for scaler in self.scalers_),
            "pixel_scale": tuple(float(scaler.scale_[0]) for scaler in self.scalers_),
        }
