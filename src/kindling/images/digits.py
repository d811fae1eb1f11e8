"""scikit-learn's handwritten digits: 1,797 grey images of 8x8, ten classes."""

import numpy as np
from sklearn.datasets import load_digits

from kindling.errors import Problem
from kindling.images.image_schema import ImageSchema
from kindling.raw_data import RawData


class DigitsSource:
    """Reads the set that scikit-learn brings along, as uint8 (N, 1, 8, 8) from 0 to 255."""

    def missing(self) -> list[Problem]:
        return []

    def read(self) -> RawData:
        images, y = load_digits(return_X_y=True)
        pixels = np.rint(images * (255 / 16)).astype(np.uint8)  # the set has 17 grey levels
        return RawData(
            x=pixels.reshape(-1, 1, 8, 8),
            y=y.astype(np.int64),
            target="digit",
            is_regression=False,
            reason="each image shows one of ten digits",
            names=np.arange(len(y)),
            images=ImageSchema(1, 8, 8, background=(0, 0, 0)),  # the digits are bright
        )
