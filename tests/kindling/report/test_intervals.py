import numpy as np
import pytest

from kindling.report.intervals import intervals, thin, weighted_scores, wilson
from kindling.types import DataSpec
from project.training.metrics import score

CLASSES = DataSpec("binary", "y", ("a",), classes=("no", "yes"), class_counts=(1, 1))
VALUES = DataSpec("regression", "y", ("a",))
RNG = np.random.default_rng(0)


def within(spec, truth, prediction, **kwargs):
    return intervals(spec, truth, prediction, score(spec, truth, prediction), seed=0, **kwargs)


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
        low, high = within(VALUES, truth, np.zeros(60))["mae"]
        held.append(low < np.sqrt(2 / np.pi) < high)  # the mean size of a normal error
    assert 0.88 <= np.mean(held) <= 0.99


def test_all_right_is_not_surely_always_right():
    low, high = wilson(1.0, 20)
    assert high == pytest.approx(1)
    assert low == pytest.approx(0.839, abs=0.001)  # Wilson's formula, by hand


def test_a_class_without_test_rows_and_five_rows_are_no_obstacle():
    _, prediction = guesses(5)
    found = within(CLASSES, np.zeros(5, np.int64), prediction)
    assert "roc_auc" not in found
    assert found["accuracy"][0] < found["accuracy"][1]


@pytest.mark.slow
def test_they_also_hold_it_where_some_rows_stand_for_many():
    held = {"mae": [], "rmse": []}
    for seed in range(100):
        truth = np.random.default_rng(seed).normal(size=4000)
        found = within(VALUES, truth, np.zeros(4000), max_rows=200)
        for name, true in (("mae", np.sqrt(2 / np.pi)), ("rmse", 1.0)):
            held[name].append(found[name][0] < true < found[name][1])
    assert 0.88 <= np.mean(held["mae"]) <= 0.99
    assert 0.88 <= np.mean(held["rmse"]) <= 0.99


@pytest.mark.parametrize("spec", [CLASSES, VALUES])
def test_the_score_of_all_rows_lies_within_when_some_stand_for_them(spec):
    truth, prediction = guesses(20_000)
    if spec.is_regression:
        prediction = prediction[:, 1]
    found, scores = within(spec, truth, prediction, max_rows=500), score(spec, truth, prediction)
    assert set(found) == set(scores)
    for name, (low, high) in found.items():
        assert low < scores[name] < high


def test_counts_vary_the_same_whether_all_rows_are_drawn_or_some_stand_for_them():
    truth, prediction = guesses(3000)
    every, some = (within(CLASSES, truth, prediction, max_rows=rows) for rows in (3000, 300))
    for name in ("accuracy", "balanced_accuracy", "macro_f1"):
        assert some[name] == pytest.approx(every[name], abs=0.003)


def test_all_rows_of_a_rare_kind_are_kept_and_the_shares_are_those_of_all():
    kinds = np.repeat([3, 7], [990, 10])
    rows, shares = thin(kinds, 100, np.random.default_rng(0))
    assert np.bincount(kinds[rows])[[3, 7]].tolist() == [50, 10]
    assert len(set(rows.tolist())) == 60
    assert [shares[kinds[rows] == kind].sum() for kind in (3, 7)] == pytest.approx([0.99, 0.01])
