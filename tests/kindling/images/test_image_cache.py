import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.class_folders import list_folders
from kindling.images.image_cache import ABOUT, HASHES, IMAGES, read_cache
from kindling.images.image_schema import ImageOptions, choose_schema
from kindling.images.image_source import ImageSource
from kindling.images.reading import decode_blocks, read_headers
from project.data.dataset import BLOCK_ROWS


@pytest.fixture
def read(image_folder, tmp_path):
    def run(**options):
        source = ImageSource(image_folder, **options, cache=tmp_path / "cache")
        return source.read()

    return run


def only(folder):
    (entry,) = folder.iterdir()
    return entry


def test_a_second_run_maps_the_pixels_and_decodes_nothing(read, tmp_path):
    first = read()
    entry = only(tmp_path / "cache")
    written = entry.stat().st_mtime_ns
    second = read()
    assert only(tmp_path / "cache").stat().st_mtime_ns == written
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


@pytest.mark.parametrize("is_moved", [False, True])
def test_other_pixels_of_the_same_size_and_time_make_another_cache(tmp_path, is_moved):
    for name, level in (("a/0.bmp", 10), ("b/0.bmp", 20), ("new.bmp", 200)):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        place = tmp_path / name if name == "new.bmp" else tmp_path / "images" / name
        Image.new("L", (9, 9), level).save(place)
        os.utime(place, (1, 1))
    source = ImageSource(tmp_path / "images", cache=tmp_path / "cache")
    assert int(source.read().x.max()) == 20
    old, new = tmp_path / "images/a/0.bmp", tmp_path / "new.bmp"
    if is_moved:  # as rsync and tar do it
        new.rename(old)
    else:
        old.write_bytes(new.read_bytes())
        os.utime(old, (1, 1))
    assert int(source.read().x.max()) == 200


def test_files_of_another_folder_with_the_same_names_sizes_and_times_are_others(tmp_path):
    for folder, level in (("one", 10), ("two", 200)):
        for name in ("a/0.bmp", "b/0.bmp"):
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True)
            Image.new("L", (9, 9), level).save(file)
            os.utime(file, (1, 1))
    sources = [ImageSource(tmp_path / f, cache=tmp_path / "cache") for f in ("one", "two")]
    assert [int(source.read().x.max()) for source in sources] == [10, 200]


def test_what_was_noticed_is_noticed_again_from_the_cache(read, image_folder, tmp_path):
    (image_folder / "red" / "00.png").rename(image_folder / "red" / "is_png.jpg")
    first = read()
    assert [p.code for p in first.findings] == ["D415"]
    assert read().findings == first.findings
    about = json.loads((only(tmp_path / "cache") / ABOUT).read_text(encoding="utf-8"))
    assert about["findings"][0]["code"] == "D415"


@pytest.mark.parametrize("name", [ABOUT, HASHES])
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"nonsense", None])
def test_what_lies_beside_the_pixels_is_not_trusted_either(read, tmp_path, name, content):
    first = np.array(read().x)
    file = only(tmp_path / "cache") / name
    if content is None:
        content = bytearray(file.read_bytes())
        content[-5] ^= 1
    file.write_bytes(content)
    assert read_cache(file.parent) is None
    assert (read().x == first).all()
    assert read_cache(file.parent) is not None


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
    raw = ImageSource(image_folder, cache=tmp_path / "file" / "cache").read()
    assert any("no cache in" in note for note in raw.notes)
    assert raw.x.shape == (40, 3, 12, 10)


def test_by_default_few_small_images_are_not_kept(image_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert not isinstance(ImageSource(image_folder, cache="auto").read().x, np.memmap)
    assert not (tmp_path / "user").exists()


def test_by_default_what_takes_time_is_kept_in_the_users_cache(image_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setattr("kindling.images.reading.CACHED_FILES", 40)
    assert isinstance(ImageSource(image_folder, cache="auto").read().x, np.memmap)
    assert only(tmp_path / "user" / "kindling").is_dir()


def test_images_that_cannot_be_used_leave_no_cache(read, image_folder, tmp_path):
    (image_folder / "red" / "00.png").write_bytes(b"")
    with pytest.raises(DataError):
        read()
    assert not (tmp_path / "cache").exists()


def test_of_large_images_few_are_in_memory_at_one_time(read, image_folder, monkeypatch):
    monkeypatch.setattr("kindling.images.reading.BLOCK_BYTES", 8 * 3 * 12 * 10)
    entries = list_folders(image_folder).entries
    headers, problems = read_headers(entries, 10_000)
    schema = choose_schema(headers, ImageOptions())
    blocks = [images for images, _ in decode_blocks(entries, headers, schema, 10_000, problems)]
    assert [len(block) for block in blocks] == [8] * 5
    assert (np.concatenate(blocks) == read().x).all()


@pytest.mark.slow
def test_two_processes_at_once_end_with_one_sound_cache(image_folder, tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from kindling.images.image_source import ImageSource;"
        "sys.stdin.read(1);"  # both are let go at once
        "print(int(ImageSource(Path(sys.argv[1]), cache=sys.argv[2]).read().x.sum()))"
    )
    words = [sys.executable, "-c", code, str(image_folder), str(tmp_path / "cache")]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in started:
        process.stdin.write("x")
        process.stdin.flush()
    sums = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    expected = int(ImageSource(image_folder, cache="none").read().x.sum())
    assert [int(text) for text in sums] == [expected, expected]
    assert read_cache(only(tmp_path / "cache")) is not None


@pytest.mark.slow
def test_images_that_are_kept_in_a_file_are_read_in_pieces(build, image_folder, tmp_path):
    words = ["data=images", f"data.path={image_folder}", f"data.cache={tmp_path / 'kept'}"]
    data, *_ = build(*words, "data.size=[600,600]")
    assert data.train_dataloader().sampler.sampler.block_rows == 1
    data, *_ = build(*words)
    assert data.train_dataloader().sampler.sampler.block_rows == BLOCK_ROWS
    data, *_ = build(*words[:2], "data.cache=none")
    assert data.train_dataloader().sampler.sampler.block_rows == len(data.split["train"])
