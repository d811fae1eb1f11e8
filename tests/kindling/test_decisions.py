"""A threshold between two classes: which one is found, and that every door decides by it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from kindling import load
from kindling.bootstrap import intervals
from kindling.bundle.bundle import read_bundle
from kindling.cli.command_line import main
from kindling.decisions import fit_threshold, metric_to_decide_by
from kindling.errors import ConfigError, DataError
from kindling.export.exporter import CheckedRows, export
from kindling.scoring import decide, metrics_for, score
from kindling.tables.formats import read_table
from kindling.types import DataSpec
from project.training.metrics import METRICS
from tests.conftest import ROOT
from tests.kindling.bundle.damage import edit_json

SPEC = DataSpec("binary", "y", classes=("no", "yes"), class_counts=(9, 1))
OF_TWO = metrics_for(METRICS, "binary")
MACRO_F1 = next(metric for metric in OF_TWO if metric.name == "macro_f1")
DECIDED = ("accuracy", "balanced_accuracy", "macro_f1")


def rare(num_rows=4000):
    """Rows of a rare class, which is hardly ever the most likely one, and honest probabilities."""
    rng = np.random.default_rng(0)
    chance = rng.beta(0.5, 6, num_rows)
    return (rng.random(num_rows) < chance).astype(np.int64), np.stack([1 - chance, chance], axis=1)


def test_of_a_rare_class_more_is_found_below_one_half():
    truth, probs = rare()
    threshold = fit_threshold(MACRO_F1, truth, probs)
    assert 0.1 < threshold < 0.4
    fresh = rare(8000)
    before, now = score(OF_TWO, *fresh), score(OF_TWO, *fresh, threshold)
    assert now["macro_f1"] > before["macro_f1"] + 0.05
    assert {name for name in now if now[name] != before[name]} == set(DECIDED)


def test_where_none_is_better_it_stays_at_one_half():
    truth = np.array([0, 0, 1, 1])
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    assert fit_threshold(MACRO_F1, truth, probs) == 0.5
    assert fit_threshold(MACRO_F1, truth[:1], probs[:1]) == 0.5


def test_a_threshold_is_never_rounded_to_0():
    probs = np.array([[1 - p, p] for p in (1e-9, 2e-9, 3e-8, 4e-8)])
    threshold = fit_threshold(MACRO_F1, np.array([0, 0, 1, 1]), probs)
    assert 0 < threshold < 1
    assert decide(probs, threshold).tolist() == [0, 0, 0, 0]


def test_deciding_is_by_the_second_class_alone():
    probs = np.array([[0.75, 0.25], [0.69, 0.31], [0.2, 0.8]])
    assert decide(probs, 0.3).tolist() == [0, 1, 1]
    assert decide(probs, 0.9).tolist() == [0, 0, 0]
    assert decide(probs).tolist() == [0, 0, 1]


def test_intervals_are_of_what_is_decided():
    truth, probs = rare(600)
    scores = score(OF_TWO, truth, probs, 0.2)
    found = intervals(OF_TWO, SPEC, truth, probs, scores, seed=0, threshold=0.2)
    at_half = score(OF_TWO, truth, probs)["macro_f1"]
    low, high = found["macro_f1"]
    assert low < scores["macro_f1"] < high
    assert not low < at_half < high


@pytest.mark.parametrize(
    ("problem_type", "classes", "name", "got"),
    [
        ("binary", ("no", "yes"), "roc_auc", "roc_auc"),
        ("binary", ("no", "yes"), "macro_f2", "macro_f2"),
        ("multiclass", ("a", "b", "c"), "macro_f1", "macro_f1 for 3 classes"),
        ("regression", (), "macro_f1", "macro_f1 for values"),
    ],
)
def test_what_no_threshold_changes_is_refused(problem_type, classes, name, got):
    spec = DataSpec(problem_type, "y", classes=classes)
    with pytest.raises(ConfigError) as caught:
        metric_to_decide_by(metrics_for(METRICS, problem_type), spec, name)
    assert caught.value.problems[0].got == got


@pytest.fixture
def chosen(run):
    """A run on credit, where less than a third of the labels are bad ones."""
    words = ("data=credit", "model=mlp", "task.threshold=balanced_accuracy", "trainer.max_epochs=3")
    return run(*words, "report=true")


@pytest.mark.slow  # a run, two exported files
def test_every_door_decides_by_the_threshold(chosen, capsys, tmp_path):
    numbers = json.loads((chosen / "metrics.json").read_text())
    threshold = numbers["decision"]["threshold"]
    assert abs(threshold - 0.5) > 0.02
    table = pd.read_csv(chosen / "predictions.csv")
    second = table.columns[-1]
    expected = np.where(table[second] > threshold, *(n[5:] for n in table.columns[:-3:-1]))
    assert table.prediction.tolist() == expected.tolist()
    likely = np.where(table[second] > 0.5, *(n[5:] for n in table.columns[:-3:-1]))
    assert (expected != likely).sum() > 5
    assert numbers["test"]["accuracy"] == pytest.approx((expected == table.truth).mean())
    assert numbers["decision"]["accuracy_before"] == pytest.approx((likely == table.truth).mean())
    rows = read_table(ROOT / "data" / "credit.csv").take(table.row.to_numpy())
    assert load(chosen).predict(rows).tolist() == expected.tolist()
    main(["evaluate", str(chosen), "--json"])
    assert json.loads(capsys.readouterr().out)["same"]
    main(
        ["predict", str(chosen), str(ROOT / "data" / "credit.csv"), "-o", str(tmp_path / "new.csv")]
    )
    told = pd.read_csv(tmp_path / "new.csv").prediction[table.row]
    assert told.tolist() == expected.tolist()
    for form in ("onnx", "torch"):
        _, agreements = export(load(chosen), form, rows=[CheckedRows(rows, "the test rows")])
        assert all(agreement.largest < 1e-5 for agreement in agreements)
        assert sum(agreement.num_ties for agreement in agreements) == 0
    page = (chosen / "report.html").read_text()
    assert re.search(r"good is predicted where its probability is above 0\.\d+, chosen on", page)


@pytest.mark.slow
def test_a_threshold_in_a_bundle_is_held_against_its_classes(chosen, run):
    edit_json(chosen / "bundle", "config.json", lambda config: config.update(threshold=1.5))
    with pytest.raises(DataError, match=r"threshold=1\.5"):
        read_bundle(chosen / "bundle")
    edit_json(chosen / "bundle", "config.json", lambda config: config.pop("threshold"))
    assert read_bundle(chosen / "bundle").threshold is None
    of_three = run("model=mlp", folder="three") / "bundle"
    edit_json(of_three, "config.json", lambda config: config.update(threshold=0.4))
    with pytest.raises(DataError, match="between two classes"):
        read_bundle(of_three)
