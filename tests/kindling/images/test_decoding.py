"""Image files of every format, mode and orientation become pixels of the schema's shape."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from kindling.images.decoding import decode, read_header
from kindling.images.image_schema import ImageSchema

GREY, COLOUR = ImageSchema(1, 4, 4), ImageSchema(3, 4, 4)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


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
def test_a_header_tells_the_size_of_the_upright_image(tmp_path, name, orientation, size):
    exif = Image.Exif()
    exif[0x0112] = orientation
    header = read_header(saved(tmp_path, Image.new("L", (20, 10)), name, exif=exif))
    assert (header.height, header.width) == size


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("metadata", [b"Exif\0\0XX*\0\0\0\0\x08", b"Exif\0\0II*\0\x08", b"words"])
def test_metadata_of_a_camera_that_cannot_be_read_do_not_hinder(tmp_path, name, metadata):
    file = saved(tmp_path, Image.new("L", (20, 10), 77), name, exif=metadata)
    assert read_header(file)[:2] == (10, 20)
    pixels = decode(file, ImageSchema(1, 10, 20))
    assert np.abs(pixels.astype(int) - 77).max() <= 1


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_of_holding_a_camera_is_set_upright_as_pillow_does_it(
    tmp_path, name, orientation
):
    pixels = np.kron([[10, 80, 150], [220, 40, 120]], np.ones((16, 16))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(tmp_path, Image.fromarray(pixels), name, exif=exif, quality=100)
    # Of bytes: given a path, Pillow scrambles an uncompressed TIFF that is to be turned.
    shown = Image.open(BytesIO(file.read_bytes()))
    expected = np.asarray(ImageOps.exif_transpose(shown).convert("L"))
    schema = ImageSchema(1, *expected.shape)
    with Image.open(file) as image:
        for source in (file, file.read_bytes(), image):
            assert (decode(source, schema) == expected).all()


@pytest.mark.parametrize(
    ("fit", "corner", "middle"), [("pad", 255, 0), ("crop", 0, 0), ("stretch", 0, 0)]
)
def test_another_shape_is_padded_cropped_or_stretched(tmp_path, fit, corner, middle):
    wide = Image.new("L", (8, 4), 0)
    pixels = decode(saved(tmp_path, wide), ImageSchema(1, 8, 8, fit))[0]
    assert (pixels[0, 0], pixels[4, 4]) == (corner, middle)


def test_a_file_its_bytes_and_a_pillow_image_are_the_same(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = saved(tmp_path, Image.fromarray(pixels))
    expected = pixels.transpose(2, 0, 1)
    with Image.open(file) as image:
        for source in (file, file.read_bytes(), image, image.copy()):
            assert (decode(source, COLOUR) == expected).all()


def test_one_pixel_is_an_image(tmp_path):
    assert decode(saved(tmp_path, Image.new("L", (1, 1), 9)), GREY).shape == (1, 4, 4)
