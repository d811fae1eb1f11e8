"""What a GPU is told, and that a run on a CPU has nothing to do with it."""

import pytest
import torch

from kindling.trainer.speed import set_matmul_precision


@pytest.fixture
def products():
    """Say how float32 is multiplied: matrices, then convolutions."""

    def look():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = look()
    yield look
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize(("precision", "is_tf32"), [("high", True), ("highest", False)])
def test_products_are_chosen_for_cuda(products, precision, is_tf32):
    set_matmul_precision(precision, torch.device("cuda:1"))
    assert products() == (precision, is_tf32)


def test_products_of_a_cpu_stay_as_they_are(products):
    before = products()
    set_matmul_precision("medium", torch.device("cpu"))
    assert products() == before


def test_a_run_on_a_cpu_is_left_alone(build):
    data, task, _ = build("data.on_device=true", "device=cpu")
    assert data.placed is None
    assert "forward" not in vars(task.network)
