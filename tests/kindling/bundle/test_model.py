"""What a run has learnt predicts the same wherever it is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits

from kindling import load
from kindling.errors import ConfigError, DataError
from kindling.tables.formats import read_table

pytestmark = pytest.mark.slow  # whole bundles

ROOT = Path(__file__).parents[3]


def predicted(run):
    """Return row, truth and prediction of the run itself, and its probabilities."""
    table = pd.read_csv(run / "predictions.csv")
    return table, table[[name for name in table if name.startswith("prob_")]].to_numpy()


def rows_of(run):
    return read_table(ROOT / "data" / "penguins.csv").take(predicted(run)[0].row.to_numpy())


def digits_of(run):
    images = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)
    return images[predicted(run)[0].row, None]  # (N, 8, 8) -> (N, 1, 8, 8)


def test_a_table_is_predicted_bitwise_as_in_the_run(penguins_run):
    table, probs = predicted(penguins_run)
    model = load(penguins_run)
    assert np.array_equal(model.predict_proba(rows_of(penguins_run)), probs)
    assert model.predict(rows_of(penguins_run)).tolist() == table.prediction.tolist()


def test_images_are_predicted_bitwise_as_in_the_run(digits_run):
    table, probs = predicted(digits_run)
    model = load(digits_run)
    assert np.array_equal(model.predict_proba(digits_of(digits_run)), probs)
    assert model.predict(digits_of(digits_run)).tolist() == table.prediction.tolist()


def test_image_files_are_predicted_bitwise_as_in_the_run(train, image_folder):
    run = train("data=images", f"data.path={image_folder}", "model.width=4")
    table, probs = predicted(run)
    files = [image_folder / name for name in table.row]
    assert np.array_equal(load(run).predict_proba(files), probs)


def test_values_come_in_the_users_unit(weight_run):
    table, _ = predicted(weight_run)
    values = load(weight_run).predict(rows_of(weight_run))
    assert values.dtype == np.float64
    assert values.tolist() == table.prediction.tolist()
    assert values.mean() == pytest.approx(4200, abs=500)  # grams


def test_any_batch_size_agrees_within_a_millionth(penguins_run):
    model, rows = load(penguins_run), rows_of(penguins_run)
    whole = model.predict_proba(rows)
    model.batch_size = 7
    assert np.abs(model.predict_proba(rows) - whole).max() < 1e-6


def test_the_inputs_are_what_the_data_module_holds(penguins_run, build):
    data, _, _ = build("data=penguins")
    rows = data.split["test"]
    assert np.array_equal(load(penguins_run).inputs(rows_of(penguins_run)), data.x[rows].numpy())


def test_the_outputs_are_float32_logits_without_a_gradient(penguins_run):
    model = load(penguins_run)
    outputs = model.outputs(model.inputs(rows_of(penguins_run)))
    assert outputs.dtype == np.float32
    assert outputs.shape == (52, 3)
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())


def test_no_rows_have_no_predictions(penguins_run, digits_run):
    model = load(penguins_run)
    assert model.predict_proba(rows_of(penguins_run).slice(0, 0)).shape == (0, 3)
    assert load(digits_run).predict([]).shape == (0,)


def test_loading_leaves_torch_as_it_was(penguins_run):
    state = torch.get_rng_state()
    load(penguins_run)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_bundle_alone_predicts_the_same_elsewhere(penguins_run, tmp_path):
    _, probs = predicted(penguins_run)
    shutil.copytree(penguins_run / "bundle", tmp_path / "lent")
    rows_of(penguins_run).to_pandas().to_csv(tmp_path / "rows.csv", index=False)
    code = (
        "from kindling import load; from kindling.tables.formats import read_table; "
        "load('lent').predict_proba(read_table('rows.csv')).tofile('probs')"
    )
    command = [sys.executable, "-X", "faulthandler", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.fromfile(tmp_path / "probs").reshape(-1, 3)
    assert np.abs(found - probs).max() < 1e-6


def test_the_words_for_a_run_all_lead_to_its_bundle(penguins_run, monkeypatch):
    monkeypatch.chdir(penguins_run.parent)
    for word in (penguins_run, "run", "run/bundle", penguins_run / "bundle"):
        assert load(word).spec.target == "species"


def test_a_run_without_a_bundle_says_how_to_get_one(penguins_run, tmp_path):
    shutil.copytree(penguins_run, tmp_path / "run", ignore=lambda *_: ["bundle"])
    with pytest.raises(ConfigError, match=r"no folder bundle/ in .*; train again"):
        load(tmp_path / "run")


def test_an_absent_device_is_refused(penguins_run):
    with pytest.raises(ConfigError, match=r"device=cuda:99 must be there; .* type device=cpu"):
        load(penguins_run, device="cuda:99")
    with pytest.raises(ConfigError, match="device=gpu must be there"):
        load(penguins_run, device="gpu")


def test_a_regression_has_no_probabilities(weight_run):
    with pytest.raises(ConfigError, match=r"probabilities are for classes; .* use predict"):
        load(weight_run).predict_proba(rows_of(weight_run))


@pytest.mark.parametrize(
    ("labels", "kind", "dtype"),
    [
        (["no", "yes"], "text", object),
        ([3, 7], "integer", np.int64),
        ([0.5, 1.5], "number", np.float64),
        ([False, True], "boolean", bool),
    ],
)
def test_labels_come_back_in_the_users_own_type(train, table_csv, labels, kind, dtype):
    frame = pd.read_csv(table_csv)
    frame["label"] = labels * 32
    file = table_csv.with_suffix(".parquet")
    frame.drop(columns="price").to_parquet(file)
    kinds = ["data.task=classification", "data.target=label"]
    model = load(train("data=table", f"data.path={file}", *kinds, "trainer.max_epochs=1"))
    found = model.predict(frame)
    assert model.spec.label_kind == kind
    assert found.dtype == dtype
    assert set(found.tolist()) <= set(labels)


def test_a_column_that_is_not_there_is_named(penguins_run):
    rows = rows_of(penguins_run).rename_columns({"island": "islnd"})
    with pytest.raises(DataError, match=r"a column 'island' must be in the rows; .* 'islnd'"):
        load(penguins_run).predict(rows)


def test_the_numbers_of_the_run_travel_along(penguins_run):
    written = json.loads((penguins_run / "metrics.json").read_text())
    later = ("timing", "rows_per_s", "ended_by", "steps", "max_time", "made")
    for of_the_run in later:  # known only when the bundle is written
        del written[of_the_run]
    assert load(penguins_run).metrics == written


@pytest.mark.parametrize("cells", [["3.9e37"], ["39.1", "3.9e37", "-3.9e37"]])
def test_a_number_beyond_what_float32_holds_gets_no_prediction(weight_run, cells):
    rows = pd.read_csv(ROOT / "data/penguins.csv", nrows=len(cells), dtype=str)
    model = load(weight_run)
    with pytest.raises(DataError, match="beyond what float32 holds, the first is row") as caught:
        model.predict(rows.assign(flipper_length_mm=cells))
    assert caught.value.problems[0].row == len(cells) // 2
