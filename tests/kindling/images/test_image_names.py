"""The image that a table names: found where one alone can be meant, else asked for."""

import shutil

import pandas as pd
import pytest

from kindling.errors import DataError
from kindling.images.image_source import ImageSource
from tests.kindling.images.made_images import save_images

COUNT = 12


@pytest.fixture
def photos(tmp_path):
    """Write part_1/1_00.png ... and part_2/2_00.png ..."""
    for part in (1, 2):
        save_images(tmp_path / "photos", f"part_{part}", count=COUNT, name=f"{part}_{{k:02}}.png")
    return tmp_path / "photos"


FULL = [f"part_{part}/{part}_{k:02}.png" for part in (1, 2) for k in range(COUNT)]


def read(photos, names, **options):
    labels = ["a", "b"] * (len(names) // 2)
    pd.DataFrame({"image_id": names, "y": labels}).to_csv(photos.parent / "l.csv", index=False)
    return ImageSource(photos, labels=photos.parent / "l.csv", **options).read()


def refused(photos, names):
    with pytest.raises(DataError) as caught:
        read(photos, names)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("spell", "note"),
    [
        (lambda name: name, ()),
        (lambda name: name.removesuffix(".png"), ()),
        (lambda name: name.split("/")[1], ("24 names found in a folder below data.path",)),
        (lambda name: name.split("/")[1][:-4], ("24 names found in a folder below data.path",)),
        (str.upper, ("24 names found in another case",)),
        (
            lambda name: f"C:\\data\\photos\\{name}".replace("/", "\\"),
            ("24 names found by paths of another folder or machine",),
        ),
    ],
    ids=["as it is", "no ending", "no folder", "neither", "another case", "another machine"],
)
def test_a_name_is_found_however_it_is_written_and_this_is_said(photos, spell, note):
    raw = read(photos, [spell(name) for name in FULL])
    assert raw.names.tolist() == FULL
    assert raw.notes == note


def test_zeros_that_a_spreadsheet_took_away_are_found_again(tmp_path):
    photos = save_images(tmp_path / "photos", ".", count=COUNT, name="{k:03}.bmp")
    raw = read(photos, list(range(COUNT)))
    assert raw.names.tolist() == [f"{k:03}.bmp" for k in range(COUNT)]
    assert raw.notes == ("12 names found without leading zeros",)


def test_a_name_without_its_ending_that_may_be_an_image_or_its_mask_is_refused(tmp_path):
    photos = save_images(tmp_path / "photos", ".", count=COUNT, name="{k:03}.bmp")
    save_images(photos, ".", count=COUNT, name="{k:03}.png")
    names = [f"{k:03}" for k in range(COUNT)]
    problem = refused(photos, names)
    assert (problem.code, problem.count) == ("D408", COUNT)
    assert "000 may be photos/000.bmp or photos/000.png" in problem.got
    raw = read(photos, names, ignore=problem.fix[1].value)
    assert raw.names.tolist() == [f"{name}.bmp" for name in names]
    raw = read(photos, [f"{name}.png" for name in names])  # whole, it is one of them
    assert raw.names.tolist() == [f"{name}.png" for name in names]


def test_a_name_that_lies_in_two_folders_is_refused(photos):
    shutil.copy(photos / FULL[0], photos / "part_2" / "1_00.png")
    problem = refused(photos, [name.split("/")[1] for name in FULL])
    assert problem.got == "1_00.png may be part_1/1_00.png or part_2/1_00.png"


def test_an_image_in_another_folder_than_was_said_is_not_taken_but_named(photos):
    problem = refused(photos, ["part_2/1_00.png", *FULL[1:]])
    assert problem.code == "D408"
    assert "part_2/1_00.png (did you mean part_1/1_00.png?)" in problem.got


def test_an_image_that_is_nowhere_is_named(photos):
    assert "part_1/none.png" in refused(photos, ["part_1/none.png", *FULL[1:]]).got


def test_the_column_that_names_images_is_found_wherever_it_stands(photos):
    table = pd.DataFrame({"y": ["a", "b"] * COUNT, "where": FULL})
    table.to_csv(photos.parent / "l.csv", index=False)
    raw = ImageSource(photos, labels=photos.parent / "l.csv").read()
    assert (raw.target, raw.names.tolist()) == ("y", FULL)


def test_numbers_that_happen_to_be_names_of_images_name_none(tmp_path):
    photos = save_images(tmp_path / "photos", ".", count=COUNT, name="{k:03}.png")
    names = [f"{k:03}" for k in range(COUNT)]
    table = pd.DataFrame({"age": range(COUNT)[::-1], "id": names, "y": [1, 2] * (COUNT // 2)})
    table.to_csv(tmp_path / "l.csv", index=False)
    raw = ImageSource(photos, labels=tmp_path / "l.csv", target="y").read()
    assert raw.names.tolist() == [f"{name}.png" for name in names]


def test_two_columns_that_name_different_images_are_asked_for(photos):
    table = pd.DataFrame({"image": FULL, "mask": FULL[::-1], "label": ["a", "b"] * COUNT})
    table.to_csv(photos.parent / "l.csv", index=False)
    with pytest.raises(DataError) as caught:
        ImageSource(photos, labels=photos.parent / "l.csv").read()
    assert caught.value.problems[0].code == "D421"
    table.rename(columns={"image": "file"}).to_csv(photos.parent / "l.csv", index=False)
    raw = ImageSource(photos, labels=photos.parent / "l.csv").read()
    assert raw.names.tolist() == FULL


def test_the_folder_of_an_image_may_be_its_group(photos):
    raw = read(photos, FULL, group="folder")
    assert raw.groups.tolist() == ["part_1"] * COUNT + ["part_2"] * COUNT


def test_a_table_among_the_images_is_not_left_out(photos):
    pd.DataFrame({"file": FULL, "label": ["a", "b"] * COUNT}).to_csv(photos / "l.csv", index=False)
    (photos / "notes.txt").write_text("none")
    raw = ImageSource(photos, labels=photos / "l.csv").read()
    assert [p.got for p in raw.findings] == ["left out: 1 .txt"]
