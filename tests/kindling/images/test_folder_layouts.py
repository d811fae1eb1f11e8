"""What the folders below data.path mean: classes, splits or groups; what is in doubt is asked."""

from collections import Counter

import pytest

from kindling.errors import ConfigError, DataError
from kindling.images.image_source import ImageSource
from kindling.images.split_names import plain_split, split_name
from tests.kindling.images.made_images import save_images


def read(path, **options):
    return ImageSource(path, **options).read()


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    (problem,) = caught.value.problems
    return problem


def warned(raw):
    return [(p.code, p.got) for p in raw.findings if p.severity == "warning"]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("training_set", "train"),
        ("TrainImages", "train"),
        ("trainset", "train"),
        ("01_train", "train"),
        ("TRAIN", "train"),
        ("valid", "val"),
        ("validation", "val"),
        ("dev", "val"),
        ("test data", "test"),
        ("evaluation", "test"),
        ("test_tube", None),
        ("trains", None),
        ("invalid", None),
        ("train_test", None),
        ("", None),
    ],
)
def test_names_that_mean_a_split_and_nothing_else(name, split):
    assert plain_split(name) == split


def test_a_name_may_say_more_than_the_split():
    assert split_name("seg_train") == ("train", "seg")
    assert split_name("trainval") is None


SPLITS = {
    "plain": ("train", "test"),
    "sets": ("training_set", "test_set"),
    "a folder in a folder": ("training_set/training_set", "test_set/test_set"),
    "images in between": ("train/images", "test/images"),
    "words beside": ("seg_train/seg_train", "seg_test/seg_test"),
    "camels": ("TrainImages", "TestImages"),
}


@pytest.mark.parametrize("names", SPLITS.values(), ids=SPLITS)
def test_folders_named_for_splits_in_any_words_are_the_splits_and_this_is_said(names, tmp_path):
    train, test = names
    save_images(tmp_path, f"{train}/cats", f"{train}/dogs", f"{test}/cats", f"{test}/dogs")
    raw = read(tmp_path)
    assert set(raw.y) == {"cats", "dogs"}
    assert {raw.names[row].partition("/cats")[0] for row in raw.given["test"][:4]} == {test}
    notes = [f"folders: {test} is test, {train} is train"]
    assert [*raw.notes] in ([], notes)
    assert bool(raw.notes) == (train != "train")


def test_splits_inside_the_class_folders_are_splits_too(tmp_path):
    save_images(tmp_path, "cats/train", "cats/valid", "dogs/train", "dogs/valid")
    raw = read(tmp_path)
    assert Counter(raw.y) == {"cats": 8, "dogs": 8}
    assert len(raw.given["val"]) == 8
    assert raw.notes == ("folders: CLASS/train is train, CLASS/valid is val",)


def test_what_lies_beside_the_splits_is_told_with_its_number_of_images(tmp_path):
    save_images(tmp_path, "seg_train/a", "seg_train/b", "seg_test/a", "seg_test/b", "seg_pred")
    assert warned(read(tmp_path)) == [("D417", "left out: seg_pred (4 images)")]


DOUBTS = {
    "sources of the same classes": ("old/a", "old/b", "new/a", "new/b"),
    "classes beside examples": ("Dataset/0", "Dataset/1", "Examples"),
    "images and masks": ("COVID/images", "COVID/masks", "Normal/images", "Normal/masks"),
    "images and masks alone": ("images", "masks"),
    "splits in the names of classes": ("train_cats", "train_dogs", "test_cats", "test_dogs"),
    "a class called train": ("train/day", "train/night", "bus", "car"),
    "two folders for train": ("train/a", "train/b", "Training/a", "test/a"),
}


@pytest.mark.parametrize("folders", DOUBTS.values(), ids=DOUBTS)
def test_folders_that_may_mean_two_things_are_asked_for(folders, tmp_path):
    problem = refused(save_images(tmp_path, *folders))
    assert problem.code == "D418"
    assert problem.do


@pytest.mark.parametrize("name", [name for name in DOUBTS if name != "two folders for train"])
def test_the_question_can_be_answered_by_classes(name, tmp_path):
    raw = read(save_images(tmp_path, *DOUBTS[name]), folders="classes")
    assert set(raw.y) == {folder.partition("/")[0] for folder in DOUBTS[name]}


def test_the_question_can_be_answered_by_the_folder_that_is_meant(tmp_path):
    save_images(tmp_path, *DOUBTS["classes beside examples"])
    assert f"data.path={tmp_path / 'Dataset'}" in refused(tmp_path).do
    assert set(read(tmp_path / "Dataset").y) == {"0", "1"}


def test_the_question_can_be_answered_by_what_to_leave_out(tmp_path):
    save_images(tmp_path, *DOUBTS["images and masks"])
    assert "masks" in refused(tmp_path).do
    raw = read(tmp_path, ignore=["masks"])
    assert Counter(raw.y) == {"COVID": 4, "Normal": 4}
    assert raw.notes == ("left out by data.ignore: masks 2",)


def test_folders_can_be_said_to_be_splits(tmp_path):
    save_images(tmp_path, "my_train/a", "my_train/b", "my_test/b", "my_test/c")
    assert len(read(tmp_path, folders="splits").given["test"]) == 8
    assert refused(save_images(tmp_path / "x", "a", "b"), folders="splits").code == "D418"


@pytest.mark.parametrize("test", ["test", "test/unknown", "test/test"])
def test_a_test_folder_without_classes_is_to_be_left_out(test, tmp_path):
    save_images(tmp_path, "train/a", "train/b", "val/a", "val/b", test)
    problem = refused(tmp_path)
    assert (problem.code, "data.ignore" in problem.do, "predict" in problem.do) == (
        "D406",
        True,
        True,
    )
    raw = read(tmp_path, ignore=["test"])
    assert (len(raw.y), set(raw.given)) == (16, {"val"})


def test_folders_inside_class_folders_are_named(tmp_path):
    save_images(tmp_path, "cats/p1", "cats/p2", "dogs/p3", "dogs/p4")
    raw = read(tmp_path)
    ((code, got),) = warned(raw)
    assert (code, set(raw.y)) == ("D423", {"cats", "dogs"})
    assert "cats holds p1, p2" in got
    assert warned(read(tmp_path, folders="classes")) == []


def test_the_folder_below_the_class_may_be_a_group(tmp_path):
    save_images(tmp_path, "cats/p1/left", "cats/p1/right", "cats/p2", "dogs/p2", "dogs", count=2)
    raw = read(tmp_path, group="folder")
    assert raw.groups.tolist() == ["p1"] * 4 + ["p2"] * 2 + ["", ""] + ["p2"] * 2
    assert warned(raw) == []


def test_settings_of_a_table_of_labels_are_refused_without_one(tmp_path):
    unused = [{"group": "patient"}, {"target": "y"}, {"time": "day"}, {"csv": {"separator": ";"}}]
    for options in [*unused, {"folders": "classes", "labels": tmp_path / "l.csv"}]:
        with pytest.raises(ConfigError, match=r"data\.labels"):
            ImageSource(tmp_path, **options)


def test_one_folder_too_high_is_told_also_above_splits(tmp_path):
    save_images(tmp_path, "data/train/a", "data/train/b", "data/test/a")
    assert str(tmp_path / "data") in refused(tmp_path).do


def test_a_pattern_that_fits_nothing_is_refused(tmp_path):
    problem = refused(save_images(tmp_path, "a", "b"), ignore=["masks"])
    assert (problem.code, problem.got) == ("D420", "masks")


def test_what_systems_leave_behind_is_no_data(tmp_path):
    save_images(tmp_path, "a", "b", "__MACOSX/a")
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"none")
    assert warned(read(tmp_path)) == []


def test_files_with_other_endings_are_counted_and_looked_into(tmp_path):
    save_images(tmp_path, "a", "b")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for k in range(3):
        (tmp_path / "a" / f"{k}.unknown").write_bytes(heic)
    (tmp_path / "b" / "00.png").rename(tmp_path / "b" / "photo")
    (problem,) = read(tmp_path).findings
    assert (problem.severity, problem.got) == ("warning", "left out: 3 .unknown, 1 no ending")
    assert "HEIC images as JPEG" in problem.do
    assert "call it photo.png" in problem.do


def test_only_files_with_other_endings_are_told_what_they_are(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.unknown").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    problem = refused(tmp_path)
    assert (problem.code, "2 .unknown" in problem.got) == ("D407", True)
    assert "HEIC images as JPEG" in problem.do


@pytest.mark.parametrize("folders", [["."], ["train", "test"]], ids=["no folders", "splits alone"])
def test_images_without_classes_beside_a_table_are_told_to_take_it(folders, tmp_path):
    save_images(tmp_path, *folders)
    (tmp_path / "labels.csv").write_text("file,label")
    assert f"data.labels={tmp_path / 'labels.csv'}" in refused(tmp_path).do
    (tmp_path / "other.csv").write_text("a,b")
    assert "data.labels=..." in refused(tmp_path).do
