"""Images of one group stay in one split, whether folders or a table say which they are."""

import numpy as np
import pandas as pd
import pytest

from kindling.checks.overview import IMAGES, LOADING
from kindling.errors import DataError
from kindling.registry import DATA, load
from tests.kindling.images.made_images import save_images

PATIENTS = 12


def split(path, **keys):
    data = load(DATA)(**LOADING | {"source": IMAGES, "path": path, **keys})
    data.setup()
    return data.raw, data.split


def groups_by_split(raw, rows_by_split):
    return {name: set(raw.groups[rows]) for name, rows in rows_by_split.items()}


@pytest.fixture(params=["folders", "table"])
def patients(request, tmp_path):
    """Write four images of each patient; return what says which are whose."""
    if request.param == "folders":
        folders = [f"{'ab'[k % 2]}/p{k}" for k in range(PATIENTS)]
        return {"path": save_images(tmp_path / "photos", *folders), "group": "folder"}
    photos = save_images(tmp_path / "photos", ".", count=4 * PATIENTS)
    numbers = np.arange(4 * PATIENTS)
    table = {
        "file": [f"{k:02}.png" for k in numbers],
        "label": ["ab"[k // 4 % 2] for k in numbers],
        "patient": [f"p{k // 4}" for k in numbers],
    }
    pd.DataFrame(table).to_csv(tmp_path / "labels.csv", index=False)
    return {"path": photos, "labels": tmp_path / "labels.csv", "group": "patient"}


@pytest.mark.parametrize("fold", [None, 0, 1, 2])
def test_no_group_is_in_two_splits(patients, fold):
    raw, rows = split(**patients, fold=fold, num_folds=3)
    found = groups_by_split(raw, rows)
    assert set.union(*found.values()) == {f"p{k}" for k in range(PATIENTS)}
    assert sum(map(len, found.values())) == PATIENTS


def test_without_a_group_they_would_be_torn(patients):
    keys = {key: value for key, value in patients.items() if key != "group"}
    _, rows = split(**keys)
    raw, _ = split(**patients)
    assert sum(map(len, groups_by_split(raw, rows).values())) > PATIENTS


def test_a_given_split_that_tears_a_group_is_refused(tmp_path):
    folders = [f"{name}/{label}/p1" for name in ("train", "test") for label in "ab"]
    with pytest.raises(DataError) as caught:
        split(save_images(tmp_path, *folders), group="folder")
    assert caught.value.problems[0].code == "D303"
