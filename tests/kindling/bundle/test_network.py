"""A network is written down as a registered class and plain arguments, or not at all."""

import functools

import pytest
import torch
from torch import nn

from kindling.bundle.model_config import (
    build_on_cpu,
    find_class,
    model_config_of,
    uncompiled,
    unregistered,
)
from kindling.bundle.weights import to_bytes, to_network
from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.models.auto import auto
from project.models.cct import CCT
from project.models.cnn import CNN
from project.models.ensemble import Ensemble
from project.models.ft_transformer import FTTransformer
from project.models.mlp import MLP
from project.models.realmlp import RealMLP
from project.models.tabm import TabM

TABLE = DataSpec(
    problem_type="regression",
    target="y",
    numbers=("a", "b"),
    categories=("c",),
    cardinalities=(4,),
    edges=((0.0, 1.0), (0.0, 1.0)),
)
GREY = DataSpec("binary", "y", classes=("u", "v"), image_shape=(1, 8, 8))


def model_config(make, spec=TABLE, **keywords):
    made = functools.partial(make, **keywords)
    return model_config_of(made, made(spec), spec)


@pytest.fixture
def registered_as_ours(monkeypatch):
    """Let a class defined in a test count as one of project.models."""

    def move(network):
        module = "project.models.mlp"
        monkeypatch.setattr(f"{module}.{network.__name__}", network, raising=False)
        network.__module__, network.__qualname__ = module, network.__name__
        return network

    return move


def test_a_factory_leaves_the_class_that_it_chose_and_all_its_arguments():
    found = model_config(auto, width=8, depth=None, dropout=None)
    assert (found.module, found.name) == ("tabm", "TabM")
    sizes = {"width": 8, "depth": 2, "dropout": 0.1, "embedding": 16, "budget_s": 180}
    assert found.arguments == sizes
    assert model_config(auto, GREY, width=None).name == "ResNet"


@pytest.mark.parametrize(
    ("make", "spec"),
    [
        *((make, TABLE) for make in (MLP, TabM, FTTransformer, RealMLP, Ensemble)),
        *((make, GREY) for make in (MLP, CNN, CCT)),
        (functools.partial(Ensemble, network="cnn"), GREY),
    ],
)
def test_what_is_built_again_computes_the_same(make, spec):
    network = make(spec, width=8).eval()
    config = model_config(make, spec, width=8)
    again = to_network(to_bytes(network), find_class(config), config, spec)
    x = torch.rand(5, *spec.image_shape) if spec.image_shape else torch.rand(5, 3)
    assert torch.equal(again(x), network(x))


def test_writing_it_down_costs_neither_randomness_nor_weights():
    network = MLP(TABLE, width=8)
    state, weights = torch.get_rng_state(), [p.clone() for p in network.parameters()]
    found = model_config_of(functools.partial(MLP, width=8), network, TABLE)
    build_on_cpu(find_class(found), found, TABLE)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, weights, network.parameters()))


def test_a_compiled_network_is_saved_under_its_plain_names():
    compiled = torch.compile(MLP(TABLE, width=8), backend="eager")
    found = model_config_of(functools.partial(MLP, width=8), compiled, TABLE)
    assert found.name == "MLP"
    assert not [name for name in uncompiled(compiled).state_dict() if "_orig_mod" in name]


def test_tied_weights_are_kept(registered_as_ours):
    class Tied(nn.Module):
        def __init__(self, spec: DataSpec) -> None:
            super().__init__()
            self.one = nn.Linear(3, 3, bias=False)
            self.two = nn.Linear(3, 3, bias=False)
            self.two.weight = self.one.weight

    network = registered_as_ours(Tied)(TABLE)
    again = to_network(to_bytes(network), Tied, model_config(Tied), TABLE)
    assert again.two.weight is again.one.weight
    assert torch.equal(again.one.weight, network.one.weight)


def test_what_no_project_registers_is_named_with_what_to_do():
    class Foreign(MLP):
        pass

    assert unregistered(MLP(TABLE)) is None
    problem = unregistered(Foreign(TABLE))
    assert problem.got == f"Foreign of {__name__}, which none registers"
    assert '[project.entry-points."kindling.networks"], then type pip install -e .' in problem.do
    assert "Linear of torch.nn.modules.linear" in unregistered(nn.Linear(3, 1)).got
    Foreign.__module__ = "project.models._mine"
    problem = unregistered(Foreign(TABLE))
    assert problem.got == "Foreign of project.models._mine, which is private"
    assert "move it into a file of the package" in problem.do


def test_a_network_that_no_second_call_builds_alike_is_refused(registered_as_ours):
    class Growing(MLP):
        count = 0

        def __init__(self, spec: DataSpec) -> None:
            Growing.count += 1
            super().__init__(spec, width=Growing.count)

    with pytest.raises(ConfigError, match="Growing must be the same network"):
        model_config(registered_as_ours(Growing))


def test_a_constructor_that_looks_at_values_is_told_how_to(registered_as_ours):
    class Looking(MLP):
        def __init__(self, spec: DataSpec) -> None:
            super().__init__(spec, width=int(torch.tensor([3, 5]).sum()))

    with pytest.raises(ConfigError, match=r'make that tensor with device="cpu"; or .*bundle=false'):
        model_config(registered_as_ours(Looking))


def test_arguments_that_are_no_plain_values_are_refused(registered_as_ours):
    class Choosing(MLP):
        def __init__(self, spec: DataSpec, layer: object = nn.ReLU) -> None:
            super().__init__(spec)

    assert model_config(registered_as_ours(Choosing)).arguments == {}
    with pytest.raises(ConfigError, match="no plain values"):
        model_config(Choosing, layer=nn.GELU)


def test_a_class_inside_another_is_refused(registered_as_ours):
    class Outer:
        class Inner(MLP):
            pass

    registered_as_ours(Outer)
    Outer.Inner.__module__, Outer.Inner.__qualname__ = "project.models.mlp", "Outer.Inner"
    with pytest.raises(ConfigError, match=r"not a network that project\.models defines"):
        model_config(Outer.Inner)


def test_any_keywords_are_kept_where_a_constructor_takes_any(registered_as_ours):
    class Passing(MLP):
        def __init__(self, spec: DataSpec, **sizes: int) -> None:
            super().__init__(spec, width=sizes["width"])

    assert model_config(registered_as_ours(Passing), width=5, depth=None).arguments == {"width": 5}


def test_layers_are_counted_while_a_network_is_built(registered_as_ours, monkeypatch):
    class Many(nn.Sequential):
        def __init__(self, spec: DataSpec, *, layers: int) -> None:
            super().__init__(*(nn.Identity() for _ in range(layers)))

    monkeypatch.setattr("kindling.bundle.model_config.MAX_MODULES", 100)
    assert model_config(registered_as_ours(Many), layers=100)
    with pytest.raises(ConfigError, match="a network of more than 100 layers"):
        model_config(Many, layers=101)
