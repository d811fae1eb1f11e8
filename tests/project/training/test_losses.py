import functools
import math

import pytest
import torch

from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.training.losses import CrossEntropy, SquaredError, default_loss, make_loss

CLASSES = DataSpec(problem_type="binary", target="y", classes=("a", "b"), class_counts=(90, 10))
VALUE = DataSpec(problem_type="regression", target="y", target_scale=100.0)


def test_cross_entropy_by_hand():
    outputs, y = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]), torch.tensor([0, 0])
    expected = (math.log(2) - math.log(0.75)) / 2
    assert default_loss(CLASSES)(outputs, y).item() == pytest.approx(expected)


def test_squared_error_pairs_rows_and_does_not_broadcast():
    loss = default_loss(VALUE)
    assert isinstance(loss, SquaredError)
    assert loss(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])).item() == 0.0


def test_balanced_weights_are_those_of_scikit_learn():
    weight = CrossEntropy(CLASSES, class_weight="balanced").class_weight
    assert weight.tolist() == pytest.approx([100 / 180, 100 / 20])


def test_label_smoothing_never_lets_a_loss_be_zero():
    outputs, y = torch.tensor([[50.0, 0.0]]), torch.tensor([0])
    assert CrossEntropy(CLASSES)(outputs, y) < 1e-6
    assert CrossEntropy(CLASSES, label_smoothing=0.1)(outputs, y) > 1


@pytest.mark.parametrize(
    ("name", "value"), [("class_weight", "balanced"), ("label_smoothing", 0.1)]
)
def test_what_is_for_classes_is_refused_for_values(name, value):
    with pytest.raises(ConfigError, match=rf"task\.(loss\.)?{name} is for classes"):
        default_loss(VALUE, **{name: value})


def test_a_loss_without_class_weights_is_not_asked_for_them():
    plain = functools.partial(SquaredError)
    assert isinstance(make_loss(plain, VALUE, class_weight=None), SquaredError)
    with pytest.raises(ConfigError, match=r"task.class_weight is for losses that take .* Squared"):
        make_loss(plain, VALUE, class_weight="balanced")
    weighed = make_loss(functools.partial(default_loss), CLASSES, class_weight="balanced")
    assert weighed.class_weight is not None
