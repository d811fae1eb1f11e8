import numpy as np
import pytest

from kindling.report.intervals import intervals, weighted_scores, wilson
from kindling.task.metrics import score
from kindling.types import DataSpec

CLASSES = DataSpec("binary", "y", ("a",), classes=("no", "yes"), class_counts=(1, 1))
VALUES = DataSpec("regression", "y", ("a",))
RNG = np.random.default_rng(0)


def guesses(num_rows):
    probs = RNG.random(num_rows)
    truth = (RNG.random(num_rows) < probs).astype(np.int64)
    return truth, np.stack([1 - probs, probs], axis=1)


@pytest.mark.parametrize("spec", [CLASSES, VALUES])
def test_a_resample_of_every_row_once_has_the_score_of_the_rows(spec):
    truth, prediction = guesses(40)
    if spec.is_regression:
        truth, prediction = RNG.normal(size=40), RNG.normal(size=40)
    scores = weighted_scores(spec, truth, prediction, np.ones((1, 40)))
    expected = score(spec, truth, prediction)
    assert {name: value[0] for name, value in scores.items()} == pytest.approx(expected)


def test_a_row_drawn_twice_counts_twice():
    truth, prediction = RNG.normal(size=5), RNG.normal(size=5)
    rows = np.array([0, 0, 1, 3, 3])
    weights = np.bincount(rows, minlength=5)[None].astype(float)
    scores = weighted_scores(VALUES, truth, prediction, weights)
    expected = score(VALUES, truth[rows], prediction[rows])
    assert {name: value[0] for name, value in scores.items()} == pytest.approx(expected)


def test_intervals_hold_what_is_true_in_about_95_of_100_cases():
    held = []
    for seed in range(200):
        truth = np.random.default_rng(seed).normal(size=60)
        low, high = intervals(VALUES, truth, np.zeros(60), seed=0)["mae"]
        held.append(low < np.sqrt(2 / np.pi) < high)  # the mean size of a normal error
    assert 0.88 <= np.mean(held) <= 0.99


def test_all_right_is_not_surely_always_right():
    low, high = wilson(1.0, 20)
    assert high == pytest.approx(1)
    assert low == pytest.approx(0.839, abs=0.001)  # Wilson's formula, by hand


def test_a_class_without_test_rows_and_five_rows_are_no_obstacle():
    _, prediction = guesses(5)
    found = intervals(CLASSES, np.zeros(5, np.int64), prediction, seed=0)
    assert "roc_auc" not in found
    assert found["accuracy"][0] < found["accuracy"][1]
