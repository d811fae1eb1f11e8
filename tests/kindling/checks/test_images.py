"""Every fault of a folder of images is found by its code, with its place and what to type."""

import shutil

import pytest
from PIL import Image

from kindling.codes import CODES
from kindling.errors import DataError
from tests.kindling.bad_images import CASES

pytestmark = pytest.mark.slow  # folders of images


@pytest.fixture
def found_in(build):
    def look(folder, *overrides):
        data, _, _ = build("data=images", f"data.path={folder}", *overrides)
        return {(p.code, p.rule): p.got for p in data.findings}, data

    return look


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_named_with_its_code_its_place_and_the_way_out(name, found_in, image_folder):
    case = CASES[name]
    case.change(image_folder)
    try:
        problems = found_in(image_folder, *case.overrides)[1].findings
    except DataError as error:
        problems = error.problems
    if not case.code:
        assert problems == []
    said = [p.code == case.code and case.place in p.got and case.fix in p.do for p in problems]
    assert any(said) == bool(case.code), problems


def test_every_code_of_images_is_provoked():
    # in tests/kindling/images: test_labels_file.py, test_arrays.py, test_label_columns.py,
    # test_levels.py
    elsewhere = {"D408", "D409", "D421", "D422", "D440"}
    codes = {code for code in CODES if code > "D4"} - elsewhere
    assert {case.code for case in CASES.values()} - {""} == codes


def got(found, code, word):
    return [text for (c, rule), text in found.items() if c == code and word in rule]


def test_images_that_all_differ_are_not_warned_of(found_in, image_folder):
    assert found_in(image_folder)[0] == {}


def test_an_image_in_train_and_test_is_warned_of_however_the_rows_were_split(
    found_in, image_folder
):
    red = image_folder / "red"
    for number in range(15):  # so many copies of one: some fall on each side
        shutil.copy(red / "00.png", red / f"copy{number:02}.png")
    found, data = found_in(image_folder)
    (text,) = got(found, "D411", "train, val and test")
    pair, alike = text.removeprefix("1 repeated: ").split(" (")
    assert alike == "16 alike)"
    first, second = pair.split(" = ")
    split = {data.raw.names[row]: s for s, rows in data.split.items() for row in rows}
    assert split[first] != split[second]
    assert not got(found, "D411", "one label")


def test_another_file_of_the_same_pixels_is_the_same_image(found_in, image_folder, tmp_path):
    for split in ("train", "test"):
        shutil.copytree(image_folder, tmp_path / "split" / split)
    for file in (tmp_path / "split" / "test").rglob("*.png"):
        Image.open(file).save(file.with_suffix(".bmp"))
        file.unlink()
    (text,) = got(found_in(tmp_path / "split")[0], "D411", "train, val and test")
    assert text.startswith("40 repeated: ")
    assert text.endswith(" and 35 more")


def test_an_image_under_two_labels_is_warned_of(found_in, image_folder):
    shutil.copy(image_folder / "red" / "03.png", image_folder / "blue" / "copy.png")
    found, _ = found_in(image_folder)
    assert got(found, "D411", "one label") == ["1 repeated: blue/copy.png = red/03.png"]


def test_an_image_that_is_there_twice_is_said(found_in, image_folder):
    shutil.copy(image_folder / "red" / "03.png", image_folder / "red" / "copy.png")
    found, _ = found_in(image_folder)
    assert got(found, "D412", "differ") == ["1 repeated: red/03.png = red/copy.png"]
