"""The time that a plan expects: of long trainings only, and nothing is left behind."""

import torch

from kindling.run.expected_time import expect_seconds


def test_a_short_training_is_not_timed(build):
    data, task, trainer = build()
    assert expect_seconds(data, task, trainer) is None


def test_a_long_one_is_by_a_step_that_is_undone(build):
    data, task, trainer = build("trainer.max_epochs=1000000")
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    state = torch.get_rng_state()
    assert expect_seconds(data, task, trainer) > 10
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.state_dict().items())
    assert all(parameter.grad is None for parameter in task.parameters())
