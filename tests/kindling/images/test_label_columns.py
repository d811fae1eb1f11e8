"""Which column of a table of labels is the label, the split and the name; what is in doubt."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from kindling.errors import DataError
from kindling.images.image_source import ImageSource
from tests.kindling.images.made_images import save_images

COUNT = 24
NAMES = [f"{k:02}.png" for k in range(COUNT)]
CLASSES = np.array(["mel", "nv", "bcc"] * (COUNT // 3), dtype=object)
ONE_HOT = {name: (name == CLASSES).astype(float) for name in ("mel", "nv", "bcc")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_images(tmp_path_factory.mktemp("photos"), ".", count=COUNT)


@pytest.fixture
def read(folder, tmp_path):
    def run(columns, **options):
        pd.DataFrame(columns).to_csv(tmp_path / "labels.csv", index=False)
        return ImageSource(folder, labels=tmp_path / "labels.csv", **options).read()

    return run


def refused(read, columns, **options):
    with pytest.raises(DataError) as caught:
        read(columns, **options)
    (problem,) = caught.value.problems
    return problem


def left_out(raw):
    return [p.got for p in raw.findings if (p.code, p.severity) == ("D417", "warning")]


def test_a_column_called_label_is_believed_and_the_others_are_named(read):
    raw = read({"file": NAMES, "age": range(COUNT), "label": CLASSES, "sex": ["f", "m"] * 12})
    assert raw.y.tolist() == CLASSES.tolist()
    assert left_out(raw) == ["left out: columns age, sex"]
    assert raw.notes == ("labels from the column label",)


def test_of_several_columns_none_is_taken_by_its_place(read):
    columns = {"image_id": NAMES, "lesion": range(COUNT), "dx": CLASSES, "sex": ["f", "m"] * 12}
    problem = refused(read, columns)
    assert (problem.code, problem.got) == ("D421", "it may be lesion, dx, sex")
    assert "data.target=dx" in problem.do
    raw = read(columns, target="dx")
    assert (raw.target, raw.y.tolist()) == ("dx", CLASSES.tolist())
    assert left_out(raw) == ["left out: columns lesion, sex"]


def test_a_target_that_is_not_there_is_refused_with_the_nearest_name(read):
    problem = refused(read, {"file": NAMES, "dx": CLASSES}, target="dxx")
    assert (problem.code, "'dx'" in problem.do or "dx" in problem.got) == ("D101", True)


@pytest.mark.parametrize("write", [float, int, bool, str])
def test_one_hot_columns_are_the_classes_and_this_is_said(read, write):
    columns = {name: [write(flag) for flag in flags] for name, flags in ONE_HOT.items()}
    raw = read({"image": NAMES, **columns})
    assert (raw.target, raw.y.tolist()) == ("class", CLASSES.tolist())
    assert raw.notes == ("the label is the column with a 1: mel, nv, bcc",)


def test_one_hot_columns_beside_others_are_to_be_named(read):
    columns = {"image": NAMES, **ONE_HOT, "age": range(COUNT)}
    problem = refused(read, columns)
    assert problem.code == "D421"
    assert "data.target=[mel,nv,bcc]" in problem.do
    assert read(columns, target=["mel", "nv", "bcc"]).y.tolist() == CLASSES.tolist()


@pytest.mark.parametrize("row", [(1, 1, 0), (0, 0, 0)], ids=["two", "none"])
def test_rows_that_are_not_one_hot_are_refused_and_one_column_can_be_learnt(read, row):
    columns = {name: flags.copy() for name, flags in ONE_HOT.items()}
    for value, flags in zip(row, columns.values(), strict=True):
        flags[5] = value
    problem = refused(read, {"image": NAMES, **columns})
    assert (problem.code, problem.row, problem.count) == ("D422", 5, 1)
    assert "data.target=mel" in problem.do
    assert set(read({"image": NAMES, **columns}, target="mel").y) == {0, 1}


@pytest.mark.parametrize("sign", ["|", ";", ", ", " "])
def test_cells_with_several_labels_are_refused_unless_combinations_are_meant(read, sign):
    labels = CLASSES.copy()
    labels[::4] = f"mel{sign}nv"
    problem = refused(read, {"file": NAMES, "label": labels})
    assert (problem.code, problem.count) == ("D422", COUNT // 4)
    assert "data.task=classification" in problem.do
    raw = read({"file": NAMES, "label": labels}, task="classification")
    assert f"mel{sign}nv" in set(raw.y)


@pytest.mark.parametrize("label", ["black cat", "Melanoma, NOS", "a/b", "R&B"])
def test_a_label_of_several_words_is_one_label(read, label):
    labels = CLASSES.copy()
    labels[::4] = label
    assert label in set(read({"file": NAMES, "label": labels}).y)


@pytest.mark.parametrize("label", ["None", "NA", "null", "nan", "?"])
def test_words_for_a_gap_are_labels_and_empty_cells_are_not(read, label):
    labels = CLASSES.copy()
    labels[::4] = label
    labels[1] = ""
    raw = read({"file": NAMES, "label": labels})
    assert Counter(raw.y)[label] == COUNT // 4
    assert "left out: 1 rows without one" in left_out(raw)


SPLIT = ["train"] * 12 + ["val"] * 6 + ["test"] * 6


@pytest.mark.parametrize("name", ["split", "stage", "set", "Data_Split", "partition", "subset"])
def test_a_column_that_says_the_split_is_used_and_this_is_said(read, name):
    raw = read({"file": NAMES, "label": CLASSES, name: SPLIT})
    assert {split: len(rows) for split, rows in raw.given.items()} == {"val": 6, "test": 6}
    assert f"split by the column {name}" in raw.notes
    assert left_out(raw) == []


def test_a_split_may_be_written_in_other_words_and_be_empty(read):
    words = ["Training", "", "VALID", "testing"] * 6
    raw = read({"file": NAMES, "label": CLASSES, "phase": words})
    assert {split: len(rows) for split, rows in raw.given.items()} == {"val": 6, "test": 6}
    assert "split by the column phase, 6 rows without one are train or drawn" in raw.notes


@pytest.mark.parametrize("write", [bool, int, str])
def test_flags_of_a_split_are_used_and_this_is_said(read, write):
    flags = {
        "is_valid": [k in (3, 4) for k in range(COUNT)],
        "is_test": [k > 20 for k in range(COUNT)],
    }
    columns = {name: [write(flag) for flag in each] for name, each in flags.items()}
    raw = read({"file": NAMES, "dx": CLASSES, **columns})
    assert (raw.target, raw.given["val"].tolist(), len(raw.given["test"])) == ("dx", [3, 4], 3)
    assert raw.notes[-2:] == ("split by the column is_valid", "split by the column is_test")
    assert left_out(raw) == []


def test_many_combinations_of_few_words_are_several_labels(read):
    words = ["haze", "clear", "water", "road", "cloudy"]
    pairs = [f"{a} {b}" for a in words for b in words if a != b]
    labels = [pairs[k % 20] for k in range(COUNT)]
    assert refused(read, {"file": NAMES, "label": labels}).code == "D422"


def test_columns_that_only_sound_like_a_split_are_named_as_not_used(read):
    columns = {"file": NAMES, "label": CLASSES, "stage": ["I", "II"] * 12, "fold": [0, 1] * 12}
    raw = read(columns)
    assert (raw.given, left_out(raw)) == ({}, ["left out: columns stage, fold"])


def test_a_column_can_be_left_out(read):
    raw = read(
        {"file": NAMES, "dx": CLASSES, "split": SPLIT, "age": range(COUNT)}, ignore=["split", "age"]
    )
    assert (raw.given, raw.target, left_out(raw)) == ({}, "dx", [])
    assert "left out by data.ignore: split 1, age 1" in raw.notes


def test_two_columns_that_say_a_split_are_refused(read):
    columns = {"file": NAMES, "label": CLASSES, "split": SPLIT, "set": SPLIT[::-1]}
    assert refused(read, columns).code == "D421"


def test_a_group_and_a_time_are_columns_of_the_table(read):
    columns = {"file": NAMES, "label": CLASSES, "patient": [k // 4 for k in range(COUNT)]}
    raw = read(columns)
    assert "data.group=patient" in raw.findings[0].do
    raw = read(columns, group="patient")
    assert (len(set(raw.groups)), left_out(raw)) == (COUNT // 4, [])
    assert read(columns, time="patient").times.tolist() == columns["patient"]
    assert refused(read, columns, group="person").code == "D101"


def test_a_label_for_each_image_and_one_for_all_are_refused_with_what_helps_images(read):
    problem = refused(read, {"file": NAMES, "label": [f"specimen {k}" for k in range(COUNT)]})
    assert (problem.code, "column label" in problem.do) == ("D204", True)
    assert "regression" not in problem.do  # of words
    other = {"file": NAMES, "label": range(COUNT), "dx": CLASSES}
    assert "data.target=dx" in refused(read, other, task="classification").do
    problem = refused(read, {"file": NAMES, "label": ["leaf"] * COUNT})
    assert (problem.code, "column label" in problem.do) == ("D205", True)


def test_how_the_table_is_written_can_be_said(folder, tmp_path):
    lines = ["file/label", *(f"{name}/{label}" for name, label in zip(NAMES, CLASSES, strict=True))]
    (tmp_path / "l.csv").write_text("\n".join(lines))
    raw = ImageSource(folder, labels=tmp_path / "l.csv", csv={"separator": "/"}).read()
    assert raw.y.tolist() == CLASSES.tolist()
