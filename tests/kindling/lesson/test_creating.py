"""What a tensor is, and the ways to make one."""

import numpy as np
import pytest
import torch
from torch import nn


def test_a_tensor_is_an_array_with_dtype_device_and_autograd():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(x.numpy(), np.array([[1, 2], [3, 4]]))
    assert x.dtype == torch.float32
    assert x.device == torch.device("cpu")
    assert not x.requires_grad


def test_decimals_become_float32_and_whole_numbers_int64():
    assert torch.tensor([1.0, 2.0]).dtype == torch.float32
    assert torch.tensor([1, 2]).dtype == torch.int64
    assert np.array([1.0, 2.0]).dtype == np.float64  # NumPy decides otherwise


def test_float64_takes_twice_the_memory():
    x = torch.zeros(1000)
    assert x.nbytes == 4000
    assert x.double().nbytes == 8000


def test_class_labels_must_be_whole_numbers():
    logits = torch.zeros(2, 3)
    assert nn.functional.cross_entropy(logits, torch.tensor([0, 2])) > 0
    with pytest.raises(RuntimeError, match="Long"):  # torch's old name for int64
        nn.functional.cross_entropy(logits, torch.tensor([0.0, 2.0]))


def test_tensor_copies_a_list_or_an_array():
    array = np.array([1.0, 2.0])
    x = torch.tensor(array)
    array[0] = 9
    assert x.tolist() == [1, 2]


def test_from_numpy_shares_memory_with_the_array():
    array = np.zeros(3)
    x = torch.from_numpy(array)
    array[0] = 7
    x[1] = 8
    assert x.tolist() == array.tolist() == [7, 8, 0]


def test_float_copies_float64_but_not_float32():
    double, single = np.zeros(3), np.zeros(3, dtype=np.float32)
    from_double = torch.from_numpy(double).float()
    from_single = torch.from_numpy(single).float()
    double[0] = single[0] = 7
    assert from_double.tolist() == [0, 0, 0]
    assert from_single.tolist() == [7, 0, 0]


def test_factories_fill_a_shape():
    assert torch.zeros(2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert torch.ones(2).tolist() == [1, 1]
    assert torch.empty(4, 5).shape == (4, 5)  # whatever was in memory: fill it before use
    numbers = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    assert abs(numbers.mean()) < 0.05
    assert abs(numbers.std() - 1) < 0.05


def test_the_same_seed_draws_the_same_numbers():
    first = torch.randn(3, generator=torch.Generator().manual_seed(0))
    again = torch.randn(3, generator=torch.Generator().manual_seed(0))
    other = torch.randn(3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_factory_takes_the_device_that_is_chosen_at_run_time():
    for device in (torch.device("cpu"), torch.device("meta")):
        assert torch.zeros(2, device=device).device == device


def test_a_factory_takes_requires_grad():
    assert torch.ones(2, requires_grad=True).requires_grad
    assert nn.Parameter(torch.ones(2)).requires_grad  # a parameter does so by itself
