import os

import numpy as np
import pytest

from kindling.data.images import ImageSource
from kindling.data.pictures.album import Options
from kindling.data.pictures.cache import IMAGES, read_cache


@pytest.fixture
def read(image_folder, tmp_path):
    def run(**options):
        source = ImageSource(image_folder, Options(**options), cache=str(tmp_path / "cache"))
        return source.read()

    return run


def only(folder):
    (entry,) = folder.iterdir()
    return entry


def change_unseen(file):
    """Put other bytes into a file without touching its size and time."""
    stat = file.stat()
    file.write_bytes(b"x" * stat.st_size)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_second_run_maps_the_pixels_and_decodes_nothing(read, image_folder):
    first = read()
    for file in image_folder.rglob("*.png"):
        change_unseen(file)  # decoding would fail
    second = read()
    assert isinstance(second.x, np.memmap)
    assert (second.x == first.x).all()
    assert second.images == first.images
    assert any("pixels from" in note for note in second.notes)


def test_another_time_or_option_makes_another_cache(read, image_folder, tmp_path):
    read()
    os.utime(image_folder / "red" / "00.png", (1, 1))
    read()
    read(channels=1)
    assert len(list((tmp_path / "cache").iterdir())) == 3


@pytest.mark.parametrize("damage", ["cut", "flip", "shape", "gone"])
def test_a_broken_cache_is_made_anew(read, tmp_path, damage):
    first = np.array(read().x)
    file = only(tmp_path / "cache") / IMAGES
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[:-9])
    elif damage == "flip":
        content[-100] ^= 1
        file.write_bytes(content)
    elif damage == "shape":
        np.save(file, np.zeros((40, 3, 10, 12), np.uint8))
    else:
        file.unlink()
    assert read_cache(file.parent) is None
    assert (read().x == first).all()
    assert read_cache(file.parent) is not None


def test_nothing_half_written_is_left_and_the_raw_folder_is_not_touched(
    read, image_folder, tmp_path
):
    before = sorted(image_folder.rglob("*"))
    read()
    assert sorted(image_folder.rglob("*")) == before
    assert not list((tmp_path / "cache").glob("*.part"))


def test_where_no_cache_can_be_written_it_is_said(image_folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    raw = ImageSource(image_folder, cache=str(tmp_path / "file" / "cache")).read()
    assert any("no cache in" in note for note in raw.notes)
    assert raw.x.shape == (40, 3, 12, 10)
