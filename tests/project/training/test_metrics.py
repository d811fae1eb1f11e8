import numpy as np
import pytest

from kindling.scoring import logged_names, metrics_for, score
from project.training.metrics import METRICS

BINARY, VALUE = metrics_for(METRICS, "binary"), metrics_for(METRICS, "regression")


def test_class_metrics_by_hand():
    truth = np.array([0, 0, 0, 1])
    probs = np.array([[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.3, 0.7]])
    expected = {
        "accuracy": 0.75,
        "balanced_accuracy": pytest.approx((2 / 3 + 1) / 2),
        "macro_f1": pytest.approx((0.8 + 2 / 3) / 2),
        "log_loss": pytest.approx(-np.log([0.8, 0.6, 0.4, 0.7]).mean()),
        "roc_auc": 1.0,
    }
    found = score(BINARY, truth, probs)
    assert {name: found[name] for name in expected} == expected


def test_value_metrics_by_hand():
    scores = score(VALUE, np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 4.0]))
    assert scores["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert scores["mae"] == 1.0
    assert scores["r2"] == pytest.approx(1 - 5 / 14)


def test_a_split_without_one_of_the_classes_is_scored():
    scores = score(BINARY, np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))
    assert scores["accuracy"] == scores["balanced_accuracy"] == 1.0
    assert scores["macro_f1"] == 1.0  # as scikit-learn says, which no rare class pulls down
    assert np.isnan(scores["roc_auc"])  # there is no order to judge


def test_three_classes_have_no_roc_auc():
    assert "roc_auc" not in [metric.name for metric in metrics_for(METRICS, "multiclass")]


def test_a_monitor_can_look_at_loss_and_primary_metric():
    assert {"train/loss", "train/rmse", "val/loss", "val/rmse"} <= set(logged_names(VALUE))
    assert "val/accuracy" in logged_names(BINARY)


FAST = [metric for metric in METRICS if metric.resampled is not None]


@pytest.mark.parametrize("metric", FAST, ids=lambda metric: metric.name)
def test_the_fast_way_says_of_every_row_once_what_the_metric_says(metric):
    rng = np.random.default_rng(0)
    if "regression" in metric.problem_types:
        truth, prediction = rng.normal(size=40), rng.normal(size=40)
    else:
        truth, prediction = rng.integers(0, 2, 40), rng.dirichlet([1, 1], 40)
    (found,) = metric.resampled(truth, prediction, np.ones((1, 40)))
    assert found == pytest.approx(metric.function(truth, prediction))
