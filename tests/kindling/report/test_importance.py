import numpy as np
import torch

from kindling.report.importance import effort, importance_table, permutation_importance
from project.training.metrics import METRICS

RMSE = [metric for metric in METRICS if metric.name == "rmse"]
R2 = [metric for metric in METRICS if metric.name == "r2"]
X = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))


def predict(x):
    return x[:, 0].double().numpy()


def test_only_the_column_that_tells_is_important():
    columns = {"told": [0], "noise": [1]}
    found = permutation_importance(predict, RMSE, X, predict(X), columns, repeats=5, seed=0)
    assert [item.column for item in found] == ["told", "noise"]
    # Two independent draws of the same column differ by sqrt(2) standard deviations.
    assert abs(found[0].losses[0] - np.sqrt(2) * X[:, 0].std().item()) < 0.15
    assert found[1].losses[0] == 0


def test_columns_of_one_date_are_shuffled_together():
    found = permutation_importance(
        predict, RMSE, X, predict(X), {"date": [0, 1]}, repeats=1, seed=0
    )
    assert len(found) == 1
    assert found[0].losses[0] > 1


def test_a_costly_network_is_asked_less_and_a_very_costly_one_not_at_all():
    assert effort(1e3, 10, 5000) == (5, 2000)
    assert effort(1e12, 10, 5000) == (0, 0)


def test_one_shuffle_says_nothing_of_how_much_it_varies():
    found = permutation_importance(predict, RMSE, X, predict(X), {"told": [0]}, repeats=1, seed=0)
    assert np.isnan(found[0].std)


def test_a_metric_whose_large_values_are_good_falls():
    columns = {"noise": [1], "told": [0]}
    found = permutation_importance(predict, R2, X, predict(X), columns, repeats=1, seed=0)
    assert [item.column for item in found] == ["told", "noise"]
    assert found[0].losses[0] > 1  # from 1 to about -1
    assert importance_table(found, R2).head[1] == "R2 falls by"
