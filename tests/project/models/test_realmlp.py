"""RealMLP: what it computes, what changes while it trains, and networks of it."""

import numpy as np
import pytest
import torch

from kindling.errors import ConfigError
from project.models.embeddings import Periodic
from project.models.ensemble import Ensemble
from project.models.mlp import MLP, soft_clip
from project.models.realmlp import RealMLP, flat_cos
from tests.project.models.test_networks import GREY, TABLE, VALUE, rows


def test_a_number_becomes_itself_and_a_mix_of_cosines():
    layer, x = Periodic(2, 4, frequencies=5, sigma=0.1), torch.randn(7, 2)
    found, clipped = layer(x), soft_clip(x)
    for k in range(2):
        waves = torch.cos(2 * torch.pi * clipped[:, k, None] * layer.frequency[k] + layer.phase[k])
        assert torch.equal(found[:, k, 0], clipped[:, k])
        expected = waves @ layer.weight[k] + layer.bias[k]
        assert torch.allclose(found[:, k, 1:], expected, atol=1e-5)


def test_dropout_keeps_the_mean_and_falls_to_nothing():
    torch.manual_seed(0)
    network, x = RealMLP(VALUE, width=64, depth=1, dropout=0.5), rows(VALUE, 1)
    settled = network.eval()(x)
    network.train()
    spread = []
    for share in (0.0, 0.5, 0.75, 1.0):
        network.set_progress(share)
        outputs = network(x.expand(2000, -1))
        assert outputs.mean().item() == pytest.approx(settled.item(), abs=0.1)
        spread.append(outputs.std().item())
    assert spread[0] == pytest.approx(spread[1], rel=0.1)
    assert spread[1] > spread[2] > spread[3] == pytest.approx(0, abs=1e-5)
    assert flat_cos(0.75) == pytest.approx(0.5)


def test_values_learn_at_five_times_the_rate_of_classes_and_the_weights_come_first():
    ways = {}
    for spec in (TABLE, VALUE):
        network = RealMLP(spec)
        groups = network.parameter_groups()
        sizes = [sum(p.numel() for p in group["params"]) for group in groups]
        assert sizes[0] == max(sizes)
        assert sum(sizes) == sum(p.numel() for p in network.parameters())
        ways[spec.problem_type] = np.array([(g["lr"], g["weight_decay"]) for g in groups])
    assert ways["regression"][:, 0] == pytest.approx(5 * ways["multiclass"][:, 0])
    assert (ways["regression"][:, 1] == ways["multiclass"][:, 1]).all()


def test_many_columns_get_small_embeddings():
    names = tuple(f"x{k}" for k in range(5000))
    network = RealMLP(type(VALUE)("regression", "y", numbers=names), width=4)
    assert len(network.scale) == 2 * 5000
    with pytest.raises(ConfigError, match=r"model=realmlp takes tables; got images of 1x8x8"):
        RealMLP(GREY)


ENSEMBLE = ["model=ensemble", "model.network=realmlp", "model.members=2"]


@pytest.mark.parametrize(
    "words",
    [
        [*ENSEMBLE, "data.target=body_mass_g"],
        pytest.param(["trainer.precision=bf16-mixed"], marks=pytest.mark.slow),
    ],
)
def test_it_learns_and_an_ensemble_of_it_too(build, words):
    given = ["experiment=realmlp", *words, "trainer.max_epochs=8", "model.width=32"]
    module, task, trainer = build("data=penguins", *given)
    trainer.fit(task, module)
    trainer.test(task, module, verbose=False)
    name = "r2" if task.spec.is_regression else "accuracy"
    assert task.results["test"].scores[name] > 0.8


@pytest.mark.parametrize("network", [MLP, RealMLP])
def test_one_member_is_the_network_itself(network):
    x, alone = rows(TABLE, 5), []
    for make in (network, lambda spec: Ensemble(spec, network=network.__name__.lower(), members=1)):
        torch.manual_seed(0)
        made = make(TABLE).train()
        torch.manual_seed(1)
        alone += [made(x), made.eval()(x)]
    assert torch.equal(alone[0], alone[2])
    assert torch.equal(alone[1], alone[3])


def test_one_member_learns_the_bits_of_the_network_itself(build):
    ends = []
    for words in (["model=mlp"], ["model=ensemble", "model.members=1"]):
        data, task, trainer = build(*words, "model.width=16", folder=f"run{len(words)}")
        trainer.fit(task, data)
        ends.append([*task.state_dict().values()])
    assert all(map(torch.equal, *ends))


def test_groups_of_members_are_joined(build):
    data, task, _ = build("model=ensemble", "model.network=realmlp", "model.members=3")
    groups = task.optimizer_for(task.network).param_groups
    one = RealMLP(data.spec).parameter_groups()
    assert [len(group["params"]) for group in groups] == [3 * len(g["params"]) for g in one]
    assert [group["lr"] for group in groups] == pytest.approx([0.002 * g["lr"] for g in one])
