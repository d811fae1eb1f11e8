"""A run that is resumed for more epochs keeps its curve of the learning rate, and never jumps."""

import pytest
from torch.optim.optimizer import register_optimizer_step_pre_hook

from kindling.run.resume import open_run_folder

QUICK = ["model=mlp", "data.batch_size=64", "~callbacks.early_stopping"]


@pytest.fixture
def rates(compose, build):
    """Train so many epochs, or go on until them; return the rate of every step."""
    seen = []

    def go(epochs, *words):
        resume = [f"resume={compose().run_dir}"] if seen else []
        words = [*QUICK, f"trainer.max_epochs={epochs}", *words, *resume]
        data, task, trainer = build(*words)
        checkpoint = open_run_folder(compose(*words), data, task, trainer)
        seen.append([])
        hook = register_optimizer_step_pre_hook(
            lambda optimizer, *_: seen[-1].append(optimizer.param_groups[0]["lr"])
        )
        try:
            trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
        finally:
            hook.remove()
        return seen[-1]

    return go


@pytest.mark.slow
def test_more_epochs_keep_the_rate_at_the_end_of_the_curve(rates, capsys):
    whole = rates(5)
    assert "schedule" not in capsys.readouterr().out
    more = rates(8)
    assert len(more) == 3 * len(whole) // 5
    assert set(more) == {whole[-1]}
    told = capsys.readouterr().out
    assert "follows its curve over 5 epochs, as before, and then stays where that ends" in told
    assert "init_from=" in told
    # A second time it is still the curve of the first.
    assert set(rates(9)) == {whole[-1]}
    assert "its curve over 5 epochs" in capsys.readouterr().out


@pytest.mark.slow
def test_a_schedule_without_an_end_goes_on(rates, capsys):
    constant = rates(2, "scheduler=constant")
    assert set(rates(4, "scheduler=constant")) == set(constant)
    assert "schedule" not in capsys.readouterr().out
