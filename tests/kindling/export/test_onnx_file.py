"""One ONNX graph from the user's own columns or pixels, compared with the model by `export`."""

import json
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from kindling.export.exporter import CheckedRows, export
from project.models.cct import CCT
from project.models.ft_transformer import FTTransformer
from project.models.mlp import MLP
from project.models.realmlp import RealMLP
from project.models.resnet import ResNet
from project.models.tabm import TabM
from tests.kindling.export.made import CLASSES, frame, image_model, table_model
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole exports


@pytest.fixture(scope="module")
def mixed():
    """A table with columns of every kind: its model, its file, and what `export` found."""
    model = table_model(frame())
    hours = frame().assign(when=pd.date_range("1969-12-30", periods=120, freq="h"))
    return model, *export(
        model, rows=[CheckedRows(frame(seed=1), "others"), CheckedRows(hours, "hours")]
    )


@pytest.fixture(scope="module")
def pictures():
    model = image_model(3, 10, 12)  # BatchNorm with statistics of its own, in evaluation
    return model, *export(model)


def session_of(artifact):
    return onnxruntime.InferenceSession(artifact.content, providers=["CPUExecutionProvider"])


def test_rows_with_gaps_and_dates_agree(mixed):
    _, _, agreements = mixed
    assert [agreement.num_rows for agreement in agreements] == [120, 120, 256, 256]
    assert max(agreement.largest for agreement in agreements) <= 1e-5


def test_the_columns_are_the_inputs(mixed):
    _, artifact, _ = mixed
    assert artifact.inputs == tuple(frame())
    assert artifact.outputs == ("label", "probabilities")


def test_the_file_says_what_a_stranger_must_know(mixed):
    _, artifact, _ = mixed
    notes = {p.key: p.value for p in onnx.load_from_string(artifact.content).metadata_props}
    assert json.loads(notes["classes"]) == list(CLASSES["classes"])
    assert (notes["problem_type"], notes["target"]) == ("multiclass", "t")
    columns = {column["name"]: column for column in json.loads(notes["columns"])}
    assert list(columns) == list(artifact.inputs)
    assert columns["town"]["categories"] == ["Rom", "Ulm", "Ys"]
    assert columns["when"]["meaning"].startswith("float64 days since 1970-01-01, by the clock of")


def test_its_notes_alone_turn_raw_cells_into_its_inputs():
    """Spaces, gaps and markers as files have them: no part of Kindling reads them here."""
    cells = {
        "work": [" a", " b", " ?", "a ", ""] * 24,
        "age": [" 39", "50 ", "?", "1e1", " - "] * 24,
    }
    model = table_model(pd.DataFrame(cells))
    artifact, _ = export(model)
    notes = {p.key: p.value for p in onnx.load_from_string(artifact.content).metadata_props}
    there = {}
    exec(notes["reading in Python"], there)
    feed = {
        column["name"]: np.array(
            [[there["read_cell"](cell, column)] for cell in cells[column["name"]]],
            dtype=object if column["column_type"] == "category" else np.float64,
        )
        for column in json.loads(notes["columns"])
    }
    label, probs = session_of(artifact).run(None, feed)
    assert label.tolist() == model.predict(cells).tolist()
    assert probs == pytest.approx(model.predict_proba(cells), abs=1e-6)
    coded = table_model(
        pd.DataFrame({"code": ["1", "2", "3"] * 40, "x": range(120)}), code="category"
    )
    artifact, _ = export(coded)
    for text in ("3.0", "3"):  # as str(3.0) of a float
        row = {"code": np.array([[text]], dtype=object)}
        assert session_of(artifact).run(None, row)[1] == pytest.approx(
            coded.predict_proba({"code": [3]}), abs=1e-6
        )


def test_the_file_does_not_tell_where_it_was_made(mixed):
    content = mixed[1].content
    assert b".py" not in content
    assert b"site-packages" not in content


def test_pixels_go_in_as_they_are_one_image_or_many(pictures):
    model, artifact, agreements = pictures
    session = session_of(artifact)
    (value,) = session.get_inputs()
    assert (value.name, value.type) == ("pixels", "tensor(uint8)")
    assert value.shape == ["rows", 3, 10, 12]
    assert agreements[0].largest <= 1e-5
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 10, 12), dtype=np.uint8)
    for images in (pixels, pixels[:1]):
        label, probs = session.run(None, {"pixels": images})
        assert probs == pytest.approx(model.predict_proba(images), abs=1e-5)
        assert label.tolist() == model.predict(images).tolist()


def test_the_network_alone_takes_prepared_rows(mixed):
    model, _, _ = mixed
    artifact, _ = export(model, network_only=True)
    x = model.inputs(frame(seed=3))
    (logits,) = session_of(artifact).run(None, {"x": x})
    assert logits == pytest.approx(model.outputs(x), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(np.random.default_rng(0).normal(size=(100, 300))).rename(columns=str),
        pd.DataFrame({"town": ["Ulm", "Rom", None] * 20, "sex": ["m", "f"] * 30}),
        pd.DataFrame({"town": [f"level {n % 5000}" for n in range(15_000)]}),
    ],
    ids=["300 numbers", "categories only", "5,000 levels"],
)
def test_tables_of_one_kind_and_large_ones_agree(table):
    _, agreements = export(table_model(table), rows=[CheckedRows(table.iloc[:5000], "all")])
    assert max(agreement.largest for agreement in agreements) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("network_only", [False, True])
def test_images_go_through_an_mlp_as_well(network_only):
    model = image_model(3, 8, 9, MLP)
    assert export(model, network_only=network_only)[1][0].largest <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("network", thin([TabM, FTTransformer, RealMLP], 3, pytest.mark.nightly))
def test_networks_of_columns_agree_on_gaps_and_unknown_towns(network):
    unknown = frame(seed=4).assign(town="Oz")
    rows = [CheckedRows(frame(seed=3), "gaps"), CheckedRows(unknown, "unknown towns")]
    model = table_model(frame(), network=network)
    _, agreements = export(model, rows=rows)
    assert max(agreement.largest for agreement in agreements) <= 1e-5
    _, alone = export(model, network_only=True)
    assert alone[0].largest <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    "network", thin([partial(ResNet, mirror=True), CCT], 2, pytest.mark.nightly)
)
def test_images_go_through_further_networks(network):
    model = image_model(3, 20, 21, network)
    artifact, agreements = export(model)
    assert agreements[0].largest <= 1e-5
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 20, 21), dtype=np.uint8)
    _, probs = session_of(artifact).run(None, {"pixels": pixels})
    assert probs == pytest.approx(model.predict_proba(pixels), abs=1e-5)
