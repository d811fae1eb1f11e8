"""Bit depth and transparency: scaled to 8 bits, before the background."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.decoding import decode, read_header
from kindling.images.image_schema import ImageSchema

GREY, COLOUR = ImageSchema(1, 4, 4), ImageSchema(3, 4, 4)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def png(bits, colour_type, pixels, clear=None):
    """Write a PNG as its standard says: of 16-bit colours Pillow writes none.

    Levels of less than a byte are given packed.
    """

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = pixels.shape[:2]
    width = width * 8 // bits if bits < 8 else width
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    key = b"" if clear is None else chunk(b"tRNS", np.array(clear, ">u2").tobytes())
    data = chunk(b"IHDR", header) + key + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


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
    ("bits", "colour_type", "pixels", "clear", "others"),
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
def test_a_png_s_transparent_value_shows_the_background(bits, colour_type, pixels, clear, others):
    content = png(bits, colour_type, pixels, clear)
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
    ("pixels", "name", "expected"),
    [
        (np.full((4, 4), 0x40000000, np.int32), "a.tif", 0xC0),  # signed: zero is in the middle
        (np.full((4, 4), 0xF000, np.uint16), "a.png", 0xF0),
        (np.full((4, 4), 0x1000, np.uint16), "a.tif", 0x10),
        (np.full((4, 4), 0.5, np.float32), "a.tif", 128),
    ],
)
def test_more_bits_and_floats_are_scaled_not_clipped(tmp_path, pixels, name, expected):
    file = saved(tmp_path, Image.fromarray(pixels), name)
    assert (decode(file, GREY) == expected).all()


def test_floats_beyond_one_are_refused(tmp_path):
    file = saved(tmp_path, Image.fromarray(np.full((4, 4), 7.5, np.float32)), "a.tif")
    with pytest.raises(DataError, match="between 0 and 1") as caught:
        decode(file, GREY)
    assert caught.value.problems[0].code == "D404"


def test_pixels_that_would_all_be_one_grey_are_refused(tmp_path):
    file = saved(tmp_path, Image.fromarray(np.arange(16, dtype=np.int32).reshape(4, 4)), "a.tif")
    with pytest.raises(DataError, match="0 to 15 of 32 bits") as caught:
        decode(file, GREY)
    assert caught.value.problems[0].code == "D404"
