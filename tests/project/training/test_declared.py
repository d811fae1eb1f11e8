"""What a network may declare: groups of parameters, and that it changes while it trains."""

import math

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from kindling.errors import ConfigError
from kindling.run.rates import try_rates
from kindling.trainer.lr_range import find_rates
from kindling.trainer.optimization import make_optimizer
from project.models.mlp import MLP
from project.training.schedulers import warmup_cosine
from project.training.task import SupervisedTask
from tests.conftest import newest


class Declared(MLP):
    """Three groups, and the shares of the training that it was told."""

    def __init__(self, spec, **sizes):
        super().__init__(spec, **sizes)
        self.register_buffer("share", torch.zeros(()), persistent=False)
        self.told = []

    def parameter_groups(self):
        matrices = [p for p in self.parameters() if p.ndim > 1]
        return [
            {"params": matrices},
            {"params": [self.head.bias], "lr": 0.1, "weight_decay": 0.0},
            {"params": (p for p in self.body.parameters() if p.ndim == 1), "lr": 3.0},
        ]

    def set_progress(self, share):
        self.told.append(share)
        self.share.fill_(share)


WORDS = [
    f"model._target_={__name__}.Declared",
    "model.width=16",
    "bundle=false",
    "data=penguins",
    "model=mlp",
]


def values(optimizer, name):
    return [group[name] for group in optimizer.param_groups]


def test_factors_become_values_and_what_is_misspelt_is_refused(build):
    _, task, _ = build(*WORDS, "optimizer.lr=0.5", "optimizer.weight_decay=0.25")
    optimizer = task.optimizer_for(task.network)
    assert values(optimizer, "lr") == [0.5, 0.05, 1.5]
    assert values(optimizer, "weight_decay") == [0.25, 0.0, 0.25]
    plain = make_optimizer(lambda given: torch.optim.Rprop(given, lr=0.5), task.network)
    assert values(plain, "lr") == [0.5, 0.05, 1.5]
    for wrong in ({"params": [], "decay": 0.1}, {"lr": 2.0}):
        task.network.parameter_groups = lambda wrong=wrong: [wrong]
        with pytest.raises(ConfigError, match=r"may have factors of lr and weight_decay; got"):
            task.optimizer_for(task.network)


def rates_of(make, lrs, num_steps=40):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in lrs]
    optimizer, rates = torch.optim.SGD(groups), []
    scheduler = make(optimizer)
    for _ in range(num_steps):
        rates.append(values(optimizer, "lr"))
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("warmup", [0.0, 0.1])
def test_each_group_ends_at_its_share_and_one_group_has_torchs_bits(warmup):
    def ours(optimizer):
        options = {"warmup_fraction": warmup, "final_fraction": 0.01}
        return warmup_cosine(optimizer, num_steps=40, **options)

    def torchs(optimizer):
        fall = CosineAnnealingLR(optimizer, T_max=39 - round(40 * warmup), eta_min=0.005)
        if not warmup:
            return fall
        rise = LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
        return SequentialLR(optimizer, [rise, fall], milestones=[4])

    alone = rates_of(ours, [0.5])
    assert alone == rates_of(torchs, [0.5])
    for first, second, third in rates_of(ours, [0.5, 0.05, 3.0]):
        assert [second, third] == pytest.approx([first * 0.1, first * 6])
    assert rates_of(ours, [0.5, 0.05, 3.0])[-1] == pytest.approx([0.005, 0.0005, 0.03])
    assert rates_of(ours, [0.0, 0.0])[-1] == [0, 0]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_progress_is_told_before_each_step(build, accumulate):
    data, task, trainer = build(*WORDS, f"task.accumulate={accumulate}", "trainer.max_epochs=2")
    trainer.fit(task, data)
    steps = 2 * math.ceil(8 / accumulate)
    assert task.network.told == [step / steps for step in range(steps)]


class TutorialsTask(SupervisedTask):
    def training_step(self, batch, batch_idx):
        return nn.functional.cross_entropy(self.network(batch.x), batch.y)


def test_progress_is_told_where_a_training_step_is_ones_own(build):
    data, task, trainer = build(*WORDS, f"task._target_={__name__}.TutorialsTask")
    trainer.fit(task, data)
    assert task.network.told == [step / 24 for step in range(24)]


@pytest.mark.slow
def test_a_resumed_training_has_the_bits_of_a_whole_one_and_goes_on_from_its_share(build):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    whole_data, whole, trainer = build(*WORDS, "task.clip_norm=1.0", folder="whole")
    trainer.fit(whole, whole_data)
    data, task, trainer = build(*WORDS, "task.clip_norm=1.0", folder="parts")
    task.on_train_epoch_start = lambda: stop() if trainer.current_epoch == 2 else begin()
    begin = SupervisedTask.on_train_epoch_start.__get__(task)
    with pytest.raises(Stop):
        trainer.fit(task, data)
    data, task, trainer = build(*WORDS, "task.clip_norm=1.0", folder="parts")
    trainer.fit(task, data, ckpt_path=newest(trainer.default_root_dir), weights_only=True)
    assert task.network.told == whole.network.told[16:]
    assert all(map(torch.equal, task.state_dict().values(), whole.state_dict().values()))


def test_the_range_test_keeps_the_factors(build):
    data, task, trainer = build(*WORDS)
    seen = []

    def clip(optimizer):
        seen.append(values(optimizer, "lr"))

    task.clip = clip
    find_rates(data, task, trainer)
    assert seen[0] == pytest.approx([1e-6, 1e-7, 3e-6])
    assert seen[-1] == pytest.approx([seen[-1][0] * factor for factor in (1, 0.1, 3)])


def test_the_plan_says_where_a_scheduler_takes_no_factors(compose, build):
    one_cycle = ["scheduler._target_=torch.optim.lr_scheduler.OneCycleLR", "+scheduler.max_lr=0.01"]
    one_cycle += ["~scheduler.warmup_fraction", "~scheduler.final_fraction"]
    for words, told in ((one_cycle, "the network's factors are not used"), ([], "")):
        _, task, _ = build(*WORDS, *words)
        assert try_rates(compose(*WORDS, *words), task).endswith(told)
    assert try_rates(compose(*WORDS), task) == ""
