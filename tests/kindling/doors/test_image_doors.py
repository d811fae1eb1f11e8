"""The same image gets the same answer by whatever door it comes: as a file, bytes, or of Pillow."""

import io
import json
import time

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image, ImageOps

from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.bundle.streaming import predict_images
from kindling.errors import DataError
from kindling.export.artifact import module_of
from kindling.export.notes import notes_of
from kindling.images.decoding import decode
from kindling.serve.answer import Refusal
from kindling.serve.middleware import Limits
from kindling.serve.service import IMAGE, PredictionService, Upload
from tests.kindling.export.made import image_model

SIDE = 40
RAMP = np.linspace(0, 1, SIDE * 30).reshape(30, SIDE)
COLOUR = (np.stack([RAMP, RAMP[::-1], RAMP**2], axis=2) * 255).astype(np.uint8)
GREY, DEEP = COLOUR[..., 0], (RAMP * 65535).astype(np.uint16)
ALPHA = np.dstack([COLOUR, GREY])
TURNED = Image.Exif()
TURNED[0x0112] = 6  # the orientation

ODD = {
    "colour.png": (COLOUR, {}),
    "alpha.png": (ALPHA, {}),
    "grey_alpha.png": (ALPHA[..., [0, 3]], {}),
    "deep.png": (DEEP, {}),
    "deep.tif": (DEEP, {}),
    "signed.tif": (DEEP.astype(np.int32) - 32768, {}),
    "deep.pgm": (DEEP, {}),
    "floats.tif": (RAMP.astype(np.float32), {}),
    "turned.jpg": (COLOUR, {"exif": TURNED}),
    "turned.png": (COLOUR, {"exif": TURNED}),
    "large.jpg": (np.tile(COLOUR, (12, 12, 1)), {}),
    "palette.gif": (GREY, {}),
    "lossless.webp": (ALPHA, {"lossless": True}),
    "tiny.bmp": (COLOUR[:3, :5], {}),
    "bits.png": (GREY > 127, {}),
}
DEEP_ONES = ("deep", "signed", "floats")
BROKEN = {"empty.png": b"", "text.jpg": b"no image", "half.png": None}


@pytest.fixture(scope="module")
def model():
    return image_model(3, 16, 12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write each image into a folder of its class."""
    folder = tmp_path_factory.mktemp("images")
    for name, (pixels, options) in ODD.items():
        (folder / "a").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / "a" / name, **options)
    for name, content in BROKEN.items():
        content = (folder / "a" / "colour.png").read_bytes()[:200] if content is None else content
        (folder / name).write_bytes(content)
    return folder


def served(model, name, content):
    service = PredictionService(model, Limits())
    return service.predict([Upload(IMAGE, name, content)], time.monotonic() + 60).probs


def opened(model, source):
    with Image.open(source) as image:
        return model.scores([image])


def answers(model, file):
    """Ask each door; None is a refusal."""
    content = file.read_bytes()
    doors = {
        "a path": lambda: model.scores([file]),
        "text": lambda: model.scores([str(file)]),
        "bytes": lambda: model.scores([content]),
        "Pillow of a path": lambda: opened(model, file),
        "Pillow of bytes": lambda: opened(model, io.BytesIO(content)),
        "an array": lambda: model.scores(decode(file, model.schema)[np.newaxis]),
        "predict": lambda: _probs(pa.concat_tables(predict_images(model, [file], 1))),
        "the server": lambda: served(model, file.name, content),
        "the exported program": lambda: _exported(model, decode(file, model.schema)),
    }
    found = {}
    for name, ask in doors.items():
        try:
            found[name] = ask()
        except (DataError, Refusal, OSError):  # Image.open itself raises an OSError
            found[name] = None
    return found


def _probs(table):
    return np.column_stack([table[f"prob_{name}"].to_numpy() for name in "abc"])


def _exported(model, pixels):
    with torch.no_grad():
        return module_of(model, network_only=False)(torch.from_numpy(pixels[None])).numpy()


@pytest.mark.parametrize("name", ODD)
def test_an_image_gets_one_answer(model, folder, name):
    (first, expected), *others = answers(model, folder / "a" / name).items()
    assert expected is not None, first
    for door, answer in others:
        assert answer == pytest.approx(expected, abs=1e-6), door


def read_by_notes(file, notes):
    """Do with Pillow what the notes of an exported file say, for files of 8 bits."""
    wanted = json.loads(notes["images"])
    size = (wanted["width"], wanted["height"])
    with Image.open(file) as image:
        if file.suffix == ".jpg":
            is_lying = image.getexif().get(0x0112, 1) >= 5
            least = (2 * size[0], 2 * size[1])
            image.draft(None, least[::-1] if is_lying else least)
        seen = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
        if seen.mode == "RGBA":
            behind = Image.new("RGBA", seen.size, (*wanted["background"], 255))
            seen = Image.alpha_composite(behind, seen).convert("RGB")
        seen.info["exif"] = image.getexif().tobytes()
        seen = ImageOps.exif_transpose(seen)
    if seen.size != size:
        scale = min(size[0] / seen.width, size[1] / seen.height)
        inner = [max(1, round(side * scale)) for side in seen.size]
        canvas = Image.new("RGB", size, tuple(wanted["background"]))
        corner = [(whole - part) // 2 for whole, part in zip(size, inner, strict=True)]
        canvas.paste(seen.resize(inner, Image.Resampling.BILINEAR), corner)
        seen = canvas
    return np.asarray(seen).transpose(2, 0, 1)


@pytest.mark.parametrize("name", [name for name in ODD if name.split(".")[0] not in DEEP_ONES])
def test_the_notes_of_an_exported_file_say_how_images_become_its_pixels(model, folder, name):
    notes = notes_of(model, network_only=False, is_program=True)
    texts = {key: json.dumps(value) for key, value in notes.items()}
    file = folder / "a" / name
    assert np.array_equal(read_by_notes(file, texts), decode(file, model.schema))


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_is_refused_by_every_door(model, folder, name):
    assert set(answers(model, folder / name).values()) == {None}


def test_an_evaluation_reads_the_same_images(model, folder):
    rows = read_evaluation_set(folder, model).rows
    expected = np.concatenate([model.scores([folder / "a" / name]) for name in sorted(ODD)])
    by_name = dict(zip([row.name for row in rows], model.scores(rows), strict=True))
    assert np.stack([by_name[name] for name in sorted(ODD)]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("most", [1000, 2_000_000])
def test_the_limit_of_pixels_is_that_of_the_training_by_every_door(folder, most):
    model = image_model(3, 16, 12, max_pixels=most)
    found = answers(model, folder / "a" / "large.jpg").values()
    assert {answer is None for answer in found} == {most < 12 * 30 * 12 * SIDE}
