import numpy as np
import pandas as pd
import pytest

from kindling.data.kinds import MISSING
from kindling.data.preprocess import ImagePreprocessor, TablePreprocessor

TABLE = pd.DataFrame(
    {
        "size": [1.0, 3.0, np.nan, 1000.0],
        "new": [1.0, 0.0, np.nan, 1.0],
        "empty": [np.nan, np.nan, np.nan, 5.0],
        "town": ["Rom", MISSING, "Ulm", "Ys"],
    }
)
TRAIN = np.array([0, 1, 2])


@pytest.fixture
def x():
    return TablePreprocessor().fit(TABLE, TRAIN).transform(TABLE)


def test_rows_are_float32_numbers_then_codes(x):
    assert x.dtype == np.float32
    assert x.shape == (4, 4)


def test_numbers_are_imputed_and_scaled_by_the_train_rows(x):
    # size: the median of 1 and 3 fills the gap; then mean 2, standard deviation sqrt(2/3).
    assert x[:3, 0] == pytest.approx(np.array([-1, 1, 0]) / np.sqrt(2 / 3))


def test_booleans_stay_zero_and_one(x):
    fitted = TablePreprocessor().fit(TABLE, TRAIN)
    assert x[:, fitted.numbers_.index("new")].tolist() == [1, 0, 0, 1]


def test_a_column_without_a_train_value_is_zero_there(x):
    fitted = TablePreprocessor().fit(TABLE, TRAIN)
    assert (x[:3, fitted.numbers_.index("empty")] == 0).all()


def test_codes_are_zero_for_unknown_and_one_for_missing(x):
    assert x[:, 3].tolist() == [2, 1, 3, 0]
    assert TablePreprocessor().fit(TABLE, TRAIN).describe()["cardinalities"] == (4,)


def test_missing_is_one_even_where_train_has_none():
    table = pd.DataFrame({"town": ["a", "b", MISSING]})
    fitted = TablePreprocessor().fit(table, np.array([0, 1]))
    assert fitted.transform(table)[:, 0].tolist() == [2, 3, 1]


def test_what_is_fitted_does_not_change_with_other_rows():
    other = TABLE.copy()
    other.loc[3] = [-7.0, 0.0, 1.0, "Paris"]
    first, second = (TablePreprocessor().fit(table, TRAIN) for table in (TABLE, other))
    assert first.describe() == second.describe()
    rows = TABLE.iloc[TRAIN]
    assert (first.transform(rows) == second.transform(rows)).all()


def test_pixels_are_measured_on_the_train_images_only():
    images = np.random.default_rng(0).integers(0, 256, (300, 3, 8, 8), dtype=np.uint8)
    images[299] = 255
    spec = ImagePreprocessor().fit(images, np.arange(299)).describe()
    train = images[:299].astype(np.float64)
    assert spec["pixel_mean"] == pytest.approx(train.mean(axis=(0, 2, 3)))
    assert spec["pixel_scale"] == pytest.approx(train.std(axis=(0, 2, 3)))
    assert spec["image_shape"] == (3, 8, 8)
