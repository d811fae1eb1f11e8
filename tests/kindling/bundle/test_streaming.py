"""Predictions are written in the words of the classes, whatever the type of the labels."""

import io
import json

import pandas as pd
import pyarrow as pa
import pytest

from kindling.bundle.streaming import Chunk, predict_chunk, with_class_names
from kindling.bundle.writers import open_writer
from tests.kindling.export.made import CLASSES, frame, table_model

KINDS = {
    "boolean": (("False", "True"), [False, True]),
    "number": (("1.0", "1.5"), [1.0, 1.5]),
    "integer": (("1", "2"), [1, 2]),
    "text": (("007", "010"), ["007", "010"]),
}


def written(table, file):
    with open_writer(file, file.suffix) as write:
        write(table)
    return file.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_text_names_the_classes_and_other_formats_keep_the_type(kind, tmp_path):
    names, labels = KINDS[kind]
    target = CLASSES | {"classes": names, "class_counts": (1, 1), "label_kind": kind}
    model, rows = table_model(frame(), target | {"problem_type": "binary"}), frame(seed=1)
    predicted = predict_chunk(model, Chunk({"row": pa.array(range(len(rows)))}, rows, {}))
    assert {type(label) for label in predicted["prediction"].to_pylist()} == {type(labels[0])}
    table = pa.table({"prediction": pa.array(model.labels)}).cast(predicted.select([1]).schema)
    assert [
        row["prediction"] for row in json.loads(written(table, tmp_path / "new.json"))
    ] == labels
    text = written(with_class_names(table, model), tmp_path / "new.csv")
    assert tuple(pd.read_csv(io.StringIO(text), dtype=str)["prediction"]) == names
    assert predicted.column_names[2:] == [f"prob_{name}" for name in names]


def test_values_of_a_regression_stay_numbers():
    model = table_model(frame(), {"problem_type": "regression", "target_scale": 2.0})
    table = predict_chunk(model, Chunk({}, frame(seed=1), {}))
    assert with_class_names(table, model) is table
