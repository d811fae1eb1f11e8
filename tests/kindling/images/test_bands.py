"""No band, page or transparency is taken for another, or left out without a word."""

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.decoding import decode, read_header
from kindling.images.image_schema import ImageOptions, ImageSchema, choose_schema
from kindling.images.image_source import ImageSource
from tests.kindling.images.made_files import folder_of, png, tiff

RNG = np.random.default_rng(0)


def bands(count, dtype=np.uint8):
    top = 256 if dtype == np.uint8 else 2200
    return RNG.integers(0, top, (8, 10, count)).astype(dtype)


def folder(root, make, count=4):
    return folder_of(root, {f"{label}/{k}.tif": make() for label in "ab" for k in range(count)})


@pytest.mark.parametrize("count", [2, 4, 5, 6, 13])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_all_bands_of_a_tiff_are_channels(tmp_path, count, dtype):
    pixels = bands(count, dtype)
    raw = ImageSource(folder(tmp_path, lambda: tiff(pixels)), cache="none").read()
    assert raw.images.colours == f"{count}-channel {raw.x.dtype}"
    assert raw.x.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    assert (raw.x[0] == pixels.transpose(2, 0, 1)).all()
    content = tiff(pixels)
    for source in (tmp_path / "a/0.tif", content):
        assert (decode(source, raw.images) == raw.x[0]).all()


@pytest.mark.parametrize("extra", [0, None])
def test_a_fourth_band_of_which_the_file_says_nothing_is_no_transparency(extra):
    pixels = bands(4)
    pixels[..., 3] = 12
    content = tiff(pixels, extra=extra)
    schema = ImageSchema(1, 8, 10)
    grey = np.asarray(Image.fromarray(pixels[..., :3]).convert("L"))
    assert (decode(content, schema)[0] == grey).all()
    schema = choose_schema([read_header(content)], ImageOptions())
    assert schema.bands == (1, 2, 3, 4)
    assert (decode(content, schema)[3] == 12).all()


def test_transparency_that_leaves_nothing_opaque_is_refused_with_both_ways_out(tmp_path):
    pixels = bands(4)
    pixels[..., 3] = 12
    root = folder(tmp_path, lambda: tiff(pixels, extra=2))
    with pytest.raises(DataError) as caught:
        ImageSource(root, cache="none").read()
    (problem,) = caught.value.problems
    assert problem.code == "D442"
    assert "data.channels=4" in problem.do
    assert "[1,2,3]" in problem.do
    four = ImageSource(root, cache="none", channels=4).read()
    assert (four.x[0] == pixels.transpose(2, 0, 1)).all()
    three = ImageSource(root, cache="none", channels=[1, 2, 3]).read()
    assert (three.x == four.x[:, :3]).all()


def test_transparency_is_used_where_it_is_some_and_said(tmp_path):
    pixels = bands(4)
    pixels[..., 3] = 255
    pixels[0, 0, 3] = 0
    raw = ImageSource(folder(tmp_path, lambda: tiff(pixels, extra=2)), cache="none").read()
    assert raw.x[0, :, 0, 0].tolist() == [255, 255, 255]
    assert (raw.x[0, :, 1] == pixels[1, :, :3].T).all()
    assert raw.notes == ("8 of them with transparency, put before data.background",)


def test_bands_that_are_not_taken_are_named(tmp_path):
    pixels = bands(6)
    root = folder(tmp_path, lambda: tiff(pixels))
    raw = ImageSource(root, cache="none", channels=3).read()
    (problem,) = raw.findings
    assert (problem.code, problem.severity) == ("D444", "warning")
    assert "a/0.tif (6 bands)" in problem.got
    chosen = ImageSource(root, cache="none", channels=[6, 1]).read()
    assert (chosen.x[0] == pixels[..., [5, 0]].transpose(2, 0, 1)).all()
    assert chosen.notes == ("bands 6, 1 taken",)


def test_files_with_other_bands_are_refused_in_training_and_later(tmp_path):
    root = folder(tmp_path, lambda: tiff(bands(4)))
    schema = ImageSource(root, cache="none").read().images
    (root / "a/odd.tif").write_bytes(tiff(bands(6)))
    with pytest.raises(DataError) as caught:
        ImageSource(root, cache="none").read()
    assert [p.code for p in caught.value.problems] == ["D441"]
    assert "a/odd.tif (6)" in caught.value.problems[0].got
    for content in (tiff(bands(6)), png(bands(3), 2)):
        with pytest.raises(DataError) as caught:
            decode(content, schema)
        assert caught.value.problems[0].code == "D441"


def test_a_model_of_colours_says_how_many_bands_a_tiff_has():
    with pytest.raises(DataError, match="a TIFF with 13 bands of 16 bits") as caught:
        decode(tiff(bands(13, np.uint16)), ImageSchema(3, 8, 10))
    assert caught.value.problems[0].code == "D441"


def test_the_transparency_of_a_png_can_be_a_fourth_band():
    pixels = bands(4)
    schema = choose_schema([read_header(png(pixels, 6))], ImageOptions(channels=4))
    assert (decode(png(pixels, 6), schema) == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_bands_are_set_upright_as_colours_are(orientation):
    pixels = bands(3)
    content = tiff(pixels, orientation=orientation)
    header = read_header(content)
    seen = decode(content, ImageSchema(3, header.height, header.width))
    taken = ImageSchema(3, header.height, header.width, bands=(1, 2, 3), num_bands=3)
    assert (decode(content, taken) == seen).all()


def stack(path):
    pages = [Image.new("L", (10, 8), value) for value in (10, 20, 30)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "a.png"])
def test_pages_that_are_left_out_are_named_and_another_can_be_taken(tmp_path, name):
    for label in "ab":
        (tmp_path / label).mkdir()
        stack(tmp_path / label / name)
    raw = ImageSource(tmp_path, cache="none").read()
    (problem,) = raw.findings
    assert (problem.code, problem.severity, problem.count) == ("D414", "warning", 2)
    second = ImageSource(tmp_path, cache="none", pages=2).read()
    assert np.abs(raw.x.astype(int) - 10).max() <= 2
    assert np.abs(second.x.astype(int) - 20).max() <= 2
    assert (decode(tmp_path / "a" / name, second.images) == second.x[0]).all()
    with pytest.raises(DataError, match="page 4"):
        ImageSource(tmp_path, cache="none", pages=4).read()
