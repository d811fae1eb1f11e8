"""A file of torch.export with everything that was fitted as buffers of it."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from kindling.export.exporter import CheckedRows, export
from tests.kindling.export.made import frame, image_model, table_model


def loaded(artifact):
    notes = {"kindling.json": ""}
    program = torch.export.load(io.BytesIO(artifact.content), extra_files=notes)
    return program.module(), json.loads(notes["kindling.json"])


def coded(model, table, notes):
    """Do what a stranger has to: put codes in place of text, as the notes say."""
    typed = model.schema.cast(pa.Table.from_pandas(table, preserve_index=False), "rows")
    for column in notes["columns"]:
        if column["column_type"] == "category":
            codes = {name: 2 + number for number, name in enumerate(column["categories"])}
            typed[column["name"]] = typed[column["name"]].map({"": 1} | codes).fillna(0)
    first = [column.features[0] for column in model.schema.used]
    return torch.tensor(typed[first].to_numpy(float))


@pytest.fixture(scope="module")
def mixed():
    model = table_model(frame())
    return model, export(model, "torch", rows=[CheckedRows(frame(seed=1), "others")])[0]


@pytest.mark.slow
def test_columns_with_codes_go_in_and_probabilities_come_out(mixed):
    model, artifact = mixed
    table = frame(seed=2)
    table.loc[3, "town"] = "Paris"
    program, notes = loaded(artifact)
    probs = program(coded(model, table, notes))
    assert probs.dtype == torch.float64
    assert probs.numpy() == pytest.approx(model.predict_proba(table), abs=1e-9)


@pytest.mark.slow
def test_the_file_does_not_tell_where_it_was_made(mixed):
    _, artifact = mixed
    assert b"site-packages" not in artifact.content
    assert b".py" not in artifact.content


@pytest.mark.slow
def test_pixels_go_in_as_they_are_one_image_or_many():
    model = image_model(3, 9, 8)
    program, notes = loaded(export(model, "torch")[0])
    for rows in (1, 2, 9):
        pixels = np.random.default_rng(0).integers(0, 256, (rows, 3, 9, 8), dtype=np.uint8)
        probs = program(torch.from_numpy(pixels)).numpy()
        assert probs == pytest.approx(model.predict_proba(pixels), abs=1e-6)
    assert notes["image_shape"] == [3, 9, 8]


def test_the_network_alone_takes_prepared_rows():
    model = table_model(frame())
    program, notes = loaded(export(model, "torch", network_only=True)[0])
    x = model.inputs(frame(seed=2))
    told = program(torch.from_numpy(x)).detach()  # torch 2.9 would go on to gradients
    assert told.numpy() == pytest.approx(model.outputs(x), abs=1e-5)
    assert notes["x"].startswith("float32 (rows, numbers, then codes")
