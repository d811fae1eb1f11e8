"""No GPU is needed here: torch is asked what it says of itself."""

import pytest
import torch

from kindling.errors import Problem
from kindling.trainer.device import find_device


def pretend(monkeypatch, *, gpus=0, cuda="12.8", mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("name", "gpus", "mps", "found"),
    [
        ("auto", 0, False, {"accelerator": "cpu", "devices": 1}),
        ("auto", 2, False, {"accelerator": "cuda", "devices": [0]}),
        ("auto", 0, True, {"accelerator": "mps", "devices": [0]}),
        ("cpu", 2, False, {"accelerator": "cpu", "devices": 1}),
        ("cuda", 2, False, {"accelerator": "cuda", "devices": [0]}),
        ("cuda:1", 2, False, {"accelerator": "cuda", "devices": [1]}),
        ("gpu", 0, True, {"accelerator": "mps", "devices": [0]}),
    ],
)
def test_a_name_becomes_what_the_trainer_takes(monkeypatch, name, gpus, mps, found):
    pretend(monkeypatch, gpus=gpus, mps=mps)
    assert find_device(name, 1) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cpu", {"accelerator": "cpu", "devices": 3}),
        ("auto", {"accelerator": "cuda", "devices": 3}),
        ("gpu", {"accelerator": "cuda", "devices": 3}),
    ],
)
def test_several_devices_are_the_first_of_their_kind(monkeypatch, name, found):
    pretend(monkeypatch, gpus=4)
    assert find_device(name, 3) == found


@pytest.mark.parametrize(
    ("name", "fix"), [("cuda", "trainer.devices=2"), ("cuda:1", "device=cuda")]
)
def test_several_devices_that_are_not_there_or_not_the_first_are_refused(monkeypatch, name, fix):
    pretend(monkeypatch, gpus=2)
    problem = find_device(name, 3)
    assert isinstance(problem, Problem)
    assert f"type {fix}" in problem.do


def test_an_index_that_is_not_there_names_those_that_are(monkeypatch):
    pretend(monkeypatch, gpus=2)
    problem = find_device("cuda:7", 1)
    assert problem.got == "only cuda:0, cuda:1"


@pytest.mark.parametrize(
    ("cuda", "message", "got"),
    [
        (None, None, "CPU-only build"),
        ("12.8", "Found no NVIDIA driver on your system.", "no driver"),
        ("12.8", "No CUDA GPUs are available", "no device"),
    ],
)
@pytest.mark.parametrize("name", ["cuda", "gpu"])
def test_an_absent_gpu_says_which_part_is_missing(monkeypatch, name, cuda, message, got):
    pretend(monkeypatch, cuda=cuda)

    def fail():
        raise RuntimeError(message)

    monkeypatch.setattr(torch.cuda, "init", fail)
    problem = find_device(name, 1)
    assert isinstance(problem, Problem)
    assert got in problem.got
    assert "device=cpu" in problem.do
