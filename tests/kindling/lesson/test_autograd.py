"""Gradients: where they come from, how they add up, what breaks them."""

import pytest
import torch
from torch import nn


def lesson_example(x):
    y = 2 * x
    return (y**2).sum()


def test_requires_grad_makes_autograd_record():
    plain, watched = torch.ones(3), torch.ones(3, requires_grad=True)
    assert lesson_example(plain).grad_fn is None
    assert lesson_example(watched).grad_fn is not None


def test_the_gradient_of_the_lessons_example_is_eight_x():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    lesson_example(x).backward()
    assert x.grad.tolist() == [8, 16, 24]  # and not 4x = [4, 8, 12]


def test_a_small_step_changes_the_example_by_eight_x():
    x, step = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), 1e-6
    slopes = []
    for direction in torch.eye(3, dtype=torch.float64):
        there, back = lesson_example(x + step * direction), lesson_example(x - step * direction)
        slopes.append(((there - back) / (2 * step)).item())
    assert slopes == pytest.approx([8, 16, 24])


def test_gradients_add_up_over_backward_calls():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    lesson_example(x).backward()
    lesson_example(x).backward()
    assert x.grad.tolist() == [16, 32, 48]


def test_zero_grad_starts_afresh():
    x = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    optimizer = torch.optim.SGD([x], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        lesson_example(x).backward()
    assert x.grad.tolist() == [8, 16, 24]


def test_half_batches_accumulate_to_the_gradient_of_the_whole():
    torch.manual_seed(0)
    layer, rows = nn.Linear(3, 1), torch.randn(8, 3)
    layer(rows).square().mean().backward()
    whole = layer.weight.grad.clone()
    layer.zero_grad()
    for half in rows.split(4):
        (layer(half).square().mean() / 2).backward()
    assert torch.allclose(layer.weight.grad, whole)


def test_a_step_moves_the_parameter_against_its_gradient():
    x = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
    optimizer = torch.optim.SGD([x], lr=0.1)
    before = lesson_example(x)
    before.backward()
    optimizer.step()
    assert x.tolist() == pytest.approx([1 - 0.8, 2 - 1.6, 3 - 2.4])
    assert lesson_example(x) < before


def test_changing_a_watched_tensor_in_place_is_refused():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x.add_(1)


def test_changing_in_place_what_backward_needs_breaks_the_graph():
    x = torch.ones(3, requires_grad=True)
    y = x.exp()  # its own gradient is y: backward needs the old numbers
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_new_tensor_in_place_of_the_old_one_keeps_the_graph():
    x = torch.ones(3, requires_grad=True)
    y = x.exp()
    y = y + 1
    y.sum().backward()
    assert torch.allclose(x.grad, x.detach().exp())


def test_no_grad_allows_a_change_in_place():
    x = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        x.add_(1)  # what an optimizer's step does
    assert x.tolist() == [2, 2, 2]
    assert x.requires_grad
