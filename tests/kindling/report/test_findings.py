import numpy as np

from kindling.report.findings import find
from kindling.report.scores import read_scores
from kindling.scoring import metrics_for
from kindling.types import DataSpec
from project.training.metrics import METRICS

SPEC = DataSpec("multiclass", "y", ("a",), classes=("u", "v", "w"), class_counts=(90, 90, 9))
TRUTH = np.repeat([0, 1], 100)


def results(accuracy, baseline, *, train_loss=0.3):
    """Return what metrics.json holds."""
    return {
        "train": {"log_loss": train_loss},
        "test": {"accuracy": accuracy, "log_loss": 0.5},
        "baselines": {"dummy": {"accuracy": 0.4}, "linear": {"accuracy": baseline}},
        "best_epoch": 3,
        "epochs": 9,
    }


def said(*args, within=None, max_epochs=9, truth=TRUTH, **kwargs):
    within = within or {"accuracy": (0.8, 0.9)}
    return sentences(results(*args, **kwargs), within, max_epochs, truth)


def sentences(record, within, max_epochs, truth=TRUTH):
    metrics = metrics_for(METRICS, "multiclass")
    scores = read_scores(record, metrics, within, len(truth))
    return " ".join(find(SPEC, truth, scores, record, max_epochs))


def test_a_baseline_within_the_interval_cannot_be_told_apart():
    assert "cannot be told apart" in said(0.85, 0.82)


def test_a_baseline_beyond_the_interval_is_worse_or_better():
    assert "better than the best baseline (linear)" in said(0.85, 0.7)
    assert "worse than the best baseline (linear)" in said(0.85, 0.95)


def test_a_class_without_test_rows_is_named():
    assert "not tested: w" in said(0.85, 0.7)


def test_few_rows_say_what_one_of_them_counts_for():
    assert "5 test rows: each counts for 20.0 %" in said(0.8, 0.7, truth=np.zeros(5, np.int64))


def test_train_rows_known_by_heart_are_reported_and_a_small_gap_is_not():
    assert "by heart" in said(0.85, 0.7, train_loss=0.1)
    assert "by heart" not in said(0.85, 0.7, train_loss=0.45)


def test_a_best_last_epoch_asks_for_more():
    record = results(0.85, 0.7) | {"best_epoch": 9}
    assert "trainer.max_epochs=18" in sentences(record, {}, 9)
    assert "trainer.max_epochs" not in sentences(record, {}, 30)
