"""Applications of finished runs: penguins, digits, odd names, and images that are arrays."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.kindling.bundle.conftest import digits_run, penguins_run, train, weight_run
from tests.kindling.images.test_npy_source import NpySource, made
from tests.kindling.serve.asking import CATEGORIES, CLASSES, QUOTES, SHOUT, Asked

__all__ = ["digits_run", "penguins_run", "train", "weight_run"]


@pytest.fixture(scope="session")
def odd_run(train, tmp_path_factory):
    """A run on a table whose columns, categories and classes would break a careless page."""
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 200)
    frame = pd.DataFrame(
        {
            SHOUT: size.round(2),
            QUOTES: rng.choice(CATEGORIES, 200),
            "is, or not": rng.random(200) < 0.5,
            "day": pd.date_range("2024-01-01", periods=200).strftime("%d.%m.%Y"),
            "answer": np.where(size > 50, *CLASSES),
        }
    )
    file = tmp_path_factory.mktemp("odd") / "odd.csv"
    frame.to_csv(file, index=False)
    return train("data=table", f"data.path={file}", "data.target=answer", "model.width=8")


@pytest.fixture(scope="session")
def arrays_run(train, tmp_path_factory):
    """A run on images of 4 float32 channels, 10 x 12 pixels, each a .npy file."""
    folder = tmp_path_factory.mktemp("arrays")
    images = made("float32", 4)
    labels = {f"{k:02}.npy": "dark" if k % 2 == 0 else "bright" for k in range(len(images))}
    for name, image in zip(labels, images, strict=True):
        np.save(folder / name, image)
    (folder / "labels.json").write_text(json.dumps(labels))
    source = f"data.source={NpySource.__module__}.NpySource"
    return train("data=digits", source, f"+data.path={folder}", "model.width=4")


@pytest.fixture(scope="module")
def penguins(penguins_run):
    return Asked(penguins_run)


@pytest.fixture(scope="module")
def digits(digits_run):
    return Asked(digits_run)


@pytest.fixture(scope="module")
def odd(odd_run):
    return Asked(odd_run)


@pytest.fixture(scope="module")
def arrays(arrays_run):
    return Asked(arrays_run)
