"""A run that was interrupted at any step ends with the bits of one that was not."""

import pytest

from tests.kindling.whole.interruption import differences, ending, fit

MLP = ["data=penguins", "model=mlp", "model.dropout=0.1", "trainer.max_epochs=2"]
EACH = ["task.steps_per_call=1", "callbacks.checkpoint.every_n_steps=1"]


def broken(compose, words, steps):
    """Say for each step after which the run was interrupted what differs in the end."""
    whole = ending(fit(compose, *words, folder="whole"))
    found = {}
    for step in steps:
        fit(compose, *words, folder=f"at {step}", stop_at=step)
        run = fit(compose, *words, folder=f"at {step}", resume=True)
        found |= {step: wrong} if (wrong := differences(whole, ending(run))) else {}
    return found


@pytest.mark.slow
def test_a_table_interrupted_at_every_step(compose):
    assert broken(compose, [*MLP, *EACH], range(1, 17)) == {}
