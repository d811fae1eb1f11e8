"""The pre-flight check looks once, and leaves everything as it was."""

import random

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from kindling.callbacks.layer_watch import untouched
from kindling.callbacks.preflight import Preflight, few_rows
from kindling.errors import ConfigError
from kindling.types import Batch
from project.training.task import SupervisedTask
from tests.conftest import newest

TAKEN_OUT = "~callbacks.preflight"
MODELS = {"mlp": ["model.dropout=0.5"], "cnn": ["data=digits", "model.width=4"]}


@pytest.mark.parametrize("model", ["mlp", pytest.param("cnn", marks=pytest.mark.slow)])
def test_a_run_ends_with_the_same_bits_with_and_without_it(build, model):
    states = []
    for change in ([], [TAKEN_OUT]):
        data, task, trainer = build(*MODELS[model], *change, folder=f"run{len(change)}")
        assert any(isinstance(c, Preflight) for c in trainer.callbacks) == (not change)
        trainer.fit(task, data)
        states.append(task.network.state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


class Witness(Callback):
    """Notes the state of everything before or behind the check."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        network = pl_module.network
        self.tensors = {name: t.clone() for name, t in network.state_dict().items()}
        self.tensors |= {"torch": torch.get_rng_state(), "x": batch.x.clone()}
        self.grads = [p.grad for p in network.parameters()]
        self.modes = [module.training for module in network.modules()]
        self.ids = [id(t) for t in (*network.parameters(), *network.buffers())]
        self.random = random.getstate(), torch.is_grad_enabled()
        self.hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]


@pytest.mark.parametrize("model", MODELS)
def test_weights_buffers_modes_gradients_and_randomness_are_untouched(build, model):
    data, task, trainer = build(*MODELS[model], "+trainer.limit_train_batches=1")
    task.network.body[2].eval()  # one mode that is not as the others
    trainer.callbacks[:] = [before := Witness(), Preflight(), after := Witness()]
    with pytest.warns(UserWarning, match="in eval mode at the start"):
        trainer.fit(task, data)
    assert all(torch.equal(before.tensors[name], after.tensors[name]) for name in after.tensors)
    assert after.grads == before.grads == [None] * len(after.grads)
    assert after.modes == before.modes
    assert False in after.modes
    assert True in after.modes
    assert (after.ids, after.random) == (before.ids, before.random)
    assert after.hooks == before.hooks == [0] * len(after.hooks)


class Restless(nn.Module):
    """Changes whatever a forward pass can change."""

    def __init__(self):
        super().__init__()
        self.scale, self.started = nn.Parameter(torch.ones(3)), False
        self.register_buffer("edited", torch.zeros(1))
        self.register_buffer("replaced", torch.zeros(1))

    def forward(self):
        self.scale.data, self.started, self.last = torch.zeros(3), True, torch.rand(1)
        self.edited += 1
        self.replaced = self.replaced + 1
        self.eval()
        random.random()


def test_whatever_a_network_does_to_itself_is_undone():
    network = Restless()
    scale, replaced, drawn = network.scale, network.replaced, random.getstate()
    with untouched(network, torch.device("cpu")):
        network()
    assert network.scale is scale
    assert scale.tolist() == [1, 1, 1]
    assert network.replaced is replaced
    assert (network.edited.item(), network.replaced.item(), network.started) == (0, 0, False)
    assert network.training
    assert not hasattr(network, "last")
    assert random.getstate() == drawn


class Counter(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network, self.modes = network, []

    def forward(self, x):
        self.modes.append((len(x), self.network.training, torch.is_grad_enabled()))
        return self.network(x)


def test_it_looks_once_in_a_run_at_a_few_rows(build):
    data, task, trainer = build("model=mlp", "trainer.max_epochs=2", "data.batch_size=64")
    task.network = Counter(task.network)
    trainer.fit(task, data)
    calls = [(13, True, False)] * 2  # what the network keeps to itself
    calls += [(13, True, True), (13, False, False), (13, False, False), (7, False, False)]
    assert task.network.modes[:6] == calls
    assert all(rows > 13 for rows, _, _ in task.network.modes[6:])
    assert Preflight.supports_chunks


@pytest.mark.slow
def test_a_resumed_run_is_looked_at_again_and_may_have_learnt_anything(build, tmp_path):
    data, task, trainer = build("trainer.max_epochs=1")
    trainer.fit(task, data)
    saved = torch.load(newest(tmp_path / "run"), weights_only=True)
    saved["state_dict"]["network.head.weight"] *= 1e4  # refused in a new network
    file = tmp_path / "other.ckpt"
    torch.save(saved, file)
    data, task, trainer = build("trainer.max_epochs=2")
    trainer.fit(task, data, ckpt_path=file, weights_only=True)
    checks = [callback for callback in trainer.callbacks if isinstance(callback, Preflight)]
    assert [check.is_due for check in checks] == [False]


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((40, 5), 13), ((40, 13), 11), ((40, 13, 11, 7), 5), ((6, 2), 5), ((3, 9), 3)],
)
def test_the_number_of_rows_is_no_other_dimension(shape, rows):
    x = torch.zeros(shape)
    batch = few_rows(Batch(x, torch.zeros(len(x)), torch.arange(len(x))))
    assert [len(part) for part in batch] == [rows] * 3


class Forgetful(SupervisedTask):
    """Returns the loss as with automatic optimization, which it has switched off."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        return self.loss(self.network(batch.x), batch.y)


def test_a_task_that_takes_no_step_is_refused_after_an_epoch(build):
    data, task, trainer = build(f"task._target_={__name__}.Forgetful")
    with pytest.raises(ConfigError, match=r"optimizer steps; got none in the first epoch of Forg"):
        trainer.fit(task, data)
    assert trainer.current_epoch == 0
