"""Class folders: their labels and splits, what is left out, and what is refused."""

import shutil

import pytest

from kindling.errors import DataError
from kindling.images.image_source import ImageSource


def read(path, **options):
    return ImageSource(path, **options).read()


def found(raw):
    """Return what was got, by its code."""
    return {problem.code: problem.got for problem in raw.findings}


def refused(path, **options):
    with pytest.raises(DataError) as caught:
        read(path, **options)
    return caught.value.problems


def test_folders_named_for_splits_fix_the_split(image_folder, tmp_path):
    for split in ("train", "test"):
        shutil.copytree(image_folder, tmp_path / "split" / split)
    raw = read(tmp_path / "split")
    assert set(raw.given) == {"test"}
    assert len(raw.given["test"]) == 40
    assert raw.names[raw.given["test"][0]].startswith("test/blue")


def test_what_lies_beside_the_folders_of_the_splits_is_left_out(image_folder, tmp_path):
    for name in ("train", "test", "spare"):
        shutil.copytree(image_folder, tmp_path / "split" / name)
    raw = read(tmp_path / "split")
    assert len(raw.y) == 80
    assert found(raw) == {"D417": "left out: spare (40 images)"}


def test_folders_may_have_any_name_and_two_spellings_of_it_are_one(image_folder):
    (image_folder / "red").rename(image_folder / "Ma\u0308use \N{MOUSE FACE}")  # as a Mac writes it
    assert set(read(image_folder).y) == {"blue", "M\u00e4use \N{MOUSE FACE}"}


def test_classes_may_have_spaces_quotes_and_letters_of_any_script(image_folder):
    names = ['it\'s "1"', "猫 и кот"]
    for old, new in zip(("red", "blue"), names, strict=True):
        (image_folder / old).rename(image_folder / new)
    assert set(read(image_folder).y) == set(names)


def test_folders_named_for_numbers_are_classes_unless_a_regression_is_asked_for(image_folder):
    (image_folder / "red").rename(image_folder / "007")
    (image_folder / "blue").rename(image_folder / "012")
    assert set(read(image_folder).y) == {"007", "012"}
    assert set(read(image_folder, task="regression").y) == {7.0, 12.0}


def test_files_of_other_kinds_and_empty_folders_are_left_out_and_named(image_folder):
    (image_folder / "red" / "notes.txt").write_text("none")
    (image_folder / "empty").mkdir()
    raw = read(image_folder)
    assert len(raw.y) == 40
    assert set(raw.y) == {"blue", "red"}
    assert [p.got for p in raw.findings] == ["left out: 1 .txt", "left out: empty"]
    assert {p.code for p in raw.findings} == {"D417"}


def test_hidden_files_are_no_data(image_folder):
    (image_folder / "red" / ".hidden.png").write_bytes(b"none")
    (image_folder / ".cache" / "x").mkdir(parents=True)
    raw = read(image_folder)
    assert (len(raw.y), raw.findings) == (40, ())


def test_folders_from_which_nothing_can_be_learnt_are_refused(image_folder, tmp_path):
    (nothing,) = refused(tmp_path / "images" / "red")
    assert nothing.code == "D406"  # images in the root
    assert "data.labels=" in nothing.do
    shutil.rmtree(image_folder / "red")
    (one,) = refused(image_folder)
    assert (one.code, one.got) == ("D407", "only blue")
    shutil.rmtree(image_folder / "blue")
    (none,) = refused(image_folder)
    assert none.code == "D407"
    assert ImageSource(tmp_path / "nowhere").missing()[0].code == "D001"


def test_a_link_out_of_the_folder_is_refused_unless_it_is_trusted(image_folder, tmp_path):
    outside = tmp_path / "outside.png"
    (image_folder / "red" / "00.png").rename(outside)
    (image_folder / "red" / "00.png").symlink_to(outside)
    (problem,) = refused(image_folder)
    assert (problem.code, problem.got) == ("D405", "red/00.png")
    assert len(read(image_folder, follow_links=True).x) == 40


def break_two(image_folder):
    """Make one file that is no image, and one that ends too early."""
    (image_folder / "red" / "page.jpg").write_bytes(b"<html><body>")
    good = (image_folder / "blue" / "01.png").read_bytes()
    (image_folder / "blue" / "01.png").write_bytes(good[:200])


def got_by_code(problems):
    return {problem.code: problem.got for problem in problems}


def test_faults_of_the_layout_and_of_the_files_are_told_at_once(image_folder, tmp_path):
    break_two(image_folder)
    (image_folder / "loose.png").write_bytes(b"")
    (image_folder / "red" / "00.png").rename(tmp_path / "outside.png")
    (image_folder / "red" / "00.png").symlink_to(tmp_path / "outside.png")
    found = got_by_code(refused(image_folder))
    assert set(found) == {"D401", "D402", "D405", "D406"}
    assert (found["D405"], found["D406"]) == ("red/00.png", "loose.png")
    assert "loose.png: empty" in found["D401"]
    assert "page.jpg: HTML" in found["D401"]
    assert "blue/01.png" in found["D402"]


def test_of_a_single_class_the_broken_files_are_told_too(image_folder):
    break_two(image_folder)
    shutil.rmtree(image_folder / "red")
    assert set(got_by_code(refused(image_folder))) == {"D402", "D407"}
