"""What training code is made of: no_grad, detach, item, and the pattern of an evaluation."""

import numpy as np
import pytest
import torch
from torch import nn

from kindling.outputs import to_numpy


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))


def test_no_grad_records_nothing(network):
    rows = torch.ones(2, 4)
    assert network(rows).requires_grad
    with torch.no_grad():
        assert not network(rows).requires_grad


def test_detach_shares_storage_and_leaves_the_graph():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    out = y.detach()
    assert out.data_ptr() == y.data_ptr()
    assert y.requires_grad
    assert not out.requires_grad


def test_item_takes_the_one_number_out():
    number = torch.tensor([2.5]).item()
    assert number == 2.5
    assert isinstance(number, float)
    with pytest.raises(RuntimeError, match="2 elements cannot be converted"):
        torch.ones(2).item()


def test_a_watched_tensor_becomes_numpy_only_once_it_is_detached():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"detach\(\)\.numpy\(\)"):
        x.numpy()
    assert isinstance(to_numpy(x), np.ndarray)  # .detach().cpu().numpy()
    assert to_numpy(x).tolist() == [1, 1, 1]


def test_eval_switches_dropout_off_and_train_switches_it_on(network):
    rows = torch.ones(2, 4)
    network.eval()
    assert torch.equal(network(rows), network(rows))
    network.train()
    assert not torch.equal(network(rows), network(rows))


def test_eval_does_not_stop_autograd(network):
    assert network.eval()(torch.ones(2, 4)).requires_grad  # hence no_grad beside it


def test_argmax_over_dimension_one_gives_one_class_for_each_row():
    logits = torch.tensor([[0.1, 2.0, 0.3], [5.0, 1.0, 1.0]])  # (rows, classes)
    assert logits.argmax(dim=1).tolist() == [1, 0]
    assert logits.softmax(dim=1).argmax(dim=1).tolist() == [1, 0]  # softmax keeps the order


def test_an_evaluation_goes_from_rows_to_classes_in_numpy(network):
    network.eval()
    with torch.no_grad():
        logits = network(torch.ones(5, 4))
    classes = logits.argmax(dim=1).cpu().numpy()
    assert classes.shape == (5,)
    assert classes.dtype == np.int64
    assert set(classes.tolist()) <= {0, 1, 2}
