import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.images.pixel_scaling import ImagePreprocessor
from kindling.tables import preprocessor as preprocess
from kindling.tables.inference import infer_schema
from kindling.tables.preprocessor import TablePreprocessor
from project.data.edges import find_edges
from project.data.preprocessing import make_transformer

RAW = {
    "size": [1.0, 3.0, None, 1.0, 3.0, None, 1.0, 3.0, None, 1000.0],
    "new": [1.0, 0.0, None] * 3 + [1.0],
    "town": ["Rom", None, "Ulm"] * 3 + ["Ys"],
}
TRAIN = slice(0, 9)


def fit(raw):
    """Fit on the first nine rows; return the preprocessor and all typed rows."""
    table = pa.table(raw)
    schema = infer_schema(table.slice(0, 9))
    typed = schema.cast(table, "table")
    return TablePreprocessor(make_transformer).fit(typed.iloc[TRAIN], schema), typed


@pytest.fixture
def fitted():
    return fit(RAW)[0]


@pytest.fixture
def x(fitted):
    return fitted.transform(fit(RAW)[1])


def test_rows_are_float32_numbers_then_codes(x, fitted):
    assert x.dtype == np.float32
    assert x.shape == (10, 5)
    assert fitted.numbers_ == ("size", "size is missing", "new", "new is missing")


def test_numbers_are_imputed_and_scaled_by_the_train_rows(x):
    # size: the median of 1 and 3 fills the gap; then mean 2, standard deviation sqrt(2/3).
    assert x[:3, 0] == pytest.approx(np.array([-1, 1, 0]) / np.sqrt(2 / 3))


def test_booleans_and_gaps_stay_zero_and_one(x, fitted):
    assert set(x[:, fitted.numbers_.index("new")].tolist()) == {0, 1}
    assert x[:4, fitted.numbers_.index("size is missing")].tolist() == [0, 0, 1, 0]


def test_a_column_without_a_value_in_a_chunk_is_imputed(fitted):
    empty = fit(RAW)[1].assign(size=np.nan)
    assert (fitted.transform(empty)[:, 0] == 0).all()


def test_codes_are_zero_for_unknown_and_one_for_missing(x, fitted):
    assert x[[0, 1, 2, 9], -1].tolist() == [2, 1, 3, 0]
    assert fitted.describe()["cardinalities"] == (4,)


def test_missing_is_one_even_where_train_has_none():
    fitted, typed = fit({"town": ["a", "b", "b"] * 3 + [None], "n": range(10)})
    assert fitted.transform(typed)[-1, -1] == 1


def test_what_is_fitted_does_not_change_with_other_rows():
    other = {
        name: [*cells[:9], new]
        for (name, cells), new in zip(RAW.items(), (-7.0, 0.0, "P"), strict=True)
    }
    (first, typed), (second, _) = fit(RAW), fit(other)
    assert first.describe() == second.describe()
    rows = typed.iloc[TRAIN]
    assert (first.transform(rows) == second.transform(rows)).all()


def test_pixels_are_measured_on_the_train_images_only():
    images = np.random.default_rng(0).integers(0, 256, (300, 3, 8, 8), dtype=np.uint8)
    images[299] = 255
    spec = ImagePreprocessor().fit(images, np.arange(299)).describe()
    train = images[:299].astype(np.float64)
    assert spec["pixel_mean"] == pytest.approx(train.mean(axis=(0, 2, 3)))
    assert spec["pixel_scale"] == pytest.approx(train.std(axis=(0, 2, 3)))
    assert spec["image_shape"] == (3, 8, 8)


def test_of_many_rows_some_are_looked_at_and_the_categories_of_those_are_known(
    build, tmp_path, monkeypatch
):
    frame = pd.DataFrame(
        {"n": np.arange(600) % 97 / 7, "c": list("ab") * 300, "y": [0, 1, 1] * 200}
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    words = ["data=table", "data.target=y", f"data.path={tmp_path / 't.csv'}"]
    whole, *_ = build(*words)
    monkeypatch.setattr(preprocess, "MOST_TO_READ", 200)
    monkeypatch.setattr(preprocess, "MOST_TO_FIT", 50)
    part, *_ = build(*words)
    again, *_ = build(*words)
    assert part.preprocessor.values_ == whole.preprocessor.values_ == (("a", "b"),)
    assert part.x.equal(again.x)
    scales = [d.preprocessor.transformer_.named_transformers_["numbers"][1] for d in (part, whole)]
    assert [int(scale.n_samples_seen_) for scale in scales] == [50, 420]
    assert abs(scales[0].mean_ - scales[1].mean_) < 3 * scales[1].scale_ / 50**0.5


def edges_of(values):
    x = np.array(values, np.float32)[:, None]
    return find_edges(x, np.arange(len(x)), 1)[0]


def test_few_values_are_the_edges_and_of_many_the_quantiles():
    assert edges_of([3, 1, 1, 2]) == (1, 2, 3)
    edges = edges_of(np.arange(10_001))
    assert (edges[0], edges[-1]) == (0, 10_000)
    assert 30 < len(edges) <= 64
    assert 200 < np.diff(edges).max() < 400


def test_of_many_rows_more_values_are_edges():
    days = np.arange(365)
    assert len(edges_of(np.tile(days, 99))) < 100
    assert len(edges_of(np.tile(days, 101))) == 365


def test_values_of_few_rows_get_edges_too():
    edges = edges_of([0] * 9_000 + [*range(1, 1001)])
    assert sum(edge > 0 for edge in edges) > 20


def test_edges_are_apart_and_never_fewer_than_two():
    assert edges_of([5, 5]) == (5, 6)
    near = np.nextafter(np.float32(1), np.float32(2))
    assert edges_of([0, 1, near]) == (0, 1)


def test_edges_come_from_train_rows_and_are_fewer_where_columns_are_many():
    x = np.random.default_rng(0).normal(size=(500, 1001)).astype(np.float32)
    x[300:] *= 100
    edges = find_edges(x, np.arange(300), 1000)
    assert len(edges) == 1000
    assert max(map(len, edges)) <= 20
    assert max(map(max, edges)) < 10
