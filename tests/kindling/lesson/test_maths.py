"""Elementwise maths, products, reductions, and broadcasting with its trap."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from kindling.types import DataSpec
from project.training.losses import SquaredError


def test_plus_minus_times_and_divide_work_element_by_element():
    a, b = torch.tensor([6.0, 8.0]), torch.tensor([2.0, 4.0])
    assert (a + b).tolist() == [8, 12]
    assert (a - b).tolist() == [4, 4]
    assert (a * b).tolist() == [12, 32]
    assert (a / b).tolist() == [3, 2]


def test_at_is_the_matrix_product_and_the_star_is_not():
    a, b = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5, 6], [7, 8]])
    assert (a @ b).tolist() == [[19, 22], [43, 50]]
    assert torch.equal(torch.matmul(a, b), a @ b)
    assert (a * b).tolist() == [[5, 12], [21, 32]]


def test_reductions_take_all_numbers_or_one_dimension():
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert x.sum() == 12
    assert x.mean() == 3
    assert x.max() == 6
    assert x.sum(dim=0).tolist() == [4, 8]  # down the rows: one number for each column
    assert x.mean(dim=1).tolist() == [1.5, 4.5]
    values, positions = x.max(dim=1)
    assert (values.tolist(), positions.tolist()) == ([2, 6], [1, 1])


def test_einsum_names_the_dimensions_and_sums_those_that_are_gone():
    rows, weights = torch.randn(4, 3), torch.randn(3, 2)
    product = torch.einsum("bf,fd->bd", rows, weights)
    assert torch.allclose(product, rows @ weights)
    dots = torch.einsum("bf,bf->b", rows, rows)
    assert torch.allclose(dots, (rows * rows).sum(dim=1))


def test_broadcasting_repeats_a_size_of_one_and_a_missing_dimension():
    images = torch.zeros(2, 3, 4, 4)
    mean = torch.tensor([1.0, 2.0, 3.0]).view(-1, 1, 1)  # (channels, 1, 1)
    assert (images - mean)[0, :, 0, 0].tolist() == [-1, -2, -3]
    with pytest.raises(RuntimeError, match="must match the size"):
        images - torch.zeros(3)  # 3 would stand under the width, which is 4


def test_broadcasting_follows_the_rules_of_numpy():
    for a, b in [((2, 1), (3,)), ((4, 1, 3), (2, 1)), ((), (5,))]:
        assert (torch.zeros(a) + torch.zeros(b)).shape == (np.zeros(a) + np.zeros(b)).shape


def test_softmax_sums_to_one_along_its_dimension_only():
    scores = torch.randn(2, 3, 5)  # (batch, queries, tokens)
    assert torch.allclose(scores.softmax(dim=2).sum(dim=2), torch.ones(2, 3))
    assert not torch.allclose(scores.softmax(dim=1).sum(dim=2), torch.ones(2, 3))
    other = torch.cat([scores[:1], scores[1:] + 1])  # another row beside the same first one
    assert torch.equal(scores.softmax(dim=2)[0], other.softmax(dim=2)[0])
    assert not torch.allclose(scores.softmax(dim=0)[0], other.softmax(dim=0)[0])


def test_a_mask_is_broadcast_and_leaves_weights_of_zero():
    scores = torch.zeros(2, 3, 4, 5)  # (batch, heads, queries, tokens)
    lengths = torch.tensor([5, 2])
    mask = torch.arange(5) < lengths.view(2, 1, 1, 1)  # (batch, 1, 1, tokens)
    weights = scores.masked_fill(~mask, -torch.inf).softmax(dim=3)
    assert mask.shape == (2, 1, 1, 5)
    assert (weights[0] == 0.2).all()
    assert (weights[1] == torch.tensor([0.5, 0.5, 0.0, 0.0, 0.0])).all()


def test_predictions_n_1_against_targets_n_make_an_n_n_table_without_a_word():
    targets = torch.tensor([1.0, 2.0, 3.0])  # (N,)
    perfect = targets.unsqueeze(1)  # (N, 1)
    errors = perfect - targets
    assert errors.shape == (3, 3)
    assert errors.square().mean() > 1  # though no prediction is wrong
    assert F.mse_loss(perfect.squeeze(1), targets) == 0


def test_the_loss_of_the_pipeline_is_not_caught_by_broadcasting():
    loss = SquaredError(DataSpec(problem_type="regression", target="price"))
    targets = torch.tensor([1.0, 2.0, 3.0])
    assert loss(targets.unsqueeze(1), targets) == 0
