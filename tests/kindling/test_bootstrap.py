"""Confidence intervals of the registered metrics, and of metrics that an owner would add."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from kindling.bootstrap import intervals, thin, wilson
from kindling.scoring import Metric, metrics_for, score
from kindling.types import DataSpec
from project.training.metrics import METRICS

CLASSES = DataSpec("binary", "y", ("a",), classes=("no", "yes"), class_counts=(1, 1))
VALUES = DataSpec("regression", "y", ("a",))
KAPPA = Metric(
    name="kappa",
    label="Cohen's kappa",
    meaning="agreement beyond chance",
    direction="max",
    range=(-1, 1),
    problem_types=("binary",),
    function=lambda truth, probs: cohen_kappa_score(truth, probs.argmax(1)),
)
RNG = np.random.default_rng(0)


def within(spec, truth, prediction, metrics=METRICS, **kwargs):
    metrics = metrics_for(metrics, spec.problem_type)
    scores = score(metrics, truth, prediction)
    return intervals(metrics, spec, truth, prediction, scores, **{"seed": 0} | kwargs)


def guesses(num_rows, rng=RNG):
    probs = rng.random(num_rows)
    truth = (rng.random(num_rows) < probs).astype(np.int64)
    return truth, np.stack([1 - probs, probs], axis=1)


FAST = [metric for metric in METRICS if metric.resampled is not None]


@pytest.mark.parametrize("metric", FAST, ids=lambda metric: metric.name)
def test_a_resample_is_scored_as_its_rows_are(metric):
    truth, prediction = guesses(40)
    if "regression" in metric.problem_types:
        truth, prediction = RNG.normal(size=40), RNG.normal(size=40)
    rows = RNG.integers(40, size=40)
    weights = np.stack([np.ones(40), np.bincount(rows, minlength=40)])
    expected = [metric.function(truth[r], prediction[r]) for r in (np.arange(40), rows)]
    assert metric.resampled(truth, prediction, weights) == pytest.approx(expected)


@pytest.mark.slow
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
    found = within(spec, truth, prediction, max_rows=500)
    scores = score(metrics_for(METRICS, spec.problem_type), truth, prediction)
    assert set(found) == {metric.name for metric in METRICS if metric.has_interval} & set(scores)
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


def test_an_own_metric_has_an_interval_and_it_is_the_same_each_time():
    truth, prediction = guesses(300)
    low, high = within(CLASSES, truth, prediction, [KAPPA])["kappa"]
    assert low < KAPPA.function(truth, prediction) < high
    assert within(CLASSES, truth, prediction, [KAPPA])["kappa"] == (low, high)
    assert within(CLASSES, truth, prediction, [KAPPA], seed=1)["kappa"] != (low, high)


def test_an_own_metric_of_a_few_of_many_rows_varies_as_all_rows_do():
    def size(truth, values):
        return np.abs(values - truth).mean()

    truth = RNG.normal(size=20_000)
    mae = next(metric for metric in METRICS if metric.name == "mae")
    slow = Metric(**{**vars(mae), "name": "slow", "function": size, "resampled": None})
    found = within(VALUES, truth, np.zeros(20_000), [mae, slow])
    widths = [high - low for low, high in found.values()]
    assert widths[1] == pytest.approx(widths[0], rel=0.25)


def test_an_interval_ends_where_the_metric_does():
    truth, prediction = np.array([0, 1] * 5), np.eye(2)[[0, 1] * 4 + [1, 1]]
    low, high = within(CLASSES, truth, prediction, [KAPPA])["kappa"]
    assert low >= -1
    assert high == 1


def test_a_metric_that_some_resamples_cannot_tell_is_told_by_the_others():
    def strict(truth, probs):
        if len(np.unique(truth)) < 2:
            raise ValueError("one class only")
        return KAPPA.function(truth, probs)

    metric = Metric(**{**vars(KAPPA), "function": strict})
    truth, prediction = guesses(30)
    assert "kappa" in within(CLASSES, np.r_[truth[:3], 0, 1], prediction[:5], [metric])
