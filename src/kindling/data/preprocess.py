"""Train rows in, a fitted preprocessor out; any rows in, float32 or uint8 arrays out.

The only place where preprocessing is fitted, and only ever on train rows.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from kindling.data.kinds import MISSING


def fit_preprocessor(
    x: pd.DataFrame | np.ndarray, rows: np.ndarray
) -> "TablePreprocessor | ImagePreprocessor":
    """Fit what suits the data, on these rows only."""
    if isinstance(x, np.ndarray):
        return ImagePreprocessor().fit(x, rows)
    return TablePreprocessor().fit(x, rows)


class TablePreprocessor:
    """A typed table to rows of F scaled numbers and C category codes.

    A code is 0 for an unknown level, 1 for a missing one, then the levels of the train rows in
    order. Booleans are numbers 0 and 1, and are not scaled.
    """

    transformer_: ColumnTransformer
    numbers_: tuple[str, ...]
    categories_: tuple[str, ...]
    levels_: tuple[tuple[str, ...], ...]

    def fit(self, table: pd.DataFrame, rows: np.ndarray) -> "TablePreprocessor":
        """Fit on these rows of a typed table; the others are not looked at."""
        table = table.iloc[rows]
        categories = [name for name in table if not pd.api.types.is_float_dtype(table[name])]
        rest = [name for name in table if name not in categories]
        booleans = [name for name in rest if table[name].dropna().isin([0.0, 1.0]).all()]
        numbers = [name for name in rest if name not in booleans]
        levels = [sorted(set(table[name]) - {MISSING}) for name in categories]
        # A column without a single value in the train rows is kept, as zeros.
        fill = {"keep_empty_features": True}
        steps = [
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median", **fill), StandardScaler()),
                numbers,
            ),
            ("booleans", SimpleImputer(strategy="most_frequent", **fill), booleans),
            ("categories", _encoder([[MISSING, *names] for names in levels]), categories),
        ]
        self.transformer_ = ColumnTransformer(steps).fit(table)
        self.numbers_ = (*numbers, *booleans)
        self.categories_ = tuple(categories)
        self.levels_ = tuple(tuple(names) for names in levels)
        return self

    def transform(self, table: pd.DataFrame) -> np.ndarray:
        """Return float32 (N, F + C)."""
        x = self.transformer_.transform(table).astype(np.float32)
        x[:, len(self.numbers_) :] += 1  # unknown -1 -> 0, missing 0 -> 1, levels from 2
        return x

    def describe(self) -> dict[str, Any]:
        return {
            "numbers": self.numbers_,
            "categories": self.categories_,
            "cardinalities": tuple(len(names) + 2 for names in self.levels_),
        }


def _encoder(levels: list[list[str]]) -> OrdinalEncoder:
    return OrdinalEncoder(categories=levels, handle_unknown="use_encoded_value", unknown_value=-1)


class ImagePreprocessor:
    """Images stay uint8; the scale of their pixels is fitted here and applied on the device."""

    scaler_: StandardScaler
    shape_: tuple[int, int, int]

    CHUNK = 256  # images whose pixels are float64 at one time

    def fit(self, images: np.ndarray, rows: np.ndarray) -> "ImagePreprocessor":
        """Fit on these images of uint8 (N, channels, H, W); the others are not looked at."""
        self.scaler_ = StandardScaler()
        self.shape_ = images.shape[1:]
        for start in range(0, len(rows), self.CHUNK):
            chunk = images[rows[start : start + self.CHUNK]]
            pixels = chunk.transpose(0, 2, 3, 1).reshape(-1, chunk.shape[1])  # (N*H*W, channels)
            self.scaler_.partial_fit(pixels.astype(np.float64))
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        """Return the images as they are: uint8 (N, channels, H, W)."""
        return images

    def describe(self) -> dict[str, Any]:
        return {
            "image_shape": tuple(int(size) for size in self.shape_),
            "pixel_mean": tuple(self.scaler_.mean_.tolist()),
            "pixel_scale": tuple(self.scaler_.scale_.tolist()),
        }
