import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageOps

from kindling.errors import DataError
from kindling.images.decoding import decode, read_header
from kindling.images.schema import ImageSchema
from tests.kindling.bad_images import bomb

GREY, COLOUR = ImageSchema(1, 4, 4), ImageSchema(3, 4, 4)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def png(bits, colour_type, levels, clear=None):
    """Write a PNG as its standard says: of 16-bit colours Pillow writes none.

    Levels of less than a byte are given packed.
    """

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = levels.shape[:2]
    width = width * 8 // bits if bits < 8 else width
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    key = b"" if clear is None else chunk(b"tRNS", np.array(clear, ">u2").tobytes())
    data = chunk(b"IHDR", header) + key + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
def test_every_mode_shows_the_same_white(tmp_path, mode):
    image = Image.new("RGB", (4, 4), (255, 255, 255)).convert(mode)
    name = "a.tif" if mode == "CMYK" else "a.png"
    assert (decode(saved(tmp_path, image, name), COLOUR) == 255).all()


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("RGB", "a.png"),
        ("RGB", "a.jpg"),
        ("RGB", "a.webp"),
        ("RGB", "a.bmp"),
        ("RGB", "a.ppm"),
        ("RGBA", "a.tif"),
        ("P", "a.gif"),
        ("CMYK", "a.jpg"),  # Adobe's inverted inks
        ("YCbCr", "a.tif"),
    ],
)
def test_every_format_shows_the_same_colour(tmp_path, mode, name):
    options = {} if mode == "P" else {"quality": 100}
    image = Image.new("RGB", (4, 4), (200, 30, 10))
    image = image.quantize() if mode == "P" else image.convert(mode)
    pixels = decode(saved(tmp_path, image, name, **options), COLOUR)
    assert np.abs(pixels[:, 0, 0].astype(int) - (200, 30, 10)).max() <= 3


@pytest.mark.parametrize("schema", [GREY, COLOUR])
def test_pixels_are_bytes_of_the_schemas_shape_whatever_the_image_is(schema):
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F"):
        pixels = decode(Image.new(mode, (7, 5)), schema)
        assert (pixels.dtype, pixels.shape) == (np.uint8, (schema.channels, 4, 4))
        assert pixels.flags.c_contiguous


def test_transparent_pixels_show_the_background(tmp_path):
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    schema = ImageSchema(3, 4, 4, background=(10, 20, 30))
    pixels = decode(saved(tmp_path, clear), schema)
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    palette = clear.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert decode(saved(tmp_path, palette, transparency=palette.getpixel((0, 0))), schema)[
        :, 0, 0
    ].tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    ("bits", "colour_type", "levels", "clear", "others"),
    [
        (1, 0, np.array([[0b01010101]], "u1"), 0, 255),
        (2, 0, np.array([[0b01110111]], "u1"), 1, 255),
        (4, 0, np.array([[0x1F, 0x1F]], "u1"), 1, 255),
        (8, 0, np.array([[1, 255]], "u1"), 1, 255),
        (16, 0, np.array([[0x1234, 0x1235, 0x8000]], ">u2"), 0x1234, 0x12),
        (8, 2, np.array([[[1, 2, 3], [9, 9, 9]]], "u1"), (1, 2, 3), 9),
        (16, 2, np.array([[[0x1234] * 3, [0x1334] * 3]], ">u2"), [0x1234] * 3, 0x13),
    ],
    ids=["1 bit", "2 bits", "4 bits", "8 bits", "16 bits", "colour", "colour of 16 bits"],
)
def test_the_clear_level_of_a_png_shows_the_background(bits, colour_type, levels, clear, others):
    content = png(bits, colour_type, levels, clear)
    width = read_header(content).width
    pixels = decode(content, ImageSchema(3, 1, width, background=(10, 20, 30)))
    assert pixels[:, 0, 0].tolist() == [10, 20, 30]
    assert pixels[:, 0, 1].tolist() == [others] * 3


def test_half_transparent_grey_is_mixed_with_the_background(tmp_path):
    grey = Image.new("LA", (4, 4), (100, 128))
    pixels = decode(saved(tmp_path, grey), ImageSchema(1, 4, 4, background=(200, 200, 200)))
    assert np.abs(pixels.astype(int) - 150).max() <= 1


def test_sixteen_bits_a_colour_are_scaled():
    assert (decode(png(16, 2, np.full((4, 4, 3), 0x8000, ">u2")), COLOUR) == 0x80).all()


@pytest.mark.parametrize(
    ("levels", "name", "expected"),
    [
        (np.full((4, 4), 0x40000000, np.int32), "a.tif", 0xC0),  # signed: zero is in the middle
        (np.full((4, 4), 0xF000, np.uint16), "a.png", 0xF0),
        (np.full((4, 4), 0x1000, np.uint16), "a.tif", 0x10),
        (np.full((4, 4), 0.5, np.float32), "a.tif", 128),
    ],
)
def test_more_bits_and_floats_are_scaled_not_clipped(tmp_path, levels, name, expected):
    file = saved(tmp_path, Image.fromarray(levels), name)
    assert (decode(file, GREY) == expected).all()


def test_floats_beyond_one_are_refused(tmp_path):
    file = saved(tmp_path, Image.fromarray(np.full((4, 4), 7.5, np.float32)), "a.tif")
    with pytest.raises(DataError, match="between 0 and 1") as caught:
        decode(file, GREY)
    assert caught.value.problems[0].code == "D404"


def test_an_image_on_its_side_is_turned(tmp_path):
    image, exif = Image.new("L", (8, 4)), Image.Exif()
    image.paste(255, (0, 0, 2, 4))  # a bright left edge
    exif[0x0112] = 6  # to be turned clockwise: the left edge is the top
    file = saved(tmp_path, image, "a.jpg", exif=exif, quality=100)
    pixels = decode(file, ImageSchema(1, 8, 4))[0]
    assert pixels[0].min() > 200
    assert pixels[4:].max() < 50


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (10, 20)), (3, (10, 20)), (6, (20, 10))])
def test_a_header_tells_the_size_of_the_upright_picture(tmp_path, name, orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    header = read_header(saved(tmp_path, Image.new("L", (20, 10)), name, exif=exif))
    assert (header.height, header.width) == size


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("remarks", [b"Exif\0\0XX*\0\0\0\0\x08", b"Exif\0\0II*\0\x08", b"words"])
def test_remarks_of_a_camera_that_cannot_be_read_do_not_hinder(tmp_path, name, remarks):
    file = saved(tmp_path, Image.new("L", (20, 10), 77), name, exif=remarks)
    assert read_header(file)[:2] == (10, 20)
    pixels = decode(file, ImageSchema(1, 10, 20))
    assert np.abs(pixels.astype(int) - 77).max() <= 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_of_holding_a_camera_is_set_upright_as_pillow_does_it(
    tmp_path, name, orientation
):
    levels = np.kron([[10, 80, 150], [220, 40, 120]], np.ones((16, 16))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(tmp_path, Image.fromarray(levels), name, exif=exif, quality=100)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("L"))
    schema = ImageSchema(1, *expected.shape)
    for source in (file, Image.open(file)):
        assert (decode(source, schema) == expected).all()


@pytest.mark.parametrize(
    ("fit", "corner", "middle"), [("pad", 255, 0), ("crop", 0, 0), ("stretch", 0, 0)]
)
def test_another_shape_is_padded_cropped_or_stretched(tmp_path, fit, corner, middle):
    wide = Image.new("L", (8, 4), 0)
    pixels = decode(saved(tmp_path, wide), ImageSchema(1, 8, 8, fit))[0]
    assert (pixels[0, 0], pixels[4, 4]) == (corner, middle)


def test_a_file_its_bytes_and_its_picture_are_the_same(tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = saved(tmp_path, Image.fromarray(levels))
    expected = levels.transpose(2, 0, 1)
    for source in (file, file.read_bytes(), Image.open(file)):
        assert (decode(source, COLOUR) == expected).all()


def test_levels_that_would_all_be_one_grey_are_refused(tmp_path):
    file = saved(tmp_path, Image.fromarray(np.arange(16, dtype=np.int32).reshape(4, 4)), "a.tif")
    with pytest.raises(DataError, match="0 to 15 of 32 bits") as caught:
        decode(file, GREY)
    assert caught.value.problems[0].code == "D404"


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
def test_of_a_cameras_remarks_that_are_cut_off_nothing_is_said(tmp_path):
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
    levels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(levels).save(buffer, form)
    content = buffer.getvalue()
    with pytest.raises(DataError) as caught:
        decode(content[: len(content) // 2], COLOUR)
    assert caught.value.problems[0].code == "D402"


def as_saved(form, **options):
    """Return a file of slight noise, and where the data of its pixels lie in it."""
    buffer = io.BytesIO()
    levels = np.random.default_rng(0).normal(128, 8, (32, 32, 3)).astype(np.uint8)
    Image.fromarray(levels).save(buffer, form, **options)
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


def test_one_pixel_is_an_image(tmp_path):
    assert decode(saved(tmp_path, Image.new("L", (1, 1), 9)), GREY).shape == (1, 4, 4)
