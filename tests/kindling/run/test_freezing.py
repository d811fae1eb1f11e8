"""What is frozen stays as it is: weights, and running statistics of BatchNorm."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from kindling.bundle.predictor import load
from kindling.errors import ConfigError
from kindling.run.freezing import describe_trained, freeze
from kindling.run.plan import plan_lines
from kindling.trainer.optimization import make_optimizer

IMAGES = ["data=images", "model=cnn", "model.width=4", "model.depth=2", "data.batch_size=13"]


@pytest.fixture
def images(image_folder):
    return [*IMAGES, f"data.path={image_folder}", "checks=false", "trainer.max_epochs=2"]


@pytest.mark.slow
def test_frozen_layers_do_not_move_in_a_training_from_another_runs_weights(run, images, tmp_path):
    donor = run(*images, folder="donor")
    before = {name: t.clone() for name, t in load(donor).network.state_dict().items()}
    words = [*images, f"init_from={donor}", "freeze=[body.*]", "optimizer.weight_decay=0.5"]
    after = load(run(*words)).network.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"head.weight", "head.bias"}
    assert any("running_var" in name for name in before)
    # Resumed: the same are frozen, and nothing is loaded, for there is nothing to load.
    donor.rename(tmp_path / "away")
    folder = run(*words, "trainer.max_epochs=4", f"resume={tmp_path / 'run'}")
    later = load(folder).network.state_dict()
    assert all(torch.equal(before[name], later[name]) for name in before if name not in moved)


@pytest.mark.slow
def test_statistics_move_where_only_some_of_a_layer_is_frozen(build, compose, images):
    words = [*images, "freeze=[body.0.*,'*.3.0.weight']"]
    data, task, trainer = build(*words)
    lines = plan_lines(compose(*words), data, task, trainer)
    assert "as they were drawn: body.0.0.weight, body.0.1.weight" in lines["frozen"]
    assert "parameters are trained" in lines["model"]
    network = task.network
    norms = {name: m for name, m in network.named_modules() if isinstance(m, _BatchNorm)}
    assert [name for name, norm in norms.items() if not norm.training] == ["body.0.1"]
    before = {name: p.clone() for name, p in network.named_parameters()}
    trainer.fit(task, build(*images)[0])
    assert [name for name, norm in norms.items() if not norm.num_batches_tracked] == ["body.0.1"]
    still = {name for name, p in network.named_parameters() if torch.equal(p, before[name])}
    assert still == {name for name, p in network.named_parameters() if not p.requires_grad}
    assert "body.0.0.weight" in still


class Small(nn.Module):
    """Two layers, named as most networks' are."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.head = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (["body"], r"type .freeze=\['body.\*'\]. for all of that layer"),
        (["heed.*"], r"there are head\.(weight|bias)"),
        (["head.*", "body.*"], r"type .freeze=\['body.\*'\]. to learn the last layer"),
    ],
)
def test_a_pattern_that_matches_nothing_or_all_is_refused(patterns, words):
    with pytest.raises(ConfigError, match=words):
        freeze(Small(), patterns)


@pytest.mark.slow
def test_a_frozen_batchnorm_takes_a_batch_of_one_row(build, images):
    rows = len(build(*images)[0].split["train"])
    single = [*images, f"data.batch_size={rows - 1}"]
    with pytest.raises(ConfigError, match="BatchNorm needs two rows"):
        build(*single)
    assert build(*single, "freeze=[body.*]")


def test_without_patterns_nothing_changes():
    network = Small()
    freeze(network, [])
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(module.training for module in network.modules())
    assert describe_trained(network) == "16 parameters"
    freeze(network, ["body.*"])
    assert describe_trained(network) == "6 of 16 parameters are trained"
    assert not network.body[1].training


def test_of_groups_of_parameters_those_that_are_frozen_stay_despite_weight_decay():
    network = Small()
    network.parameter_groups = lambda: [
        {"params": network.body.parameters(), "lr": 0.1},
        {"params": network.head.parameters(), "weight_decay": 0.0},
    ]
    freeze(network, ["body.*", "head.bias"])
    before = {name: p.clone() for name, p in network.named_parameters()}
    optimizer = make_optimizer(partial(torch.optim.AdamW, lr=0.2, weight_decay=0.5), network)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2 * 0.1, 0.2]
    network.head(network.body(torch.ones(3, 2))).sum().backward()
    optimizer.step()
    moved = [name for name, p in network.named_parameters() if not torch.equal(p, before[name])]
    assert moved == ["head.weight"]
