"""The loop written by hand against the run that train.py would make, and what its mistakes do."""

import math
import runpy
from pathlib import Path

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from omegaconf import OmegaConf

DOCS = Path(__file__).parents[3] / "docs"
FILE = DOCS / "lesson_loop.py"


class Losses(Callback):
    """Keeps what the run publishes after each epoch."""

    def __init__(self):
        self.seen = []

    def on_train_epoch_end(self, trainer, pl_module):
        published = trainer.callback_metrics
        self.seen.append((published["train/loss"].item(), published["val/loss"].item()))


@pytest.fixture
def loop():
    return runpy.run_path(str(FILE))


@pytest.fixture(scope="module")
def mistakes():
    return runpy.run_path(str(DOCS / "lesson_mistakes.py"))


def test_the_loop_has_the_settings_of_the_configuration(loop, compose):
    cfg = compose("experiment=lesson")
    assert str(loop["CSV"]) == cfg.data.path
    assert (loop["TARGET"], loop["SEED"]) == (cfg.data.target, cfg.seed)
    names = ["eval_batch_size", "val_fraction", "test_fraction"]
    assert {name: loop[name.upper()] for name in names} == {n: cfg.data[n] for n in names}
    names = ["width", "depth", "dropout"]
    assert {name: loop[name.upper()] for name in names} == {n: cfg.model[n] for n in names}
    assert loop["LR"] == cfg.optimizer.lr
    assert (cfg.optimizer.momentum, cfg.optimizer.weight_decay) == (0, 0)  # the loop has neither
    assert cfg.task.clip_norm is None  # nor clips it


def test_the_loop_ends_with_bitwise_the_weights_of_a_run_and_prints_its_losses(loop, build, capsys):
    network, losses = loop["train"]()
    printed = capsys.readouterr().out.splitlines()
    data, task, trainer = build("experiment=lesson", f"trainer.max_epochs={loop['EPOCHS']}")
    assert data.batch_size == loop["BATCH_SIZE"]  # what the configuration's "auto" comes to
    before = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    trainer.callbacks.append(kept := Losses())
    trainer.fit(task, data)
    assert trainer.current_epoch == loop["EPOCHS"] == len(printed)
    by_hand = network.state_dict()
    for name, tensor in task.network.state_dict().items():
        assert torch.equal(tensor, by_hand[name]), name
        assert not torch.equal(tensor, before[name]), name
    for epoch, (line, own, run) in enumerate(zip(printed, losses, kept.seen, strict=True)):
        assert own == pytest.approx(run, rel=1e-6)
        assert line == "epoch {}  train/loss {:#.3g}  val/loss {:#.3g}".format(epoch, *own)


def test_the_experiment_trains_as_long_as_the_loop(loop):
    experiment = OmegaConf.load(DOCS.parent / "conf" / "experiment" / "lesson.yaml")
    assert experiment.trainer.max_epochs == loop["EPOCHS"]


def losses_of(mistakes, name):
    """Return the train losses and the val losses of all epochs, without a mistake or with one."""
    mistake = mistakes["MISTAKES"][name] if name else None
    return zip(*mistakes["train_with"](mistake), strict=True)


def test_the_loop_as_it_is_written_learns_and_is_better_in_evaluation(mistakes):
    train, val = losses_of(mistakes, None)
    assert train[-1] < 0.5 < train[0]
    assert val[-1] < 0.3 < val[0]
    assert all(v < t for t, v in zip(train, val, strict=True))  # dropout only hampers training


def test_without_zero_grad_the_loss_stops_falling_and_then_explodes(mistakes):
    train, _ = losses_of(mistakes, "without zero_grad()")
    assert not min(train) < 0.5
    assert not train[-1] < 1  # nan and inf are not, either


def test_without_eval_the_val_loss_is_twice_as_high_though_the_network_is_the_same(mistakes):
    right, wrong = losses_of(mistakes, None), losses_of(mistakes, "without eval()")
    (train, val), (same_train, worse) = right, wrong
    assert train == same_train
    assert all(w > v for w, v in zip(worse, val, strict=True))
    assert sum(worse[-5:]) > 1.5 * sum(val[-5:])


def test_a_learning_rate_of_one_makes_the_loss_nan_in_the_first_epochs(mistakes):
    train, val = losses_of(mistakes, "a learning rate of 1.0")
    assert math.isnan(train[1])
    assert math.isnan(val[1])


def test_without_squeeze_the_network_learns_the_mean_only(mistakes):
    train, val = losses_of(mistakes, "without squeeze(1)")
    assert all(loss > 0.9 for loss in train)  # 1 is what the mean of all rows would get
    assert all(loss > 0.7 for loss in val)


def test_the_graph_is_drawn_with_the_gradients_of_autograd(mistakes):
    texts = [text.get_text() for text in mistakes["draw_graph"]().axes[0].texts]
    assert [text for text in texts if text.startswith("grad")] == [
        "grad -16",
        "grad -8",
        "grad -8",
        "grad 1",
    ]


def test_the_losses_are_drawn_with_a_panel_for_each_mistake(mistakes):
    right, off = [(0.6, 0.3)] * 3, [(0.6, math.nan)] * 3
    names = list(mistakes["MISTAKES"])
    figure = mistakes["draw_losses"]({"as it is written": right, **dict.fromkeys(names, off)})
    assert [axes.get_title() for axes in figure.axes] == names
    assert all("nan" in axes.texts[0].get_text() for axes in figure.axes)
