"""Images that are arrays, uint8 or float32 with any channels: described, and read from .npy."""

import io

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.arrays import array_schema, decode_array
from kindling.images.decoding import decode, read_header
from kindling.images.file_types import image_suffixes
from kindling.images.image_schema import ImageSchema

FLOATS = ImageSchema(4, 10, 12, dtype="float32")


def made(dtype, channels, rows=60):
    x = np.random.default_rng(0).integers(0, 256, (rows, channels, 10, 12))
    return x.astype(np.uint8) if dtype == "uint8" else (x / 7 - 1000).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "got"),
    [
        (np.zeros((5, 8, 8), np.uint8), r"an array of \(5, 8, 8\)"),
        (np.zeros((0, 1, 8, 8), np.uint8), r"an array of \(0, 1, 8, 8\)"),
        (np.zeros((5, 1, 8, 8)), "an array of float64"),
        (np.zeros((5, 1, 8, 8), np.int64), "an array of int64"),
        (np.zeros((5, 1, 8, 8), ">f4"), "an array of >f4"),
    ],
)
def test_an_array_that_no_network_takes_is_refused(x, got):
    with pytest.raises(DataError, match=got) as caught:
        array_schema(x)
    assert caught.value.problems[0].code == "D409"


def test_the_first_image_with_a_number_that_is_not_finite_is_named():
    x = made("float32", 2, rows=600)
    x[[300, 400], 1, 2, 3] = np.nan, np.inf
    with pytest.raises(DataError, match="NaN or infinity in image 300") as caught:
        array_schema(x)
    assert caught.value.problems[0].row == 300


def as_npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_npy_file_and_its_bytes_are_the_array_that_was_saved(tmp_path):
    image = made("float32", 4)[0]
    for saved in (image, np.asfortranarray(image), image.astype(">f4")):
        np.save(tmp_path / "a.npy", saved)
        for source in (tmp_path / "a.npy", as_npy(saved)):
            pixels = decode(source, FLOATS)
            assert (pixels.dtype, pixels.flags.c_contiguous) == (np.float32, True)
            assert (pixels == image).all()
            assert read_header(source)[:3] == (10, 12, False)


def test_a_npy_file_of_uint8_stands_beside_other_image_files(tmp_path):
    pixels = made("uint8", 3)[0]
    Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / "a.png")
    schema = ImageSchema(3, 10, 12)
    assert (decode(as_npy(pixels), schema) == decode(tmp_path / "a.png", schema)).all()
    assert {".npy", ".png"} <= image_suffixes(schema)
    assert image_suffixes(FLOATS) == {".npy"}


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros((4, 10, 12), np.int16), r"int16 \(4, 10, 12\)"),
        (np.full((4, 10, 12), 1e300), "a number beyond float32 in the image that was given"),
        (np.zeros((10, 12, 4), np.float32), r"float32 \(10, 12, 4\)"),
        (np.zeros((4, 10, 12), np.uint8), r"uint8 \(4, 10, 12\)"),
        (np.full((4, 10, 12), np.inf, np.float32), "NaN or infinity in the image that was given"),
        (np.array([{}], dtype=object), r"object \(1,\)"),
    ],
)
def test_a_npy_file_of_another_kind_is_refused_with_what_is_needed(array, got):
    with pytest.raises(DataError, match=got) as caught:
        decode(as_npy(array), FLOATS)
    assert caught.value.problems[0].code == "D409"
    assert caught.value.problems[0].do


def test_a_float_of_another_width_is_cast_and_whole_numbers_are_not():
    image = made("float32", 4)[0]
    for dtype in (np.float64, ">f8", np.float16, np.longdouble):
        pixels = decode(as_npy(image.astype(dtype)), FLOATS)
        assert pixels.dtype == np.float32
        assert np.array_equal(pixels, image.astype(dtype).astype(np.float32))
    for array, schema, fix in (
        (np.zeros(FLOATS.shape, np.int64), FLOATS, r"take \.astype\(np\.float32\)"),
        (np.zeros((3, 10, 12)), ImageSchema(3, 10, 12), r"take \.astype\(np\.uint8\)"),
        (np.zeros((10, 12, 4)), FLOATS, "save an array of this shape"),
    ):
        with pytest.raises(DataError, match=fix):
            decode(as_npy(array), schema)


def codes_of(content):
    """Decode; return the codes of what was wrong."""
    try:
        assert decode(content, FLOATS).shape == FLOATS.shape
    except DataError as error:
        return {problem.code for problem in error.problems}
    return set()


def test_a_header_that_claims_too_much_makes_no_room_for_it():
    content = as_npy(np.zeros((4, 10, 12), np.float32))
    huge = content.replace(b"(4, 10, 12), }     ", b"(99999999, 9, 99), }".ljust(19))
    assert codes_of(huge) == {"D409"}
    for damaged in (content[:-7], content[:30], content[:7]):
        assert codes_of(damaged) == {"D402"}


def test_every_cut_and_every_flipped_bit_of_a_header_gives_an_array_or_a_problem():
    content = as_npy(made("float32", 4)[0])
    for place in range(128):
        flipped = bytearray(content)
        flipped[place] ^= 1 << (place % 8)
        for damaged in (content[:place], bytes(flipped)):
            assert codes_of(damaged) <= {"D402", "D409"}


def test_an_image_file_is_refused_where_arrays_were_learnt_from(tmp_path):
    Image.new("RGB", (12, 10)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"float32 \(4, 10, 12\); got .*a.png.*numpy.save"):
        decode(tmp_path / "a.png", FLOATS)
    with pytest.raises(DataError, match="No such file") as caught:
        decode(tmp_path / "none.npy", FLOATS)
    assert caught.value.problems[0].code == "D401"


def test_without_the_room_of_image_files_arrays_are_read_and_nothing_else(tmp_path):
    array = np.ones((4, 10, 12), np.float32)
    np.save(tmp_path / "one.npy", array)
    assert (decode_array(tmp_path / "one.npy", FLOATS) == array).all()
    assert (decode_array((tmp_path / "one.npy").read_bytes(), FLOATS) == array).all()
    (tmp_path / "one.png").write_bytes(b"\x89PNG")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "one.npy").read_bytes()[:20])
    for source, got in (
        (tmp_path / "one.png", "one.png: no .npy file"),
        (tmp_path / "cut.npy", "cut.npy: "),
        (tmp_path / "none.npy", "No such file"),
        (b"", "the image that was given: no .npy file"),
        (3, "no .npy file"),
    ):
        with pytest.raises(DataError, match=rf"must be given as an array here.*{got}"):
            decode_array(source, FLOATS)
