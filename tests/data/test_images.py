import shutil

import numpy as np
import pytest
from PIL import Image

from kindling.data.digits import DigitsSource
from kindling.data.images import ImageSource
from kindling.errors import DataError


def read(path, size=None, channels=None):
    return ImageSource(path, size, channels).read()


def test_class_folders_become_uint8_images_and_labels(image_folder):
    raw = read(image_folder)
    assert raw.x.dtype == np.uint8
    assert raw.x.shape == (40, 3, 12, 10)
    assert raw.y.tolist() == ["blue"] * 20 + ["red"] * 20
    assert raw.names[0] == "blue/00.png"
    expected = np.asarray(Image.open(image_folder / "red" / "07.png")).transpose(2, 0, 1)
    assert (raw.x[27] == expected).all()


def test_size_and_channels_can_be_chosen(image_folder):
    assert read(image_folder, (8, 9), 1).x.shape == (40, 1, 8, 9)


def test_grey_images_have_one_channel(image_folder):
    for file in image_folder.rglob("*.png"):
        Image.open(file).convert("L").save(file)
    assert read(image_folder).x.shape == (40, 1, 12, 10)


def test_auto_size_is_the_most_common_one_and_says_what_it_resized(image_folder):
    file = image_folder / "red" / "00.png"
    Image.open(file).resize((50, 40)).save(file)
    raw = read(image_folder)
    assert raw.x.shape == (40, 3, 12, 10)
    assert raw.notes == ("1 images resized to 12x10 pixels",)


def test_folders_named_for_stages_fix_the_split(image_folder, tmp_path):
    for stage in ("train", "test"):
        shutil.copytree(image_folder, tmp_path / "split" / stage)
    raw = read(tmp_path / "split")
    assert set(raw.given) == {"test"}
    assert len(raw.given["test"]) == 40
    assert raw.names[raw.given["test"][0]].startswith("test/blue")


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    for name, level in (("dark", 0x1000), ("light", 0xF000)):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((8, 8), level, np.uint16)).save(tmp_path / name / "a.png")
    assert [image.max() for image in read(tmp_path).x] == [0x10, 0xF0]


def test_an_image_on_its_side_is_turned(tmp_path):
    (tmp_path / "a").mkdir()
    image, exif = Image.new("RGB", (20, 10)), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a" / "a.jpg", exif=exif)
    assert read(tmp_path).x.shape == (1, 3, 20, 10)


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_every_file_that_is_no_image_is_named(image_folder, content):
    good = (image_folder / "red" / "01.png").read_bytes()
    for name in ("01.png", "02.png"):
        (image_folder / "red" / name).write_bytes(good[:200] if content is None else content)
    with pytest.raises(DataError) as caught:
        read(image_folder)
    assert len(caught.value.problems) == 2


def test_a_folder_without_class_folders_is_refused(tmp_path):
    with pytest.raises(DataError, match="must hold class folders"):
        read(tmp_path)
    assert ImageSource(tmp_path / "nowhere", None, None).missing()


def test_digits_are_grey_images_of_all_levels():
    raw = DigitsSource().read()
    assert raw.x.shape == (1797, 1, 8, 8)
    assert (raw.x.min(), raw.x.max()) == (0, 255)
