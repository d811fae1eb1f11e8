"""Threads follow the work of a step."""

import pytest
import torch
from torch import nn

from kindling.run.build import build_data
from kindling.trainer import speed as threads
from project.models.cnn import CNN


@pytest.fixture
def data(compose):
    return build_data(compose("data=digits", "data.batch_size=64"))


@pytest.fixture
def choose(data, monkeypatch):
    monkeypatch.setattr(threads, "MOST_THREADS", 16)

    def choose(network, batch_size):
        return threads.choose_threads(network, data.x, batch_size)

    return choose


def test_operations_of_a_linear_layer_are_twice_its_weights(data):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 50))
    assert threads.count_operations(network, data.x) == 2 * 64 * 50


def test_small_steps_take_one_thread_and_large_ones_as_many_as_there_are(choose):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 1000))  # 384,000 operations a row
    assert [choose(network, size) for size in (1, 256, 8_000, 100_000)] == [1, 1, 3, 16]


def test_the_cnn_of_the_digits_is_too_small_for_a_second_thread(choose, data):
    assert choose(CNN(data.spec), 64) == 1  # two learn at 0.6 times the speed of one


def test_counting_leaves_network_and_randomness_alone(choose):
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 3))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = torch.get_rng_state()
    choose(network, 64)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.training


def test_counting_leaves_a_frozen_layer_frozen(choose):
    network = nn.Sequential(nn.BatchNorm2d(1).eval(), nn.Flatten(), nn.Linear(64, 3))
    choose(network, 64)
    assert [layer.training for layer in network.modules()] == [True, False, True, True]


def test_a_network_that_fails_is_left_to_the_preflight_check(choose):
    assert choose(nn.Linear(7, 3), 64) == 1


def test_a_run_is_given_its_threads(build):
    before = torch.get_num_threads()
    build("threads=2")
    given = torch.get_num_threads()
    torch.set_num_threads(before)
    assert given == 2
