"""Images of more than 8 bits, of several bands, and large ones: every door reads them alike."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kindling.bundle.predictor import load
from kindling.cli.command_line import main
from kindling.errors import DataError
from tests.kindling.bundle.conftest import train  # noqa: F401  (a fixture)
from tests.kindling.images.made_files import folder_of, tiff
from tests.kindling.serve.asking import Asked

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(0)


def deep(label):
    """Make 12 bits in 16; the classes differ by levels that 8 bits would not tell apart."""
    image = RNG.integers(1000, 1010, (16, 16)).astype(np.uint16)
    image[4:8, 4:8] += 14 * (label == "spot")
    image[0, 0], image[-1, -1] = 0, 4095
    return image


@pytest.fixture(scope="module", params=["deep", "bands"])
def trained(request, train, tmp_path_factory):  # noqa: F811
    root = tmp_path_factory.mktemp("images")
    for k in range(20):
        for label in ("clear", "spot"):
            pixels = deep(label)
            if request.param == "bands":
                pixels = np.stack([pixels] * 4, axis=2)
            folder_of(root, {f"{label}/{k:02}.tif": tiff(pixels)})
    words = ("data=images", f"data.path={root}", "model.width=4", "report=true")
    return root, train(*words, "data.cache=none", "data.max_pixels=300")


def test_files_bytes_pillow_images_arrays_commands_and_the_server_answer_alike(trained, tmp_path):
    root, run = trained
    model, files = load(run), sorted(root.rglob("*.tif"))[::5]
    x = model.inputs(files)
    probs = model.predict_proba(files)
    sources = [[file.read_bytes() for file in files], x]
    if x.shape[1] == 1:
        sources += [[Image.open(file) for file in files]]
        sources += [[image.copy() for image in sources[-1]]]
    for rows in sources:
        assert (model.inputs(rows) == x).all()
    for image in sources[2] if x.shape[1] == 1 else ():
        image.close()
    main(["predict", str(run), *map(str, files), "-o", str(tmp_path / "new.csv")])
    assert np.allclose(pd.read_csv(tmp_path / "new.csv")["prob_spot"], probs[:, 1])
    served = Asked(run)
    for file, expected in zip(files, probs, strict=True):
        answer = served.file(file.read_bytes(), file.name).json()
        assert np.allclose(answer["predictions"][0]["probabilities"]["spot"], expected[1])


def test_another_bit_depth_is_refused_by_every_door(trained, tmp_path):
    _, run = trained
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "bytes.png")
    with pytest.raises(DataError) as caught:
        load(run).predict([tmp_path / "bytes.png"])
    assert caught.value.problems[0].code in ("D440", "D441")
    assert Asked(run).file((tmp_path / "bytes.png").read_bytes(), "bytes.png").status_code == 422


def test_the_limit_of_the_training_holds_in_every_door(trained, tmp_path):
    _, run = trained
    bands = load(run).schema.channels
    large = np.zeros((20, 20, bands) if bands > 1 else (20, 20), np.uint16)
    (tmp_path / "large.tif").write_bytes(tiff(large))
    with pytest.raises(DataError) as caught:
        load(run).predict([tmp_path / "large.tif"])
    assert caught.value.problems[0].code == "D403"
    answer = Asked(run).file((tmp_path / "large.tif").read_bytes(), "large.tif")
    assert answer.status_code == 422
    assert "at most 300 pixels" in answer.text


def test_a_page_shows_what_is_seen_and_says_what_is_not(trained):
    _, run = trained
    page = (run / "report.html").read_text(encoding="utf-8")
    is_seen = load(run).schema.is_seen
    assert ("Images are not shown here" in page) != is_seen
    assert ("What the network looks at" in page) == is_seen
