"""The loop written by hand against the run that train.py would make."""

import runpy
from pathlib import Path

import pytest
import torch

FILE = Path(__file__).parents[3] / "docs" / "lesson_loop.py"


@pytest.fixture
def loop():
    return runpy.run_path(str(FILE))


def test_the_loop_has_the_settings_of_the_configuration(loop, compose):
    cfg = compose("data=penguins", "model=mlp")
    assert str(loop["CSV"]) == cfg.data.path
    assert loop["SEED"] == cfg.seed
    names = ["eval_batch_size", "val_fraction", "test_fraction"]
    assert {name: loop[name.upper()] for name in names} == {n: cfg.data[n] for n in names}
    names = ["width", "depth", "dropout"]
    assert {name: loop[name.upper()] for name in names} == {n: cfg.model[n] for n in names}
    assert loop["LR"] == cfg.optimizer.lr
    assert list(loop["BETAS"]) == cfg.optimizer.betas
    assert loop["WEIGHT_DECAY"] == cfg.optimizer.weight_decay
    assert cfg.task.clip_norm is None  # the loop clips nothing
    names = ["warmup_fraction", "final_fraction"]
    assert {name: loop[name.upper()] for name in names} == {n: cfg.scheduler[n] for n in names}


def test_the_loop_ends_with_bitwise_the_weights_of_a_run(loop, build):
    by_hand = loop["train"]().state_dict()
    data, task, trainer = build("model=mlp", "device=cpu", f"trainer.max_epochs={loop['EPOCHS']}")
    assert data.batch_size == loop["BATCH_SIZE"]  # what the configuration's "auto" comes to
    before = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    trainer.fit(task, data)
    assert trainer.current_epoch == loop["EPOCHS"]
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, by_hand[name]), name
        assert not torch.equal(tensor, before[name]), name


def test_the_loop_prints_the_numbers_of_a_run(build, capsys):
    loop = runpy.run_path(str(FILE), run_name="__main__")
    printed = capsys.readouterr().out
    words = ["model=mlp", "device=cpu", f"trainer.max_epochs={loop['EPOCHS']}"]
    data, task, trainer = build(*words, "task.calibrate=null")
    trainer.fit(task, data)
    metrics = {name: value.item() for name, value in trainer.callback_metrics.items()}
    trainer.test(task, data, ckpt_path="best", weights_only=True, verbose=False)
    test = task.results["test"].scores  # of the best weights: here, those of the last epoch
    assert printed.splitlines() == [
        f"val/loss {metrics['val/loss']:.5g}  val/accuracy {metrics['val/accuracy']:.5g}",
        f"test/loss {test['log_loss']:.5g}  test/accuracy {test['accuracy']:.5g}",
    ]
