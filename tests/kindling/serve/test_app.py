"""The application answers as the model predicts, and says what is wrong by field."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.kindling.images.test_npy_source import made
from tests.kindling.serve.asking import (
    CATEGORIES,
    CLASSES,
    ODD_ROW,
    PENGUIN,
    QUOTES,
    SHOUT,
    TABLE,
    Asked,
    errors,
    npy,
    png,
)


def test_a_row_is_answered_as_the_model_predicts_it(penguins):
    answer = penguins.rows(PENGUIN).json()
    (predicted,) = answer["predictions"]
    probs = penguins.model.predict_proba([PENGUIN])[0]
    assert answer["target"] == "species"
    assert predicted["prediction"] == penguins.model.predict([PENGUIN])[0]
    assert list(predicted["probabilities"].values()) == probs.tolist()
    assert tuple(predicted["probabilities"]) == penguins.model.spec.classes


def test_a_file_is_answered_as_the_same_rows_in_json(penguins):
    rows = TABLE.astype(object).where(TABLE.notna(), None).to_dict("records")
    content = Path("data/penguins.csv").read_bytes()
    from_file = penguins.file(content)
    body = {
        "content": content,
        "headers": {"Content-Type": "text/csv"},
    }
    assert from_file.json() == penguins.rows(*rows).json()
    assert penguins("POST", "/predict", **body).json() == from_file.json()
    body["headers"] = {"Content-Type": "application/octet-stream"}
    assert penguins("POST", "/predict", **body).json() == from_file.json()
    assert len(from_file.json()["predictions"]) == len(TABLE)


def test_predictions_come_as_csv_where_that_is_asked_for(penguins):
    content = TABLE.head(3).to_csv(index=False).encode()
    answer = penguins.file(content, headers={"Accept": "text/csv"})
    table = pd.read_csv(io.StringIO(answer.text))
    assert list(table) == ["row", "prediction", *[f"prob_{n}" for n in penguins.model.spec.classes]]
    assert table.prediction.tolist() == penguins.model.predict(TABLE.head(3)).tolist()


def test_a_regression_answers_with_values_in_the_targets_unit(weight_run):
    weights = Asked(weight_run)
    row = TABLE.drop(columns="body_mass_g").iloc[0].to_dict()
    (predicted,) = weights.rows(row).json()["predictions"]
    assert predicted == {"prediction": weights.model.predict([row])[0]}
    text = weights.file(TABLE.head(2).to_csv(index=False), headers={"Accept": "text/csv"}).text
    assert text.splitlines()[0] == "row,prediction"


def test_images_are_answered_in_their_order_and_with_labels_of_their_type(digits):
    files = [("file", (f"{level}.png", png(level))) for level in (0, 128, 255)]
    answer = digits("POST", "/predict", files=files).json()["predictions"]
    wanted = digits.model.predict([png(level) for level in (0, 128, 255)])
    assert [one["prediction"] for one in answer] == wanted.tolist()
    assert all(type(one["prediction"]) is int for one in answer)
    one = digits("POST", "/predict", content=png(128), headers={"Content-Type": "image/png"})
    (alone,) = one.json()["predictions"]
    assert alone["prediction"] == answer[1]["prediction"]
    assert alone["probabilities"] == pytest.approx(answer[1]["probabilities"], abs=1e-6)


def test_images_that_are_arrays_are_answered_from_npy_files(arrays):
    images = made("float32", 4)[:3]
    contents = [npy(image) for image in images]
    files = [("file", (f"{k}.npy", content)) for k, content in enumerate(contents)]
    answer = arrays("POST", "/predict", files=files).json()["predictions"]
    assert [one["prediction"] for one in answer] == arrays.model.predict(contents).tolist()
    as_bytes = {"Content-Type": "application/octet-stream"}
    one = arrays("POST", "/predict", content=contents[0], headers=as_bytes).json()
    assert one["predictions"][0]["prediction"] == answer[0]["prediction"]
    about = arrays("GET", "/schema").json()["image"]
    assert about == {"channels": 4, "height": 10, "width": 12, "dtype": "float32", "files": ".npy"}
    paths = arrays("GET", "/openapi.json").json()["paths"]
    bodies = paths["/predict"]["post"]["requestBody"]["content"]
    assert set(bodies) == {"application/octet-stream", "multipart/form-data"}


def test_an_array_of_another_shape_and_an_image_file_are_refused_by_name(arrays):
    files = [
        ("file", ("flat.npy", npy(np.zeros((10, 12), np.float32)))),
        ("file", ("large.npy", npy(np.zeros((4, 20, 12), np.float32)))),
        ("file", ("bytes.npy", npy(np.zeros((4, 10, 12), np.uint8)))),
        ("file", ("nan.npy", npy(np.full((4, 10, 12), np.nan, np.float32)))),
        ("file", ("photo.png", png(0))),
    ]
    found = errors(arrays("POST", "/predict", files=files))
    assert [one["field"] for one in found] == [name for _, (name, _) in files]
    assert all("float32 (4, 10, 12)" in found[k]["message"] for k in (1, 2, 4))


@pytest.mark.slow
def test_many_at_once_are_answered_as_each_alone(penguins):
    rows = [{**PENGUIN, "bill_length_mm": float(length)} for length in range(30, 60)]
    alone = [penguins.rows(row).json() for row in rows]
    requests = [("POST", "/predict", {"json": {"rows": [row]}}) for row in rows]
    assert [answer.json() for answer in penguins.at_once(*requests)] == alone


def test_names_of_any_characters_are_asked_for_and_answered_as_they_are(odd):
    (predicted,) = odd.rows(ODD_ROW).json()["predictions"]
    assert set(predicted["probabilities"]) == set(CLASSES)
    described = {column["name"]: column for column in odd("GET", "/schema").json()["columns"]}
    assert list(described) == list(ODD_ROW)
    assert described[QUOTES]["categories"] == sorted(CATEGORIES)
    assert errors(odd.rows({**ODD_ROW, SHOUT: "no number"}))[0]["field"] == SHOUT


def test_the_examples_of_the_description_can_be_sent(odd, penguins, digits):
    for asked in (odd, penguins):
        described = asked("GET", "/openapi.json").json()
        content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        names = [column.name for column in asked.model.schema.used]
        assert list(schema["properties"]["rows"]["items"]["properties"]) == names
        assert asked.rows(*schema["examples"][0]["rows"]).status_code == 200
    described = digits("GET", "/openapi.json").json()
    assert "image/*" in described["paths"]["/predict"]["post"]["requestBody"]["content"]


def test_what_a_model_does_not_take_is_refused(penguins, digits):
    image = {"content": png(0), "headers": {"Content-Type": "image/png"}}
    assert "image" in errors(penguins("POST", "/predict", **image), 415)[0]["message"]
    errors(digits.rows(PENGUIN), 415)
    errors(penguins("POST", "/predict", data={"a": "b"}), 415)


def test_unknown_paths_and_methods_are_refused_as_everything_else(penguins):
    errors(penguins("GET", "/nothing"), 404)
    errors(penguins("GET", "/predict"), 405)


def test_a_fault_of_ours_tells_its_number_only(penguins_run, caplog):
    broken = Asked(penguins_run)
    last = [module for module in broken.model.network.modules() if hasattr(module, "weight")][-1]
    last.weight = torch.nn.Parameter(torch.zeros(1, 1))
    (error,) = errors(broken.rows(PENGUIN), 500)
    number = error["message"].split()[-1]
    assert f"fault {number}" in caplog.text
    assert "Traceback" in caplog.text
    assert "Traceback" not in error["message"]
    assert "/" not in error["message"]


def test_a_misspelt_column_is_named_beside_the_one_that_is_missing(penguins):
    row = {
        "bill_lenght_mm" if name == "bill_length_mm" else name: PENGUIN[name] for name in PENGUIN
    }
    answer = penguins.rows(row)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["row"], error["field"]) == (0, "bill_length_mm")
    assert "'bill_lenght_mm' was sent" in error["message"]
    many = {f"bill_length_m{number}": 1 for number in range(10_000)}  # would take long to compare
    (error,) = penguins.rows(row | many).json()["errors"]
    assert error["message"] == "is missing: give a value, or null where it is unknown"


def test_missing_cells_and_unseen_categories_are_predicted_as_in_python(penguins):
    row = dict.fromkeys(PENGUIN)
    unseen = {**PENGUIN, "island": "Atlantis"}
    answer = penguins.rows(row, unseen).json()["predictions"]
    rows = pd.DataFrame([row, unseen])
    probs = penguins.model.predict_proba(rows.to_dict("list"))
    assert np.allclose([list(one["probabilities"].values()) for one in answer], probs, atol=1e-6)
