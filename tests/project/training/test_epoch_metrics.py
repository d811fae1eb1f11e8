"""An epoch's running sums say what all of its rows at once would say."""

import math

import pytest
import torch
from torch import nn

from kindling.scoring import Metric
from kindling.types import DataSpec
from project.training.epoch_metrics import EpochMetrics
from project.training.losses import default_loss
from project.training.metrics import METRICS

CLASSES = DataSpec(problem_type="binary", target="y", classes=("a", "b"), class_counts=(90, 10))
VALUE = DataSpec(problem_type="regression", target="y", target_scale=100.0)
ACCURACY, RMSE = METRICS[0], next(metric for metric in METRICS if metric.name == "rmse")


def counted(spec, metric, loss, outputs, y, size):
    means = EpochMetrics(spec, [metric], loss)
    for part, target in zip(outputs.split(size), y.split(size), strict=True):
        means.add([loss(part, target)], [part], [target])
    return means.compute("val")


@pytest.mark.parametrize("size", [50, 7])
@pytest.mark.parametrize("weight", [{}, {"class_weight": "balanced"}])
def test_the_numbers_of_an_epoch_do_not_depend_on_the_batches(weight, size):
    torch.manual_seed(0)
    outputs, y = torch.randn(50, 2), torch.randint(0, 2, (50,))
    loss = default_loss(CLASSES, **weight)
    assert counted(CLASSES, ACCURACY, loss, outputs, y, size) == {
        "val/loss": pytest.approx(loss(outputs, y).item(), rel=1e-5),
        "val/accuracy": pytest.approx((outputs.argmax(1) == y).float().mean().item()),
    }


class AbsoluteError(nn.Module):
    def forward(self, outputs, y):
        return (outputs.squeeze(1) - y).abs().mean()


@pytest.mark.parametrize("loss", [default_loss(VALUE), AbsoluteError()])
def test_rmse_comes_from_squared_errors_whatever_the_loss_is(loss):
    outputs, y = torch.tensor([[0.0], [0.0]]), torch.tensor([3.0, 4.0])
    found = counted(VALUE, RMSE, loss, outputs, y, 1)
    assert found["val/rmse"] == pytest.approx(100 * math.sqrt(12.5))


def test_rmse_of_logarithms_has_the_unit_of_the_target_too():
    spec = DataSpec(
        problem_type="regression",
        target="y",
        target_mean=1.0,
        target_scale=2.0,
        target_transform="log1p",
    )
    outputs, y = torch.tensor([[0.0], [0.5]]), torch.tensor([1.0, -0.5])
    errors = (math.e**3 - math.e**1, math.e**0 - math.e**2)  # exp(2 y + 1) - 1, true and predicted
    expected = math.sqrt(sum(error**2 for error in errors) / 2)
    found = counted(spec, RMSE, default_loss(spec), outputs, y, 1)
    assert found["val/rmse"] == pytest.approx(expected, rel=1e-5)


def test_a_metric_without_sums_is_computed_on_all_rows_at_the_end():
    asked = []

    def share_of_ones(truth, _):
        asked.append(truth)
        return truth.mean()

    metric = Metric(
        name="ones",
        label="ones",
        meaning="",
        direction="max",
        problem_types=("binary",),
        function=share_of_ones,
        every_epoch=True,
    )
    outputs, y = torch.randn(10, 2), torch.tensor([0, 1] * 5)
    found = counted(CLASSES, metric, default_loss(CLASSES), outputs, y, 4)
    assert found["val/ones"] == 0.5
    assert [rows.tolist() for rows in asked] == [y.tolist()]
