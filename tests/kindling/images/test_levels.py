"""No level of an image is lost: more than 8 bits are kept, or what is lost is said."""

import json
from dataclasses import asdict
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kindling.errors import ConfigError, DataError
from kindling.images.decoding import decode, read_header
from kindling.images.image_schema import ImageOptions, ImageSchema, choose_schema
from kindling.images.image_source import ImageSource
from tests.kindling.images.made_files import folder_of, png, tiff

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 4096, (8, 10), dtype=np.uint16)
COLOUR = RNG.integers(0, 65536, (8, 10, 3), dtype=np.uint16)
CLEAR = np.concatenate([COLOUR, np.full((8, 10, 1), 0xFFFF, np.uint16)], axis=2)
PGM = b"P5\n10 8\n4095\n" + GREY.astype(">u2").tobytes()

# content, its numbers, and what the file says they are
DEEP = {
    "PNG": (png(GREY, 0), GREY, "uint16"),
    "PNG, colour": (png(COLOUR, 2), COLOUR, "uint16"),
    "PNG, colour and opaque": (png(CLEAR, 6), COLOUR, "uint16"),
    "PNG, grey and opaque": (png(CLEAR[..., 2:], 4), COLOUR[..., 2], "uint16"),
    "PNG, significant bits": (png(GREY, 0, (b"sBIT", b"\x0c")), GREY, "uint16"),
    "TIFF": (tiff(GREY), GREY, "uint16"),
    "TIFF, 12 bits": (tiff(GREY, bits=12), GREY, "uint12"),
    "TIFF, signed": (tiff(GREY.astype(np.int16) - 2048), GREY.astype(int) - 2048, "int16"),
    "TIFF, signed bytes": (tiff((GREY >> 4).astype(np.int8)), (GREY >> 4).astype(np.int8), "int8"),
    "TIFF, white is zero": (tiff(GREY, photometric=0), GREY, "uint16 (white is zero)"),
    "TIFF, 32 bits": (tiff(GREY.astype(np.uint32)), GREY, "uint32"),
    "TIFF, floats": (tiff(GREY / np.float32(7) - 9), GREY / np.float32(7) - 9, "float32"),
    "TIFF, colour": (tiff(COLOUR), COLOUR, "uint16"),
    "PGM": (PGM, np.rint(GREY / 4095 * 65535), "uint16"),  # by its own maximum
}


def schema_of(*contents, **options):
    return choose_schema([read_header(content) for content in contents], ImageOptions(**options))


@pytest.mark.parametrize("name", DEEP)
def test_more_than_8_bits_are_kept_by_every_door(tmp_path, name):
    content, numbers, samples = DEEP[name]
    schema = schema_of(content)
    assert (schema.samples, schema.dtype) == (samples, "float32")
    expected = np.atleast_3d(numbers).transpose(2, 0, 1).astype(np.float32)
    (tmp_path / "a").write_bytes(content)
    with Image.open(tmp_path / "a") as image:
        for source in (tmp_path / "a", content, image, Image.open(BytesIO(content))):
            assert (decode(source, schema) == expected).all()


@pytest.mark.parametrize("name", DEEP)
def test_a_pillow_image_that_was_loaded_or_copied_gives_the_same_or_is_refused(name):
    content, _, samples = DEEP[name]
    schema = schema_of(content)
    image = Image.open(BytesIO(content))
    copy = image.copy()
    # Of colours Pillow has kept a byte, of a copy of signed bytes no sign.
    is_lost = "colour" in name or "opaque" in name
    for source in (image, copy):
        if is_lost or (samples == "int8" and source is copy):
            with pytest.raises(DataError, match="bytes") as caught:
                decode(source, schema)
            assert caught.value.problems[0].code in ("D440", "D441")
        else:
            assert (decode(source, schema) == decode(content, schema)).all()


def test_white_is_zero_is_turned_where_formats_are_compared():
    schema = ImageSchema(1, 8, 10)
    white = decode(tiff(GREY << 4, photometric=0), schema)
    assert (white == 255 - decode(tiff(GREY << 4), schema).astype(int)).all()
    bytes_ = (GREY >> 4).astype(np.uint8)
    assert (decode(tiff(bytes_, photometric=0), schema) == 255 - bytes_).all()


def test_colours_of_which_pillow_kept_a_byte_are_refused():
    image = Image.open(BytesIO(png(COLOUR, 2)))
    image.load()
    with pytest.raises(DataError, match=r"uint16 numbers.*uint8; .*path or bytes"):
        decode(image, schema_of(png(COLOUR, 2)))


def xrays(root, marks=True):
    """Write 12 bits in 16; the classes differ by 12 of 4096 levels."""
    images = {}
    for label in ("clear", "spot"):
        for k in range(12):
            image = RNG.integers(1000, 1010, (24, 24)).astype(np.uint16)
            image[4:8, k : k + 4] += 12 * (label == "spot")
            image[0, 0], image[-1, -1] = (0, 4095) if marks else (1000, 1021)
            images[f"{label}/{k:02}.png"] = image
    return folder_of(root, images)


@pytest.mark.parametrize("marks", [True, False])
def test_12_bits_in_16_are_kept_and_their_range_is_stated(tmp_path, marks):
    raw = ImageSource(xrays(tmp_path, marks), cache="none").read()
    assert raw.x.dtype == np.float32
    assert raw.x.max() == (4095 if marks else 1021)
    assert len(set(raw.content_hashes.tolist())) == 24
    low, high = raw.images.value_range
    assert raw.notes == (f"uint16 kept as they are, {low:g} to {high:g}",)
    assert raw.findings == ()


def test_the_schema_of_a_bundle_reads_new_images_in_the_same_way(tmp_path):
    raw = ImageSource(xrays(tmp_path / "x"), cache=tmp_path / "cache").read()
    again = ImageSource(tmp_path / "x", cache=tmp_path / "cache").read()
    assert isinstance(again.x, np.memmap)
    assert (again.x == raw.x).all()
    kept = ImageSchema.from_plain(json.loads(json.dumps(asdict(raw.images))))
    assert kept == raw.images == again.images
    assert (decode(tmp_path / "x" / "spot/03.png", kept) == raw.x[15]).all()


def test_a_range_can_be_asked_for(tmp_path):
    raw = ImageSource(xrays(tmp_path), cache="none", scale=[1000, 1021]).read()
    assert raw.x.dtype == np.uint8
    assert sorted(set(raw.x[0, 0, 4:8].flatten().tolist()))[:3] == [0, 12, 24]
    assert raw.notes == ("1000 to 1021 scaled to 0 to 255, cut beyond",)


def test_the_range_of_the_format_can_be_asked_for_and_says_what_is_lost(tmp_path):
    raw = ImageSource(xrays(tmp_path), cache="none", scale="format").read()
    (problem,) = (p for p in raw.findings if p.code == "D443")
    assert "24 of 24 hold 0 to 4095 (uint16): 16 of 256 steps are left" in problem.got
    assert "data.scale=[0,4095]" in problem.do
    assert problem.severity == "warning"


def test_several_bit_depths_are_scaled_by_their_formats_and_named(tmp_path):
    folder_of(tmp_path, {f"a/{k}.png": (GREY >> 4).astype(np.uint8) for k in range(5)})
    folder_of(tmp_path, {"b/deep.png": GREY << 4, "b/1.png": np.zeros((8, 10), np.uint8)})
    raw = ImageSource(tmp_path, cache="none").read()
    assert (raw.x[-1] == GREY >> 4).all()
    (problem,) = raw.findings
    assert (problem.code, problem.severity) == ("D443", "warning")
    assert problem.got == "1 of 7: b/deep.png (uint16)"


@pytest.mark.parametrize(
    ("train", "new"),
    [
        (png(GREY, 0), png((GREY >> 4).astype(np.uint8), 0)),
        (tiff(GREY), tiff(GREY.astype(np.int16))),
        (tiff(GREY, bits=12), png(GREY, 0)),
        (png((GREY >> 4).astype(np.uint8), 0), png(GREY, 0)),  # 12 bits in 16: nearly black
    ],
)
def test_a_model_refuses_another_bit_depth_than_it_was_trained_on(train, new):
    with pytest.raises(DataError) as caught:
        decode(new, schema_of(train))
    assert caught.value.problems[0].code == "D440"


def test_a_model_of_bytes_takes_16_bits_that_use_their_range():
    schema = schema_of(png((GREY >> 4).astype(np.uint8), 0))
    assert (decode(png(GREY << 4, 0), schema) == GREY >> 4).all()


def test_numbers_are_padded_with_the_background_of_their_own_range():
    schema = ImageSchema(1, 10, 10, dtype="float32", scale="none", value_range=(100.0, 4095.0))
    pixels = decode(tiff(GREY), schema)[0]
    assert np.allclose(pixels[0], 4095)  # white
    assert (pixels[1:9] == GREY).all()


def test_transparent_numbers_show_the_background():
    clear = CLEAR.copy()
    clear[0, 0, 3] = 0
    schema = ImageSchema(3, 8, 10, dtype="float32", scale="none", value_range=(0.0, 65535.0))
    pixels = decode(png(clear, 6), schema)
    assert (pixels[:, 0, 0] == 65535).all()
    assert (pixels[:, 1] == COLOUR[1].T).all()


def test_floats_that_are_not_finite_are_refused_and_named():
    numbers = np.full((8, 10), 0.5, np.float32)
    numbers[2, 3] = np.nan
    with pytest.raises(DataError, match="NaN or infinity") as caught:
        decode(tiff(numbers), schema_of(tiff(numbers)))
    assert caught.value.problems[0].code == "D404"


def test_a_range_that_falls_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"data.scale=\[0,4095\]"):
        ImageSource(tmp_path, scale=[4095, 0])
