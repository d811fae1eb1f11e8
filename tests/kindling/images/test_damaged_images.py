"""Damaged files, and headers that claim too much, are refused and never half an image."""

import io
import subprocess
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.decoding import decode, read_header
from kindling.images.image_schema import ImageSchema
from tests.kindling.bad_images import bomb
from tests.kindling.images.made_files import png

GREY, COLOUR = ImageSchema(1, 4, 4), ImageSchema(3, 4, 4)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("side", [8_000, 10_000, 60_000])  # Pillow warns of the second, refuses 3.
@pytest.mark.parametrize("look", [read_header, lambda source: decode(source, GREY)])
def test_a_bomb_is_refused_by_its_header(side, look):
    with pytest.raises(DataError) as caught:
        look(bomb(side))
    assert caught.value.problems[0].code == "D403"


def said_of(file):
    """Return what a process of its own prints that decodes a file, and what of warnings."""
    code = (
        "import sys; from pathlib import Path; from kindling.images.decoding import *\n"
        "try: print(decode(Path(sys.argv[1]), ImageSchema(1, 4, 4)).shape)\n"
        "except DataError as error: print(error.problems[0].code)"
    )
    words = [sys.executable, "-c", code, str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


@pytest.mark.slow
def test_of_a_bomb_nothing_is_said_but_the_problem(tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(10_000))
    assert said_of(tmp_path / "a.png") == ("D403\n", "")


@pytest.mark.slow
def test_of_a_cameras_metadata_that_are_cut_off_nothing_is_said(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "a maker of cameras"
    file = saved(tmp_path, Image.new("L", (4, 4)), "a.jpg", exif=exif)
    content = file.read_bytes()
    file.write_bytes(content.replace(exif.tobytes(), exif.tobytes().replace(b"\0\x13", b"\x13\0")))
    assert file.read_bytes() != content
    assert said_of(file) == ("(1, 4, 4)\n", "")


def codes_of(content):
    """Decode; return the codes of what was wrong."""
    try:
        assert decode(content, COLOUR).shape == (3, 4, 4)
    except DataError as error:
        return {problem.code for problem in error.problems}
    return set()


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "tiff", "webp", "bmp"])
def test_every_cut_and_every_flipped_bit_gives_pixels_or_a_problem_with_a_code(form):
    rng, buffer = np.random.default_rng(1), io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(buffer, form)
    content = buffer.getvalue()
    for end, place in rng.integers(0, len(content), (40, 2)).tolist():
        flipped = bytearray(content)
        flipped[place] ^= 1 << (end % 8)
        codes = codes_of(content[:end]) | codes_of(bytes(flipped))
        assert codes <= {"D401", "D402", "D403", "D404"}


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "bmp"])
def test_half_a_file_is_never_an_image(form):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, form)
    content = buffer.getvalue()
    with pytest.raises(DataError) as caught:
        decode(content[: len(content) // 2], COLOUR)
    assert caught.value.problems[0].code == "D402"


def as_saved(form, **options):
    """Return a file of slight noise, and where the data of its pixels lie in it."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).normal(128, 8, (32, 32, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, form, **options)
    content = buffer.getvalue()
    start = content.index(b"IDAT") + 4 if form == "png" else content.index(b"\xff\xda") + 14
    return content, range(start, len(content) - 16)


def differing(content, places, change):
    """Change bytes at each place; return of how many files the pixels differ without a word."""
    sound, unnoticed = decode(content, ImageSchema(3, 32, 32)), 0
    for place in places:
        damaged = bytearray(content)
        change(damaged, place)
        with suppress(DataError):
            unnoticed += (decode(bytes(damaged), ImageSchema(3, 32, 32)) != sound).any()
    return unnoticed


def flip(content, place):
    content[place] ^= 1 << (place % 8)


def test_a_flipped_bit_in_the_data_of_a_png_never_changes_a_pixel_without_a_word():
    content, places = as_saved("png")
    assert differing(content, places[::7], flip) == 0


def test_a_flipped_bit_in_the_data_of_a_jpeg_is_not_known():
    """No checksum is in the format, and Pillow keeps the warnings of libjpeg to itself.

    To walk over the markers would find 3 of 1,000 flipped bits for a sixth of the time, and refuse
    photos with harmless extras: it is not done. What can be done is to keep photos with checksums.
    """
    content, places = as_saved("jpeg")
    assert differing(content, places[::7], flip) > 0.9 * len(places[::7])


@pytest.mark.parametrize("form", ["png", "jpeg"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_file_that_is_zeros_from_some_point_is_refused(form, options):
    """As a download or a copy that broke off leaves it, at its full length."""
    content, places = as_saved(form, **options)

    def blank(damaged, place):
        damaged[place:] = bytes(len(damaged) - place)

    assert differing(content, places[::31], blank) == 0


@pytest.mark.parametrize("is_behind", [False, True])
def test_long_text_beside_the_pixels_of_a_png_is_no_damage(is_behind):
    text = (b"zTXt", b"workflow\0\0" + zlib.compress(b"x" * 3_000_000))
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    content = png(pixels, 0, text)
    if is_behind:
        start = content.index(b"zTXt") - 4
        end = start + 12 + len(text[1])
        content = content[:start] + content[end:-12] + content[start:end] + content[-12:]
    assert (decode(content, GREY)[0] == pixels).all()


def test_text_beyond_every_bound_is_told_as_text():
    text = (b"zTXt", b"workflow\0\0" + zlib.compress(bytes(65 << 20)))
    with pytest.raises(DataError, match="the text in a PNG") as caught:
        read_header(png(np.zeros((4, 4), np.uint8), 0, text))
    assert "exiftool" in caught.value.problems[0].fix
