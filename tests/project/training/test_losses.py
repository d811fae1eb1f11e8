import math

import pytest
import torch
from project.training.running import RunningMeans

from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.training.losses import Loss

CLASSES = DataSpec(problem_type="binary", target="y", classes=("a", "b"), class_counts=(90, 10))
VALUE = DataSpec(problem_type="regression", target="y", target_scale=100.0)


def test_cross_entropy_by_hand():
    loss = Loss(CLASSES, None)(torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]), torch.tensor([0, 0]))
    assert loss.item() == pytest.approx((math.log(2) - math.log(0.75)) / 2)


def test_squared_error_pairs_rows_and_does_not_broadcast():
    loss = Loss(VALUE, None)(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0]))
    assert loss.item() == 0.0


def test_balanced_weights_are_those_of_scikit_learn():
    assert Loss(CLASSES, "balanced").class_weight.tolist() == pytest.approx([100 / 180, 100 / 20])


def test_balanced_weights_are_for_classes_only():
    with pytest.raises(ConfigError, match=r"task\.class_weight is for classes"):
        Loss(VALUE, "balanced")


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_the_mean_of_an_epoch_does_not_depend_on_the_batches(weight):
    torch.manual_seed(0)
    outputs, y = torch.randn(50, 2), torch.randint(0, 2, (50,))
    loss = Loss(CLASSES, weight)
    for size in (50, 7):
        means = RunningMeans(CLASSES, loss, torch.device("cpu"))
        for part, target in zip(outputs.split(size), y.split(size), strict=True):
            means.add([loss(part, target)], [part], [target])
        assert means.compute("val") == {
            "val/loss": pytest.approx(loss(outputs, y).item(), rel=1e-5),
            "val/accuracy": pytest.approx((outputs.argmax(1) == y).float().mean().item()),
        }


def test_the_running_rmse_has_the_unit_of_the_target():
    loss, means = Loss(VALUE, None), RunningMeans(VALUE, Loss(VALUE, None), torch.device("cpu"))
    outputs, y = torch.tensor([[0.0], [0.0]]), torch.tensor([3.0, 4.0])
    means.add([loss(outputs, y)], [outputs], [y])
    assert means.compute("val")["val/rmse"] == pytest.approx(100 * math.sqrt(12.5))


def test_the_running_rmse_of_logarithms_has_the_unit_of_the_target_too():
    spec = DataSpec(
        task="regression", target="y", target_mean=1.0, target_scale=2.0, target_transform="log1p"
    )
    loss, means = Loss(spec, None), RunningMeans(spec, Loss(spec, None), torch.device("cpu"))
    outputs, y = torch.tensor([[0.0], [0.5]]), torch.tensor([1.0, -0.5])
    for k in range(2):  # two batches
        means.add([loss(outputs[k : k + 1], y[k : k + 1])], [outputs[k : k + 1]], [y[k : k + 1]])
    errors = (math.e**3 - math.e**1, math.e**0 - math.e**2)  # exp(2 y + 1) - 1, true and predicted
    expected = math.sqrt(sum(error**2 for error in errors) / 2)
    assert means.compute("val")["val/rmse"] == pytest.approx(expected, rel=1e-5)
