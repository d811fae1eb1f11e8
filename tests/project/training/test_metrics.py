import numpy as np
import pytest

from kindling.types import DataSpec
from project.training.metrics import logged_names, score

BINARY = DataSpec(problem_type="binary", target="y", classes=("a", "b"))
VALUE = DataSpec(problem_type="regression", target="y")


def test_class_metrics_by_hand():
    truth = np.array([0, 0, 0, 1])
    probs = np.array([[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.3, 0.7]])
    scores = score(BINARY, truth, probs)
    assert scores == {
        "accuracy": 0.75,
        "balanced_accuracy": pytest.approx((2 / 3 + 1) / 2),
        "macro_f1": pytest.approx((0.8 + 2 / 3) / 2),
        "log_loss": pytest.approx(-np.log([0.8, 0.6, 0.4, 0.7]).mean()),
        "roc_auc": 1.0,
    }


def test_value_metrics_by_hand():
    scores = score(VALUE, np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 4.0]))
    assert scores["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert scores["mae"] == 1.0
    assert scores["r2"] == pytest.approx(1 - 5 / 14)


def test_a_stage_without_one_of_the_classes_is_scored():
    scores = score(BINARY, np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]))
    assert scores["accuracy"] == scores["balanced_accuracy"] == 1.0
    assert scores["macro_f1"] == 1.0  # as scikit-learn says, which no rare class pulls down
    assert "roc_auc" not in scores  # there is no order to judge


def test_a_monitor_can_look_at_loss_and_headline():
    assert logged_names(VALUE) == ["train/loss", "train/rmse", "val/loss", "val/rmse"]
    assert "val/accuracy" in logged_names(BINARY)
