"""scikit-learn's handwritten digits: 1,797 grey images of 8x8, ten classes."""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from kindling.data.columns.schema import ImageSchema
from kindling.data.datamodule import DataModule
from kindling.data.source import Raw
from kindling.errors import Problem


def digits(**loading: Any) -> DataModule:
    """Make the DataModule of the digits; `loading` is what `DataModule` takes."""
    return DataModule(DigitsSource(), **loading)


class DigitsSource:
    """Reads the set that scikit-learn brings along, as uint8 (N, 1, 8, 8) with levels 0 to 255."""

    def missing(self) -> list[Problem]:
        return []

    def read(self) -> Raw:
        images, y = load_digits(return_X_y=True)
        pixels = np.rint(images * (255 / 16)).astype(np.uint8)  # the set has 17 grey levels
        return Raw(
            x=pixels.reshape(-1, 1, 8, 8),
            y=y.astype(np.int64),
            target="digit",
            is_regression=False,
            reason="each image shows one of ten digits",
            names=np.arange(len(y)),
            images=ImageSchema(1, 8, 8, background=(0, 0, 0)),  # the digits are bright
        )
