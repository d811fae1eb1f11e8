from dataclasses import replace
from functools import partial

import pytest
import torch

from kindling.errors import ConfigError
from kindling.trainer.optimization import make_optimizer
from kindling.types import DataSpec
from project.models.auto import auto
from project.models.cct import CCT
from project.models.cnn import CNN
from project.models.embeddings import PiecewiseLinear
from project.models.ensemble import Ensemble
from project.models.ft_transformer import FTTransformer
from project.models.members import LossOfMembers, average_members
from project.models.mlp import MLP, RowLinear, soft_clip
from project.models.realmlp import RealMLP
from project.models.resnet import ResNet
from project.models.tabm import TabM
from project.training.losses import default_loss

TABLE = DataSpec(
    problem_type="multiclass",
    target="y",
    numbers=("a", "b"),
    categories=("c", "d"),
    cardinalities=(4, 300),
    edges=((-2.0, 0.0, 0.5, 2.0), (0.0, 1.0)),
    classes=("u", "v", "w"),
)
VALUE = DataSpec("regression", "y", numbers=("a", "b"), edges=((-1.0, 1.0), (0.0, 1.0)))
GREY = DataSpec(problem_type="binary", target="y", classes=("u", "v"), image_shape=(1, 8, 8))
COLOUR = DataSpec(
    problem_type="multiclass", target="y", classes=("u", "v", "w"), image_shape=(3, 33, 21)
)


def rows(spec, batch_size):
    torch.manual_seed(1)
    if spec.image_shape:
        return torch.randn(batch_size, *spec.image_shape)
    codes = [torch.randint(0, count, (batch_size, 1)).float() for count in spec.cardinalities]
    return torch.cat([torch.randn(batch_size, len(spec.numbers)), *codes], dim=1)


CASES = [(MLP, TABLE), (MLP, VALUE), (MLP, GREY), (CNN, GREY), (CNN, COLOUR)]
CASES += [(ResNet, GREY), (ResNet, COLOUR), (partial(ResNet, mirror=True), COLOUR)]
CASES += [(TabM, TABLE), (TabM, VALUE), (partial(TabM, members=1), TABLE)]
CASES += [(RealMLP, TABLE), (RealMLP, VALUE)]
CASES += [(Ensemble, VALUE), (partial(Ensemble, network="realmlp", members=2), TABLE)]
CASES += [(partial(Ensemble, network="cnn", members=2), GREY)]
CASES += [(auto, TABLE), (auto, COLOUR)]
CASES += [(FTTransformer, TABLE), (FTTransformer, VALUE), (CCT, GREY), (CCT, COLOUR)]


def name_of(case):
    network, spec = case
    return f"{getattr(network, 'func', network).__name__}-{spec.problem_type}"


@pytest.fixture(params=CASES, ids=name_of)
def case(request):
    network, spec = request.param
    torch.manual_seed(0)
    return network(spec), spec


@pytest.mark.parametrize("batch_size", [1, 5])
def test_one_output_per_row_and_class(case, batch_size):
    network, spec = case
    outputs = network.eval()(rows(spec, batch_size))
    assert outputs.shape == (batch_size, spec.num_outputs)
    assert outputs.dtype == torch.float32


def test_gradient_reaches_every_parameter(case):
    network, spec = case
    network(rows(spec, 32)).square().sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_permuting_the_batch_permutes_the_output(case):
    network, spec = case
    network.eval()
    x, order = rows(spec, 7), torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert torch.allclose(network(x)[order], network(x[order]), atol=1e-6)


def test_eval_is_deterministic_and_train_drops_out(case):
    network, spec = case
    x = rows(spec, 16)
    assert torch.equal(network.eval()(x), network(x))
    assert not torch.equal(network.train()(x), network(x))


@pytest.mark.parametrize("network", [CNN, ResNet])
@pytest.mark.parametrize("size", [(8, 8), (8, 100), (28, 28), (65, 64), (96, 130)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_every_size_from_eight_are_taken(network, size, channels):
    spec = DataSpec(
        problem_type="binary", target="y", classes=("u", "v"), image_shape=(channels, *size)
    )
    assert network(spec, width=4)(rows(spec, 2)).shape == (2, 2)


@pytest.mark.parametrize("spec", [COLOUR, replace(GREY, problem_type="regression", classes=())])
def test_an_image_and_its_mirror_image_are_predicted_as_one(spec):
    sizes = {"width": 4, "dropout": 0}
    both, one = ResNet(spec, mirror=True, **sizes), ResNet(spec, **sizes)
    one.load_state_dict(both.state_dict())
    x = rows(spec, 5)
    assert torch.equal(both(x), one(x))  # while training
    found, expected = both.eval()(x), [one.eval()(x), one(x.flip(3))]
    if not spec.is_regression:
        found, expected = found.softmax(dim=1), [logits.softmax(dim=1) for logits in expected]
    assert not torch.allclose(*expected, atol=1e-4)
    assert torch.allclose(found, sum(expected) / 2, atol=1e-6)


def test_an_embedding_bends_at_its_edges_only():
    layer = PiecewiseLinear([(0.0, 1.0, 3.0), (-1.0, 1.0)], 1)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[[2.0], [10.0]], [[1.0], [5.0]]])  # the 5 has no bin
        for parameter in (layer.slope, layer.bias):
            parameter.zero_()
    x = torch.tensor([[-9.0, -1.0], [0.5, 0.0], [1.0, 1.0], [2.0, 9.0], [99.0, 0.0]])
    found = layer(x)[:, :, 0].tolist()
    assert found == [[0, 0], [1, 0.5], [2, 1], [7, 1], [12, 0.5]]


def test_beyond_the_train_rows_nothing_changes():
    torch.manual_seed(0)
    network = TabM(VALUE).eval()
    at, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[7.0, -50.0]])
    assert torch.equal(network(at), network(far))


@pytest.mark.parametrize("spec", [TABLE, VALUE], ids=["classes", "values"])
def test_members_differ_learn_alone_and_answer_together(spec):
    torch.manual_seed(0)
    network, x = TabM(spec, members=3, dropout=0).train(), rows(spec, 5)
    assert network(x).shape == (5, spec.num_outputs)  # unless a task asks for each
    network.by_member = True
    outputs = network(x)
    assert outputs.shape == (5, 3, spec.num_outputs)
    assert outputs.std(dim=1).min() > 0
    y = torch.randn(5) if spec.is_regression else torch.tensor([0, 1, 2, 0, 1])
    loss = default_loss(replace(spec, class_counts=(1, 1, 1)))
    alone = torch.stack([loss(outputs[:, member], y) for member in range(3)])
    assert torch.allclose(LossOfMembers(loss)(outputs, y), alone.mean())
    together = network.eval()(x)
    read = (lambda values: values) if spec.is_regression else (lambda v: v.softmax(dim=-1))
    assert torch.allclose(read(together), read(outputs).mean(dim=1), atol=1e-6)
    assert torch.equal(LossOfMembers(loss)(together, y), loss(together, y))
    assert torch.equal(average_members(outputs), together)


def test_of_many_rows_a_smaller_network_learns_and_says_so():
    few, many = replace(TABLE, num_rows=1000), replace(TABLE, num_rows=10**6)
    assert TabM(few).num_members == 8
    assert not hasattr(TabM(few), "note")
    assert TabM(many).num_members == 1
    assert TabM(many).note == "fewer than 8 for model.budget_s=180"
    assert TabM(many, budget_s=18_000).num_members == 8
    few, many = (replace(spec, image_shape=(3, 32, 32)) for spec in (few, many))
    assert ResNet(few).head.in_features == 4 * 32
    assert ResNet(many).head.in_features == 4 * 16
    assert ResNet(many).note == "width 16 for model.budget_s=600"
    assert ResNet(many, budget_s=10**6).head.in_features == 4 * 32
    assert ResNet(many, width=20).head.in_features == 4 * 20


@pytest.mark.parametrize(("num_rows", "factor"), [(0, 1), (320, 1), (80, 76)])
def test_weights_decay_more_where_columns_are_many_for_the_rows(num_rows, factor):
    names = tuple(f"x{k}" for k in range(40))
    spec = replace(VALUE, numbers=names, edges=((0.0, 1.0),) * 40, num_rows=num_rows)
    network = TabM(spec, width=8)
    (group,) = make_optimizer(partial(torch.optim.AdamW, weight_decay=0.01), network).param_groups
    assert group["weight_decay"] == pytest.approx(0.01 * factor)
    assert len(group["params"]) == len([*network.parameters()])
    told = "many columns for the rows: 76 x the weight decay"
    assert getattr(network, "note", None) == (told if factor > 1 else None)


def test_many_columns_get_small_embeddings():
    names = tuple(f"x{k}" for k in range(2000))
    spec = DataSpec("regression", "y", numbers=names, edges=((0.0, 1.0),) * 2000)
    assert TabM(spec, members=2).body[0].in_features <= 4096


def test_row_linear_is_a_linear_layer_on_one_hot_rows():
    layer, x = RowLinear(TABLE, 5), rows(TABLE, 6)
    hot = [torch.nn.functional.one_hot(x[:, 2 + i].long(), n) for i, n in enumerate((4, 300))]
    one_hot = torch.cat([soft_clip(x[:, :2]), *hot], dim=1)
    expected = one_hot @ torch.cat([layer.weight, layer.embedding]) + layer.bias
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_a_level_that_was_never_seen_adds_nothing_at_first():
    layer = RowLinear(TABLE, 5)
    x = torch.tensor([[0.5, -1.0, 0.0, 0.0], [0.5, -1.0, 1.0, 1.0]])  # unknown twice, missing twice
    expected = soft_clip(x[:, :2]) @ layer.weight + layer.bias
    assert torch.allclose(layer(x), expected)
    assert (layer(torch.tensor([[0.5, -1.0, 2.0, 2.0]])) - expected[:1]).abs().min() > 0


def test_soft_clip_leaves_small_numbers_and_bounds_large_ones():
    x = torch.tensor([0.01, 1.0, 1e6, -1e6])
    clipped = soft_clip(x)
    assert clipped[:2].tolist() == pytest.approx([0.01, 0.9487], abs=1e-4)
    assert clipped[2:].tolist() == pytest.approx([3, -3])


def test_sizes_reach_the_network():
    assert auto(TABLE, width=7).head.weight.shape == (8, 7, 3)
    assert len([m for m in MLP(TABLE, depth=4).body if isinstance(m, torch.nn.Linear)]) == 3
    assert auto(GREY, dropout=0.5).dropout.p == 0.5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            TABLE,
            "model=cnn takes images; got a table of 2 numbers and 2 categories; type model=mlp",
        ),
        (
            DataSpec(problem_type="binary", target="y", image_shape=(1, 7, 9)),
            "8x8 pixels or more; got 7x9",
        ),
    ],
)
def test_cnn_refuses_what_it_cannot_take(spec, message):
    with pytest.raises(ConfigError, match=message):
        CNN(spec)
