"""A run knows the data it is made of: what differs is named, and nothing else is said to differ."""

import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from kindling import row_hashes
from kindling.checks.overview import LOADING
from kindling.data_differences import differences
from kindling.data_record import make_record, read_record, write_record
from kindling.errors import DataError
from kindling.images.image_source import ImageSource
from kindling.row_hashes import hash_rows
from kindling.tables.source import TableSource
from project.data.datamodule import DataModule
from tests.kindling.thinning import thin


def record_of(source, **keys):
    data = DataModule(source, **(LOADING | keys))
    data.setup()
    return make_record(data)


def table(path, frame, **keys):
    frame.to_csv(path, index=False)
    return record_of(TableSource(str(path), "label", **keys))


def told(old, new):
    problems = differences(old, new, "rule", "fix")
    assert {problem.code for problem in problems} <= {"D308"}
    return "; ".join(problem.got for problem in problems)


@pytest.fixture
def frame(table_csv):
    return pd.read_csv(table_csv)


def changed(frame, row, column, value):
    other = frame.copy()
    other.loc[row, column] = value
    return other


TABLES = {
    "nothing": (lambda f: f, ""),
    "a cell": (lambda f: changed(f, 17, "size", 49.5), "other cells in: row 17"),
    "a gap": (lambda f: changed(f, 20, "town", None), "other cells in: row 20"),
    "a label": (
        lambda f: changed(f, 5, "label", {"large": "small", "small": "large"}[f.label[5]]),
        "other labels in: row 5",
    ),
    "rows added": (
        lambda f: pd.concat([f, f.head(7).assign(noise=9.0)]),
        "71 rows, which were 64; new rows: row 64, row 65, row 66, row 67, row 68 and 2 more",
    ),
    "rows gone": (
        lambda f: f.drop(index=[3, 40]),
        "62 rows, which were 64; rows that are gone: row 3, row 40",
    ),
    "shuffled": (lambda f: f.sample(frac=1, random_state=0), "the same rows in another order"),
    "a column added": (lambda f: f.assign(more=f.noise * 2), "columns 'more' new"),
    "a column gone": (lambda f: f.drop(columns="noise"), "columns 'noise' gone"),
    "a column renamed": (
        lambda f: f.rename(columns={"noise": "sound"}),
        "columns 'sound' new; 'noise' gone",
    ),
    "columns moved": (lambda f: f[f.columns[::-1]], "columns in another order"),
    "a class renamed": (
        lambda f: f.replace({"large": "huge"}),
        "classes 'huge' new; 'large' gone",
    ),
    "a third class": (
        lambda f: changed(f, [1, 2, 3, 4, 5, 6], "label", "tiny"),
        "problem type multiclass, which was binary; classes 'tiny' new",
    ),
}


@pytest.mark.parametrize("name", thin(TABLES, 4))
def test_what_differs_in_a_table_is_named(tmp_path, frame, name):
    change, words = TABLES[name]
    old = table(tmp_path / "a.csv", frame)
    new = table(tmp_path / "b.csv", change(frame).reset_index(drop=True))
    found = told(old, new)
    assert found.startswith(words)
    assert (found == "") == (words == "") == (old.digest == new.digest)


@pytest.mark.parametrize(
    "keys", [{"seed": 1}, {"val_fraction": 0.2}, {"test_fraction": 0.3}, {"fold": 2}]
)
def test_another_split_of_the_same_rows_is_told(tmp_path, frame, keys):
    frame.to_csv(tmp_path / "a.csv", index=False)
    source = TableSource(str(tmp_path / "a.csv"), "label")
    old, new = record_of(source), record_of(source, **keys)
    assert "the same rows, split otherwise" in told(old, new)
    assert "test rows were trained on" in told(old, new)
    assert old.test != new.test


def test_a_row_of_a_given_file_is_named_with_its_file(tmp_path, frame):
    records = []
    for folder, test in (("one", frame[40:]), ("two", changed(frame, 50, "noise", 7.0)[40:])):
        (tmp_path / folder).mkdir()
        test.to_csv(tmp_path / folder / "test.csv", index=False)
        given = str(tmp_path / folder / "test.csv")
        records.append(table(tmp_path / folder / "a.csv", frame[:40], test_path=given))
    assert told(*records) == "other cells in: row 10 of test.csv"


@pytest.fixture
def bytes_only(monkeypatch):
    """Treat every table as a large one, whose rows are not hashed."""
    monkeypatch.setattr(row_hashes, "HELD_BYTES", 0)


@pytest.mark.slow
@pytest.mark.usefixtures("bytes_only")
@pytest.mark.parametrize("name", TABLES)
def test_a_large_table_is_known_by_its_bytes(tmp_path, frame, name):
    old = table(tmp_path / "a.csv", frame)
    new = table(tmp_path / "b.csv", TABLES[name][0](frame).reset_index(drop=True))
    assert (old.digest == new.digest) == (name == "nothing")
    assert (told(old, new) == "") == (name == "nothing")
    if name in ("a cell", "shuffled"):
        assert "another content of b.csv" in told(old, new)


def test_more_rows_than_are_named_are_held_all_the_same(tmp_path, frame, monkeypatch):
    monkeypatch.setattr("kindling.data_record.NAMED_ROWS", 10)
    old = table(tmp_path / "a.csv", frame)
    assert not old.names
    for name in ("a cell", "rows added", "shuffled", "a label"):
        new = table(tmp_path / "b.csv", TABLES[name][0](frame).reset_index(drop=True))
        assert told(old, new), name


def images(folder):
    return record_of(ImageSource(folder, cache="none"))


def draw(file, shade):
    file.parent.mkdir(exist_ok=True)
    Image.new("RGB", (10, 12), shade).save(file)


IMAGES = {
    "nothing": (lambda _: None, ""),
    "added": (
        lambda f: [draw(f / "red" / f"new{k}.png", (k, 9, 9)) for k in range(7)],
        "new images: red/new0.png, red/new1.png, red/new2.png, red/new3.png, red/new4.png and 2",
    ),
    "gone": (lambda f: (f / "red" / "03.png").unlink(), "images that are gone: red/03.png"),
    "other pixels": (
        lambda f: draw(f / "blue" / "07.png", (1, 2, 3)),
        "other pixels in: blue/07.png",
    ),
    "relabelled": (
        lambda f: (f / "red" / "03.png").rename(f / "blue" / "r3.png"),
        "new images: blue/r3.png; images that are gone: red/03.png",
    ),
    "a class renamed": (
        lambda f: (f / "red").rename(f / "zebra"),
        "classes 'zebra' new; 'red' gone",
    ),
    "a third class": (
        lambda f: [draw(f / "c" / f"{k}.png", (k, 9, 9)) for k in range(3)],
        "problem type multiclass, which was binary; classes 'c' new; new images: c/0.png",
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_what_differs_in_a_folder_of_images_is_named(tmp_path, image_folder, name):
    change, words = IMAGES[name]
    old = images(image_folder)
    other = tmp_path / "other"
    shutil.copytree(image_folder, other)
    change(other)
    new = images(other)
    found = told(old, new)
    assert found.startswith(words)
    assert (found == "") == (words == "") == (old.digest == new.digest)


def test_a_record_comes_back_from_its_file(tmp_path, frame):
    record = table(tmp_path / "a.csv", frame)
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert read_record(tmp_path / "elsewhere") is None
    text = (tmp_path / "data.json").read_text()
    for old, new in (
        ('"format": 1', '"format": 2'),
        ('"label_hashes": "', '"label_hashes": "AAAA'),
        ('"label_hashes": "', '"label_hashes": "!'),
        ('"rows": 64', '"rows": 63'),
        ('"names": [', '"names": ["more", '),
        ('"target": "label"', '"target": 3'),
        ("{", "["),
    ):
        (tmp_path / "data.json").write_text(text.replace(old, new, 1))
        with pytest.raises(DataError, match=r"data\.json must be what Kindling wrote"):
            read_record(tmp_path)


def test_rows_are_hashed_alike_however_arrow_holds_them():
    cells = {
        "text": ["x", None, "", "xy", "yx", "x"],
        "number": [1.5, None, 0.0, -0.0, 2.0, 1.5],
        "count": [1, None, 3, 4, 5, 1],
        "flag": [True, None, False, True, True, True],
        "list": [[1], None, [], [2], [3], [1]],
    }
    whole = pa.table(cells)
    hashes = hash_rows(whole)
    assert hashes[0] == hashes[5]
    assert len(set(hashes.tolist())) == 5
    parts = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 1), whole.slice(3)])
    assert (hash_rows(parts) == hashes).all()
    assert (hash_rows(whole.slice(2)) == hashes[2:]).all()
    assert (hash_rows(whole.select(whole.column_names[::-1])) == hashes).all()
    swapped = whole.rename_columns(["text", "count", "number", "flag", "list"])
    assert not (hash_rows(swapped) == hashes)[0]
    assert len(hash_rows(whole.slice(0, 0))) == 0


def test_texts_that_differ_have_other_hashes():
    rng = np.random.default_rng(0)
    texts = list({"".join(rng.choice(list("ab0. "), rng.integers(0, 9))) for _ in range(20_000)})
    assert len(set(hash_rows(pa.table({"a": texts})).tolist())) == len(texts)
