import numpy as np
import pytest
from PIL import Image

from kindling.data.columns.schema import ImageSchema
from kindling.data.pictures.decode import decode
from kindling.errors import DataError

GREY, COLOUR = ImageSchema(1, 4, 4), ImageSchema(3, 4, 4)


def saved(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
def test_every_mode_shows_the_same_colour(tmp_path, mode):
    image = Image.new("RGB", (4, 4), (255, 255, 255)).convert(mode)
    name = "a.tif" if mode == "CMYK" else "a.png"
    assert (decode(saved(tmp_path, image, name), COLOUR) == 255).all()


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
    ("levels", "name", "expected"),
    [
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


def test_one_pixel_is_an_image(tmp_path):
    assert decode(saved(tmp_path, Image.new("L", (1, 1), 9)), GREY).shape == (1, 4, 4)
