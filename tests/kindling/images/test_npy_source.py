"""A data source of one's own: .npy files of any channels, uint8 or float32, labels in JSON."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from kindling.errors import DataError, Problem
from kindling.images.arrays import array_schema, stack_npy
from kindling.images.augmentation import Augment
from kindling.images.image_schema import ImageSchema
from kindling.images.pixel_scaling import ImagePreprocessor, PixelScaler
from kindling.raw_data import RawData

FLOATS = ImageSchema(4, 10, 12, dtype="float32")


class NpySource:
    """Reads a folder of .npy files, each (channels, height, width), and labels.json beside them."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def missing(self) -> list[Problem]:
        if (self.path / "labels.json").is_file():
            return []
        return [Problem("data.path must hold labels.json", str(self.path), "correct data.path")]

    def read(self) -> RawData:
        labels = json.loads((self.path / "labels.json").read_text())
        x = np.stack([np.load(self.path / name) for name in labels])
        return RawData(
            x=x,
            y=np.array([*labels.values()], dtype=object),
            target="label",
            is_regression=False,
            reason="labels.json holds names",
            names=np.array([*labels], dtype=object),
            images=array_schema(x),
        )


class Quantities(NpySource):
    """Gives a quantity for each image."""

    def read(self) -> RawData:
        raw = super().read()
        y = np.exp(2 * np.random.default_rng(0).normal(size=len(raw.y)))  # skewed
        return replace(raw, y=y, is_regression=True, target_transform="auto")


def made(dtype, channels, rows=60):
    """Make images of two classes that differ in brightness; float32 ones far from 0 to 255."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 100, (rows, channels, 10, 12)) + 100 * (np.arange(rows) % 2).reshape(
        -1, 1, 1, 1
    )
    return x.astype(np.uint8) if dtype == "uint8" else (x / 7 - 1000).astype(np.float32)


@pytest.fixture
def npy_folder(tmp_path):
    def write(x):
        labels = {f"{k:02}.npy": "dark" if k % 2 == 0 else "bright" for k in range(len(x))}
        for name, image in zip(labels, x, strict=True):
            np.save(tmp_path / name, image)
        (tmp_path / "labels.json").write_text(json.dumps(labels))
        return tmp_path

    return write


MORE_ARRAYS = [("float32", 1), ("float32", 3), ("uint8", 2)]


@pytest.mark.parametrize("augment", ["none", "strong"])
@pytest.mark.parametrize(
    ("dtype", "channels"),
    [
        ("float32", 4),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE_ARRAYS),
    ],
)
def test_an_own_source_of_npy_files_trains(build, npy_folder, dtype, channels, augment):
    folder = npy_folder(made(dtype, channels))
    source = f"{NpySource.__module__}.NpySource"
    words = [f"data.source={source}", f"+data.path={folder}", f"data.augment={augment}"]
    data, task, trainer = build("data=digits", "trainer.max_epochs=1", "data.flip=true", *words)
    assert data.schema.colours == f"{channels}-channel {dtype}"
    trainer.fit(task, data)
    assert np.isfinite(trainer.callback_metrics["val/loss"].item())
    trainer.test(task, data, verbose=False)
    train = data.raw.x[data.split["train"]]
    assert data.spec.image_shape == (channels, 10, 12)
    assert data.x.dtype == getattr(torch, dtype)
    assert data.schema == ImageSchema(channels, 10, 12, dtype=dtype)
    assert data.spec.pixel_mean == pytest.approx(train.mean(axis=(0, 2, 3), dtype=np.float64))
    assert data.spec.pixel_scale == pytest.approx(train.std(axis=(0, 2, 3), dtype=np.float64))
    (batch, *_) = data.val_dataloader()
    scaled = data.on_after_batch_transfer(batch, 0).x
    assert scaled.dtype == torch.float32
    assert scaled.abs().max() < 5


@pytest.mark.parametrize("schema", [None, ImageSchema(2, 10, 12), ImageSchema(3, 10, 12)])
def test_a_source_that_does_not_describe_its_arrays_is_told_how(schema):
    y, names = np.zeros(60), np.arange(60)
    with pytest.raises(AssertionError, match=r"images=array_schema\(x\)"):
        RawData(made("float32", 2), y, "y", True, "", names, images=schema)


def test_a_quantity_is_learnt_from_arrays(build, npy_folder):
    folder = npy_folder(made("float32", 2))
    source = f"{NpySource.__module__}.Quantities"
    data, _, _ = build("data=digits", f"data.source={source}", f"+data.path={folder}")
    assert (data.spec.problem_type, data.spec.target_transform) == ("regression", "none")


def test_statistics_of_floats_are_scikit_learns_of_the_train_rows_in_whatever_chunks(monkeypatch):
    x = np.random.default_rng(0).normal(1e3, 5, (50, 3, 8, 8)).astype(np.float32)
    x[40:] = np.nan  # val and test rows are not looked at
    train = np.arange(40)
    expected = StandardScaler().fit(x[train].transpose(0, 2, 3, 1).reshape(-1, 3))
    for chunk in (256, 7, 1):
        monkeypatch.setattr("kindling.images.pixel_scaling.CHUNK", chunk)
        fitted = ImagePreprocessor().fit(x, train)
        assert fitted.mean_ == pytest.approx(expected.mean_)
        assert fitted.scale_ == pytest.approx(expected.scale_)


def test_statistics_of_large_images_are_fitted_a_few_at_a_time(monkeypatch):
    x = made("float32", 2)
    monkeypatch.setattr("kindling.images.pixel_scaling.CHUNK_BYTES", 3 * x[0].nbytes)
    seen = []
    monkeypatch.setattr(
        StandardScaler,
        "partial_fit",
        lambda self, rows, fit=StandardScaler.partial_fit: [
            seen.append(len(rows)),
            fit(self, rows),
        ],
    )
    ImagePreprocessor().fit(x, np.arange(60))
    assert seen == [3 * 10 * 12] * 20


def test_a_constant_channel_keeps_its_scale():
    fitted = ImagePreprocessor().fit(np.full((9, 1, 8, 8), 2.5, np.float32), np.arange(9))
    assert (fitted.mean_, fitted.scale_) == ((2.5,), (1.0,))
    x = torch.full((2, 1, 8, 8), 2.5)
    assert (PixelScaler(fitted.mean_, fitted.scale_)(x) == 0).all()


@pytest.mark.parametrize("strength", ["light", "strong"])
def test_floats_are_augmented_in_their_own_range_and_not_coloured(strength):
    x = torch.full((20, 3, 16, 16), -1000.25)
    changed = Augment(strength, flip=True, seed=0)(x, torch.arange(20), 0)
    assert changed.dtype == torch.float32
    assert changed.max() < -500  # not clamped to 0 to 255
    assert (changed != changed.round()).any()
    assert torch.equal(changed[:, 0], changed[:, 1])  # three channels are no colours
    assert len(changed[:, 0, 8, 8].unique()) == 20  # brightness differs


def test_files_of_a_source_are_named_where_they_cannot_be_stacked(tmp_path):
    for number, shape in enumerate([(1, 4, 4), (1, 4, 4), (1, 4, 5)]):
        np.save(tmp_path / f"{number}.npy", np.zeros(shape, "float32"))
    assert stack_npy(tmp_path, ["0.npy", "1.npy"]).shape == (2, 1, 4, 4)
    with pytest.raises(DataError, match=r"one shape .*; got 0.npy \(1, 4, 4\), but 2.npy"):
        stack_npy(tmp_path, ["0.npy", "1.npy", "2.npy"])
    with pytest.raises(DataError, match=r"has no 7.npy, 8.npy; put it there"):
        stack_npy(tmp_path, ["0.npy", "7.npy", "8.npy"])
    (tmp_path / "1.npy").write_bytes(b"no array")
    with pytest.raises(DataError, match=r"must hold one array of numbers; got 1.npy"):
        stack_npy(tmp_path, ["0.npy", "1.npy"])
