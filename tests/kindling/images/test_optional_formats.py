"""HEIC and the bands of a TIFF are read with an extra; without it, what to install is said."""

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from kindling.errors import DataError
from kindling.images.decoding import decode, read_header
from kindling.images.file_types import SUFFIXES
from kindling.images.image_schema import ImageSchema
from kindling.images.image_source import ImageSource
from tests.kindling.images.made_files import folder_of, tiff

RNG = np.random.default_rng(0)
# Grey, because of colours these formats keep a quarter only.
PHOTO = RNG.integers(0, 256, (24, 32, 1), dtype=np.uint8).repeat(4, 0).repeat(4, 1).repeat(3, 2)
FAKE_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_photos_of_phones_are_read_alike_by_every_door(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    Image.fromarray(PHOTO).save(file, quality=95)
    assert suffix in SUFFIXES
    header = read_header(file)
    schema = ImageSchema(3, header.height, header.width)
    pixels = decode(file, schema)
    assert np.abs(pixels.astype(int) - PHOTO.transpose(2, 0, 1)).mean() < 12
    with Image.open(file) as image:
        for source in (file.read_bytes(), image, image.copy()):
            assert (decode(source, schema) == pixels).all()


def test_a_damaged_heic_is_told_as_damage():
    with pytest.raises(DataError, match="HEIC that is damaged"):
        decode(FAKE_HEIC, ImageSchema(3, 8, 8))


@pytest.mark.slow
def test_without_the_extra_heic_files_are_named_with_what_to_install(tmp_path):
    photos = {f"{label}/{k}.jpg": PHOTO for label in "ab" for k in range(3)}
    folder_of(tmp_path, photos | {f"{label}/{k}.HEIC": FAKE_HEIC for label in "ab" for k in (4, 5)})
    code = (
        "import sys; sys.modules['pillow_heif'] = None\n"  # as if it were not installed
        "from kindling.images.image_source import ImageSource\n"
        f"for p in ImageSource({str(tmp_path)!r}, cache='none').read().findings:\n"
        "    print(p.code, p.severity, p.got, p.do)"
    )
    words = [sys.executable, "-c", code]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "D417 warning left out: 4 .heic" in shown
    assert "pip install" in shown
    assert ".[images]" in shown


@pytest.mark.parametrize(("dtype", "is_seen"), [(np.uint8, True), (np.uint16, False)])
def test_without_the_extra_bands_are_refused_with_what_to_install(
    tmp_path, monkeypatch, dtype, is_seen
):
    pixels = RNG.integers(0, 200, (8, 10, 6)).astype(dtype)
    folder_of(tmp_path, {"a/0.tif": tiff(pixels), "b/0.tif": tiff(pixels)})
    with_it = ImageSource(tmp_path, cache="none", channels=3).read()
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(DataError, match="a TIFF with 6 bands") as caught:
        ImageSource(tmp_path, cache="none").read()
    (problem,) = caught.value.problems
    assert problem.code == "D441"
    assert ".[images]" in problem.do
    assert ("data.channels=3" in problem.do) == is_seen
    if is_seen:
        without = ImageSource(tmp_path, cache="none", channels=3).read()
        assert (without.x == with_it.x).all()
        assert [p.code for p in without.findings] == ["D444"]


@pytest.mark.parametrize("planar", [True, False])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_bands_lie_in_a_tiff_in_several_ways(planar, compression):
    import tifffile

    pixels = RNG.integers(0, 2000, (5, 16, 20)).astype(np.uint16)
    stream = BytesIO()
    tifffile.imwrite(
        stream,
        pixels if planar else pixels.transpose(1, 2, 0),
        photometric="minisblack",
        planarconfig="separate" if planar else "contig",
        compression=compression,
        predictor=compression == "zlib",
        tile=(16, 16),
    )
    content = stream.getvalue()
    header = read_header(content)
    assert (header.bands, header.samples) == (5, "uint16")
    bands = (1, 2, 3, 4, 5)
    schema = ImageSchema(5, 16, 20, dtype="float32", scale="none", bands=bands, num_bands=5)
    assert (decode(content, schema) == pixels).all()


def test_a_compression_that_needs_another_package_names_it(monkeypatch):
    import tifffile

    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    stream = BytesIO()
    pixels = np.zeros((16, 16, 5), np.uint8)
    tifffile.imwrite(stream, pixels, photometric="minisblack", planarconfig="contig")
    content = stream.getvalue()
    # Compression 5 is LZW: what the pixels hold is not looked at before.
    tag = content.index((259).to_bytes(2, "little") + b"\3\0\1\0\0\0\1\0")
    content = content[: tag + 8] + b"\5" + content[tag + 9 :]
    schema = ImageSchema(5, 16, 16, bands=(1, 2, 3, 4, 5))
    with pytest.raises(DataError, match="imagecodecs must be installed"):
        decode(content, schema)
