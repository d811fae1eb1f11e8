"""The range test suggests a rate that learns, and leaves everything as it was."""

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from kindling.errors import ConfigError
from kindling.run.command import find_lr
from kindling.trainer.lr_range import FIRST, LAST, Curve, find_rates, write_rates
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole trainings


def curve(smooth, first=FIRST, last=LAST):
    smooth = np.array(smooth, dtype=float)
    return Curve(np.geomspace(first, last, len(smooth)), smooth, smooth)


def states(task):
    return [
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002  (what is kept as it was)
        torch.get_rng_state().tolist(),
        [tensor.tolist() for tensor in task.state_dict().values()],
        [tensor.grad for tensor in task.parameters()],
    ]


@pytest.mark.parametrize(
    "data", ["data=penguins", pytest.param("data=digits", marks=pytest.mark.slow)]
)
def test_a_training_afterwards_has_the_bits_of_one_without(build, data):
    ends = []
    for look in (False, True):
        module, task, trainer = build(data, "trainer.max_epochs=2", folder=str(look))
        before = states(task)
        if look:
            find_rates(module, task, trainer)
        assert states(task) == before
        trainer.fit(task, module)
        ends.append(task.state_dict())
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())


@pytest.mark.parametrize(
    "override",
    thin(
        ["optimizer=adamw", "optimizer=sgd", "trainer.precision=bf16-mixed"], 3, pytest.mark.nightly
    ),
)
def test_the_loss_falls_and_the_same_seed_gives_the_same_curve(build, override):
    curves = [find_rates(*build(override)) for _ in range(2)]
    assert (curves[0].losses == curves[1].losses).all()
    assert np.nanmin(curves[0].smooth) < 0.5 * curves[0].smooth[0]
    assert len(curves[0].rates) < 176  # it stops where the loss has broken away
    assert 1e-4 < curves[0].suggestion < 1


def test_the_suggestion_lies_between_half_of_the_fall_and_its_end():
    falling = np.concatenate([np.full(30, 2.0), np.linspace(2, 1, 41)[1:], np.full(5, np.nan)])
    found = curve(falling)
    half, best = found.rates[49], found.rates[69]
    assert found.suggestion == pytest.approx(np.sqrt(half * best), rel=0.05)  # two digits


@pytest.mark.parametrize("smooth", [[1.0] * 50, [np.nan] * 3, [1.0] * 20 + [np.inf], [1, 2, 3]])
def test_a_loss_that_never_falls_is_a_problem_with_a_reason(tmp_path, smooth):
    with pytest.raises(ConfigError, match="some learning rate must make the loss fall"):
        write_rates(curve(smooth), 0.002, tmp_path)
    assert (tmp_path / "lr_find.png").is_file()


def test_gradients_of_several_batches_make_one_step_as_in_training(build):
    one = find_rates(*build("data.batch_size=60"))
    four = find_rates(*build("data.batch_size=15", "task.accumulate=4"))
    assert four.losses[:10] == pytest.approx(one.losses[:10], rel=0.2)


def test_the_experiment_leaves_a_curve_and_a_picture_and_says_what_to_type(compose, capsys):
    cfg = compose("experiment=lr_find")
    assert cfg.lr_find
    rate = find_lr(cfg)
    assert f"optimizer.lr={rate:g}" in capsys.readouterr().out
    run = Path(cfg.run_dir)
    assert {file.name for file in run.iterdir()} == {"lr_find.csv", "lr_find.png"}
    table = pd.read_csv(run / "lr_find.csv")
    assert list(table) == ["lr", "loss", "smooth"]
    assert table.lr.is_monotonic_increasing
