"""Train rows in, a fitted preprocessor out; any rows in, float32 or uint8 arrays out.

The only place where preprocessing is fitted, and only ever on train rows.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from kindling.data.infer import infer_schema
from kindling.data.kinds import MISSING
from kindling.data.schema import ImageSchema, TableSchema
from kindling.data.source import Raw, RawTable
from kindling.errors import DataError, Problem

Preprocessed = tuple[
    "TableSchema | ImageSchema", "TablePreprocessor | ImagePreprocessor", np.ndarray
]


def fit_preprocessor(raw: Raw, train: np.ndarray) -> Preprocessed:
    """Fit what suits the data on these rows; return what they are, what was fitted, and all rows.

    Raises:
        DataError: no column is left to learn from, or cells do not fit their column's kind.
    """
    if isinstance(raw.x, np.ndarray):
        images = ImagePreprocessor().fit(raw.x, train)
        return ImageSchema(*raw.x.shape[1:]), images, raw.x
    schema = infer_schema(raw.x[0].columns.take(pa.array(train)), raw.kinds)
    typed = type_rows(raw.x, schema)
    preprocessor = TablePreprocessor().fit(typed.iloc[train], schema)
    return schema, preprocessor, preprocessor.transform(typed)


def type_rows(tables: Iterable[RawTable], schema: TableSchema) -> pd.DataFrame:
    """Type the rows of all files, or list everything in them that does not fit."""
    typed: list[pd.DataFrame] = []
    problems: list[Problem] = []
    for table in tables:
        try:
            typed.append(schema.type(table.columns, table.file, table.rows))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    return pd.concat(typed, ignore_index=True) if len(typed) > 1 else typed[0]


class TablePreprocessor:
    """A typed table to rows of F scaled numbers and C category codes.

    A code is 0 for an unknown level, 1 for a missing one, then the levels of the schema in order.
    Booleans are numbers 0 and 1, and are not scaled.
    """

    transformer_: ColumnTransformer
    numbers_: tuple[str, ...]
    categories_: tuple[str, ...]
    levels_: tuple[tuple[str, ...], ...]

    def fit(self, train: pd.DataFrame, schema: TableSchema) -> "TablePreprocessor":
        """Fit on the typed train rows."""
        levels = {c.name: c.levels for c in schema.used if c.kind == "category"}
        rest = [name for name in train if name not in levels]
        booleans = [name for name in rest if train[name].dropna().isin([0.0, 1.0]).all()]
        numbers = [name for name in rest if name not in booleans]
        # A column without a single value in the train rows is kept, as zeros.
        fill = {"keep_empty_features": True}
        steps = [
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median", **fill), StandardScaler()),
                numbers,
            ),
            ("booleans", SimpleImputer(strategy="most_frequent", **fill), booleans),
            ("categories", _encoder([[MISSING, *names] for names in levels.values()]), [*levels]),
        ]
        self.transformer_ = ColumnTransformer(steps).fit(train)
        self.numbers_ = (*numbers, *booleans)
        self.categories_ = tuple(levels)
        self.levels_ = tuple(levels.values())
        return self

    def transform(self, typed: pd.DataFrame) -> np.ndarray:
        """Return float32 (N, F + C)."""
        x = self.transformer_.transform(typed).astype(np.float32)
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

    def describe(self) -> dict[str, Any]:
        return {
            "image_shape": tuple(int(size) for size in self.shape_),
            "pixel_mean": tuple(self.scaler_.mean_.tolist()),
            "pixel_scale": tuple(self.scaler_.scale_.tolist()),
        }
