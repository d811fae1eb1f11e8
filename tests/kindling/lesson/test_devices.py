"""Devices and dtypes that do not fit together. Two stand-ins for a GPU need none.

`meta` is a device of torch without memory: shapes and dtypes are checked, numbers are not kept.
The pretended GPU checks every operation as a real one would; it has a process of its own.
"""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

ON_A_PRETENDED_GPU = """
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("fakegpu")
with FakeTensorMode():
    weights, rows = torch.ones(3, 2, device="fakegpu:0"), torch.ones(5, 3)
    print((rows.to(weights.device) @ weights).device)
    try:
        rows @ weights
    except RuntimeError as error:
        print(error)
"""


def test_to_moves_a_tensor_and_leaves_the_old_one_where_it_was():
    x = torch.ones(3)
    moved = x.to("meta")
    assert (x.device.type, moved.device.type) == ("cpu", "meta")
    assert x.to("cpu") is x  # already there: nothing is copied


def test_to_moves_a_network_with_its_parameters_and_buffers():
    network = nn.BatchNorm1d(3).to("meta")
    tensors = [*network.parameters(), *network.buffers()]
    assert len(tensors) == 5
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_tensors_of_two_devices_cannot_be_added():
    x, elsewhere = torch.ones(3), torch.ones(3, device="meta")
    with pytest.raises(RuntimeError, match="device"):
        x + elsewhere
    assert (x.to(elsewhere.device) + elsewhere).shape == (3,)


def test_a_network_does_not_take_rows_from_another_device():
    with pytest.raises(RuntimeError, match="device"):
        nn.Linear(3, 2)(torch.ones(5, 3, device="meta"))


@pytest.mark.slow
def test_a_gpu_and_the_cpu_cannot_be_mixed_in_one_operation():
    command = [sys.executable, "-c", ON_A_PRETENDED_GPU]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    together, apart = done.stdout.splitlines()
    assert together == "fakegpu:0"
    assert "found at least two devices" in apart


def test_a_tensor_made_beside_another_lies_on_its_device():
    x = torch.ones(3, device="meta")
    assert torch.zeros(2, device=x.device).device == x.device
    assert torch.zeros_like(x).device == x.device


def test_numpy_can_only_read_the_cpu():
    with pytest.raises(TypeError, match=r"Tensor\.cpu\(\)"):
        torch.ones(3, device="meta").numpy()


def test_float64_rows_must_be_cast_before_a_float32_network():
    rows = np.ones((5, 3))  # NumPy and scikit-learn compute in float64
    layer = nn.Linear(3, 2)
    with pytest.raises(RuntimeError, match="same dtype"):
        layer(torch.from_numpy(rows))
    assert layer(torch.from_numpy(rows.astype(np.float32))).dtype == torch.float32


def test_one_float64_tensor_makes_the_result_float64():
    assert (torch.ones(3) + torch.ones(3, dtype=torch.float64)).dtype == torch.float64


def test_a_tensor_detached_by_accident_gets_no_gradient_and_no_error():
    first, last = nn.Linear(3, 4), nn.Linear(4, 1)
    hidden = first(torch.ones(5, 3)).detach()
    last(hidden).sum().backward()
    assert last.weight.grad is not None
    assert first.weight.grad is None  # it never learns


def test_backward_says_so_when_the_loss_itself_is_detached():
    loss = nn.Linear(3, 1)(torch.ones(5, 3)).sum().detach()
    with pytest.raises(RuntimeError, match="does not require grad"):
        loss.backward()
