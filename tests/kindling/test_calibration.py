"""Temperature scaling: the number that is found, and the probabilities of every door with it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from kindling import load
from kindling.bundle.bundle import read_bundle
from kindling.calibration import ece, fit_temperature, probability_scores, without_temperature
from kindling.errors import DataError
from kindling.export.exporter import CheckedRows, export
from kindling.tables.formats import read_table
from kindling.types import DataSpec
from tests.conftest import ROOT
from tests.kindling.bundle.damage import edit_json

CLASSES = DataSpec("multiclass", "y", classes=("a", "b", "c"), class_counts=(1, 1, 1))
VALUES = DataSpec("regression", "y")
SCORES = ("log_loss", "ece")


def batches(num_rows, times=1.0):
    """Rows whose classes come true as often as their logits say; these are then multiplied."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (num_rows, 3)).astype(np.float32)
    ends = softmax(logits.astype(np.float64), axis=1).cumsum(axis=1)
    truth = (ends > rng.random((num_rows, 1))).argmax(axis=1)
    rows = np.arange(num_rows)
    half = num_rows // 2
    whole = (np.float32(times) * logits, truth, rows)
    return [tuple(part[:half] for part in whole), tuple(part[half:] for part in whole)]


@pytest.mark.parametrize("times", [0.3, 1.0, 4.0])
def test_logits_that_are_too_large_are_divided_by_how_much(times):
    assert fit_temperature(CLASSES, batches(4000, times)) == pytest.approx(times, rel=0.08)


def test_twenty_rows_that_are_all_right_do_not_make_a_network_sure_of_itself():
    logits = np.eye(3, dtype=np.float32)[np.arange(20) % 3] * 3
    found = fit_temperature(CLASSES, [(logits, np.arange(20) % 3, np.arange(20))])
    assert 0.6 < found < 1


def test_values_and_no_rows_have_no_temperature():
    values = np.ones((2, 1), np.float32), np.ones(2, np.float32), np.arange(2)
    assert fit_temperature(VALUES, [values]) is None
    assert fit_temperature(CLASSES, []) is None
    endless = np.full((2, 3), np.inf, np.float32)
    assert fit_temperature(CLASSES, [(endless, np.zeros(2, np.int64), np.arange(2))]) is None


def test_what_the_temperature_did_can_be_undone():
    (logits, _, _), _ = batches(100, 30.0)  # so sure that some probabilities are 0 in float64
    logits = logits.astype(np.float64)
    back = without_temperature(softmax(logits / 0.2, axis=1), 0.2)
    assert back == pytest.approx(softmax(logits, axis=1), abs=1e-12)


def test_the_calibration_error_by_hand():
    probs = np.array([[0.9, 0.1], [0.88, 0.12], [0.4, 0.6], [0.45, 0.55]])
    truth = np.array([0, 1, 1, 1])  # two bins: 0.89 is right in 1/2, 0.575 in all
    assert ece(truth, probs) == pytest.approx((2 * 0.39 + (0.4 + 0.45)) / 4)
    rows = np.concatenate([b[1] for b in batches(20_000)])
    honest = softmax(np.concatenate([b[0] for b in batches(20_000)]).astype(float), axis=1)
    assert ece(rows, honest) < 0.01


@pytest.fixture
def pair(run):
    """The same network with and without; its loss makes it say too little."""
    words = ["model=mlp", "+task.loss.label_smoothing=0.5", "trainer.max_epochs=15"]
    return [run(*words, f"task.calibrate={how}", folder=how) for how in ("temperature", "null")]


def numbers_of(run):
    return json.loads((run / "metrics.json").read_text())


def probs_of(run):
    table = pd.read_csv(run / "predictions.csv")
    return table, table.filter(like="prob_").to_numpy()


@pytest.mark.slow  # two runs, four exported files
def test_every_door_has_the_probabilities_of_the_temperature(pair):
    with_it, without = pair
    found, before = numbers_of(with_it), numbers_of(without)
    told = found["calibration"]
    assert "calibration" not in before
    assert told["temperature"] < 0.8
    assert told["val_rows"] == 52
    # The weights and the labels are the same; the probabilities are better.
    assert found["test"]["accuracy"] == before["test"]["accuracy"]
    for name in SCORES:
        assert told[f"{name}_before"] == pytest.approx(before["test"][name])
        assert found["val"][name] < before["val"][name]
    assert found["test"]["log_loss"] < 0.8 * before["test"]["log_loss"]
    (table, probs), (plain, old) = probs_of(with_it), probs_of(without)
    assert table.prediction.tolist() == plain.prediction.tolist()
    assert without_temperature(probs, told["temperature"]) == pytest.approx(old, abs=1e-5)
    codes = np.unique(table.truth, return_inverse=True)[1]
    assert probability_scores(codes, probs) == pytest.approx(
        {name: found["test"][name] for name in SCORES}
    )
    model = load(with_it)
    rows = read_table(ROOT / "data" / "penguins.csv").take(table.row.to_numpy())
    assert np.array_equal(model.predict_proba(rows), probs)
    for form in ("onnx", "torch"):
        for network_only in (False, True):
            checked = [CheckedRows(rows, "the test rows")]
            _, agreements = export(model, form, network_only=network_only, rows=checked)
            assert max(agreement.largest for agreement in agreements) < 1e-5


@pytest.mark.slow
def test_an_older_bundle_divides_by_nothing_and_values_have_no_temperature(run, tmp_path):
    folder = shutil.copytree(run("model=mlp") / "bundle", tmp_path / "old")
    assert read_bundle(folder).temperature is not None
    edit_json(folder, "config.json", lambda config: config.pop("temperature"))
    assert read_bundle(folder).temperature is None
    values = run("model=mlp", "data.target=body_mass_g", folder="values")
    assert "calibration" not in numbers_of(values)
    assert read_bundle(values / "bundle").temperature is None
    edit_json(values / "bundle", "config.json", lambda config: config.update(temperature=1.5))
    with pytest.raises(DataError, match="a temperature of classes"):
        read_bundle(values / "bundle")
