"""The training step against Lightning's automatic one and a hand-written loop; spies; learning."""

import math

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from kindling.errors import ConfigError
from kindling.rng import derive_seed
from kindling.run.build import build_data
from project.training.losses import default_loss
from project.training.schedulers import warmup_cosine
from project.training.task import SupervisedTask
from tests.conftest import newest

MODELS = {
    "mlp": ["data=penguins", "model=mlp", "model.width=16"],
    "cnn": [
        *("data=digits", "data.augment=none", "data.batch_size=64", "data.val_fraction=0.7"),
        *("model=cnn", "model.width=4", "model.depth=2"),
    ],
}
OPTIONS = {
    "plain": ["task.clip_norm=null"],
    "all": ["task.clip_norm=0.3", "task.accumulate=3"],
    "constant": ["scheduler=constant", "data.drop_last=true"],
}
PENGUINS = ["data=penguins", "model=auto"]  # whatever the defaults of conf/ are
COMBINATIONS = [
    ("mlp", "all"),
    pytest.param("cnn", "all", marks=pytest.mark.slow),
    *(
        pytest.param(model, options, marks=pytest.mark.slow)
        for model in ("mlp", "cnn")
        for options in ("plain", "constant")
    ),
]
# Lightning divides the last group of an epoch by its full size: here all groups are full.
FULL_GROUPS = {
    "mlp": ["task.accumulate=4"],  # of 8 batches
    "cnn": ["task.accumulate=3", "data.val_fraction=0.65"],  # of 6
}


class AutomaticTask(SupervisedTask):
    """The same task, with Lightning in charge of the optimizer."""

    def training_step(self, batch, batch_idx):
        torch.manual_seed(derive_seed(self.seed, "step", self.current_epoch, batch_idx))
        outputs = self.network(batch.x)
        loss = self.loss(outputs, batch.y)
        self.train_metrics.add([loss.detach()], [outputs.detach()], [batch.y])
        return loss


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.state_dict().values()])


def train(build, overrides, folder):
    data, task, trainer = build(*overrides, folder=folder)
    trainer.fit(task, data)
    return task, trainer


@pytest.mark.parametrize(("model", "options"), COMBINATIONS)
def test_manual_optimization_is_bitwise_lightnings_automatic_one(build, model, options):
    overrides = [*MODELS[model], *OPTIONS[options]]
    overrides += FULL_GROUPS[model] if options == "all" else []
    manual, _ = train(build, overrides, "manual")

    data, task, trainer = build(*overrides, folder="automatic")
    automatic = AutomaticTask(
        task.network,
        task.spec,
        optimizer=task.make_optimizer,
        loss=default_loss,
        scheduler=task.scheduler,
        clip_norm=task.clip_norm,
        accumulate=task.accumulate,
        class_weight=None,
        calibrate=None,
        steps_per_call=1,
        batch_size=task.batch_size,
        num_batches=task.num_batches,
        monitor="val/loss",
        seed=task.seed,
    )
    data.batches_per_chunk = 1
    trainer.fit(automatic, data)
    assert trainer.global_step > 5
    assert torch.equal(weights(manual.network), weights(automatic.network))


@pytest.mark.parametrize(("model", "options"), COMBINATIONS)
def test_manual_optimization_is_bitwise_a_hand_written_loop(build, model, options):
    overrides = [*MODELS[model], *OPTIONS[options]]
    task, trainer = train(build, overrides, "framework")

    data, by_hand, _ = build(*overrides, folder="hand")
    network, loss_of = by_hand.network, by_hand.loss
    optimizer = by_hand.make_optimizer(network.parameters())
    data.batches_per_chunk = 1
    loader = data.train_dataloader()
    per_epoch = math.ceil(len(loader) / by_hand.accumulate)
    scheduler = by_hand.schedule(optimizer, 3 * per_epoch)
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        network.train()
        for number, batch in enumerate(loader):
            torch.manual_seed(derive_seed(0, "step", epoch, number))
            x = data.on_after_batch_transfer(batch, 0).x
            first = number - number % by_hand.accumulate
            group = min(by_hand.accumulate, len(loader) - first)
            (loss_of(network(x), batch.y) / group).backward()
            if (number + 1) % by_hand.accumulate == 0 or number + 1 == len(loader):
                if by_hand.clip_norm is not None:
                    nn.utils.clip_grad_norm_(network.parameters(), by_hand.clip_norm)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    assert trainer.global_step == 3 * per_epoch
    assert torch.equal(weights(task.network), weights(network))


class Spy(nn.Module):
    """A network that writes down what it sees."""

    def __init__(self, network):
        super().__init__()
        self.network, self.seen, self.trainer = network, [], None

    def forward(self, x):
        stage = str(self.trainer.state.stage.value)
        modes = {m.training for m in self.network.modules()}
        self.seen.append((stage, modes == {True}, torch.is_grad_enabled(), x.dtype, x.device.type))
        assert len(modes) == 1
        assert not torch.is_inference_mode_enabled()
        if stage == "train":
            assert all(p.grad is None or not p.grad.any() for p in self.parameters())
        return self.network(x)


@pytest.mark.parametrize("data", ["penguins", pytest.param("digits", marks=pytest.mark.slow)])
def test_each_stage_has_its_mode_and_clean_gradients(build, data):
    module, task, trainer = build(f"data={data}", "trainer.max_epochs=2", "~callbacks.preflight")
    task.network = Spy(task.network)
    task.network.trainer = trainer
    trainer.fit(task, module)
    trainer.test(task, module, verbose=False)
    assert set(task.network.seen) == {
        ("train", True, True, torch.float32, "cpu"),
        ("validate", False, False, torch.float32, "cpu"),
        ("test", False, False, torch.float32, "cpu"),
    }


class Losses(Callback):
    def __init__(self):
        self.values = []

    def on_train_epoch_end(self, trainer, pl_module):
        self.values.append(trainer.callback_metrics["train/loss"].item())


@pytest.mark.parametrize(
    "precision", ["32-true", pytest.param("bf16-mixed", marks=pytest.mark.slow)]
)
def test_sixteen_rows_are_learnt_by_heart(build, precision):
    data, task, trainer = build(
        *PENGUINS,
        "trainer.max_epochs=60",
        "model.dropout=0",
        "optimizer.lr=0.01",
        "~callbacks.early_stopping",
        f"trainer.precision={precision}",
    )
    data.split["train"] = data.split["train"][::15]
    losses = Losses()
    trainer.callbacks.append(losses)
    trainer.fit(task, data)
    assert len(data.split["train"]) == 16
    assert losses.values[-1] < 0.01 < losses.values[0]


def test_a_loss_that_is_no_number_stops_with_what_to_type(build):
    data, task, trainer = build(
        *PENGUINS, "optimizer=sgd", "~callbacks.preflight", "~callbacks.finite_loss"
    )
    nn.init.constant_(task.network.head.weight, float("inf"))
    with pytest.raises(ConfigError, match=r"val/loss must stay finite.*optimizer.lr"):
        trainer.fit(task, data)


def test_the_learning_rate_follows_the_schedule(build):
    data, task, trainer = build(*PENGUINS, "task.accumulate=2")
    rates = []

    class Rates(Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            rates.append(optimizer.param_groups[0]["lr"])

    trainer.callbacks.append(Rates())
    trainer.fit(task, data)
    # 3 epochs of 8 batches, two for each step
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.002)
    options = {"num_steps": 12, "warmup_fraction": 0.05, "final_fraction": 0.01}
    scheduler = warmup_cosine(optimizer, **options)
    for rate in rates:
        assert rate == optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


class Reader(Callback):
    """Notes what the hooks of any callback read of the epoch that has just ended."""

    def __init__(self):
        self.train, self.val = [], []

    def on_train_epoch_end(self, trainer, pl_module):
        self.train.append(dict(trainer.callback_metrics))

    def on_validation_epoch_end(self, trainer, pl_module):
        self.val.append(dict(trainer.callback_metrics))


def test_callbacks_read_the_numbers_of_the_epoch_that_has_just_ended(build):
    data, task, trainer = build(*PENGUINS)
    reader, published = Reader(), []
    trainer.callbacks.insert(0, reader)
    publish = task.publish
    task.publish = lambda numbers: (published.append(numbers), publish(numbers))
    trainer.fit(task, data)
    by_split = {s: [n for n in published if f"{s}/loss" in n] for s in ("train", "val")}
    assert len(by_split["train"]) == len(by_split["val"]) == 3
    for split, read in (("train", reader.train), ("val", reader.val)):
        for numbers, seen in zip(by_split[split], read, strict=True):
            assert {name: seen[name].item() for name in numbers} == pytest.approx(numbers)


def test_a_run_resumed_with_more_epochs_never_raises_its_rate_again(build):
    data, task, trainer = build(*PENGUINS, "trainer.max_epochs=3", folder="run")
    trainer.fit(task, data)
    data, task, trainer = build(*PENGUINS, "trainer.max_epochs=6", folder="run")
    rates = []

    class Rates(Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            rates.append(optimizer.param_groups[0]["lr"])

    trainer.callbacks.append(Rates())
    trainer.fit(task, data, ckpt_path=newest(trainer.default_root_dir), weights_only=True)
    assert len(rates) == 3 * 8
    assert max(rates) == rates[0]


class TutorialTask(SupervisedTask):
    """Overrides the step as Lightning's tutorials do."""

    def training_step(self, batch, batch_idx):
        self.sizes = [*getattr(self, "sizes", []), len(batch.x)]
        loss = nn.functional.cross_entropy(self.network(batch.x), batch.y)
        self.log("train/loss", loss)
        return loss


def test_a_training_step_of_ones_own_gets_single_batches_and_learns(build):
    target = f"task._target_={__name__}.TutorialTask"
    data, task, trainer = build(*PENGUINS, target, "task.clip_norm=0.5", "task.accumulate=2")
    before = weights(task.network).clone()
    trainer.fit(task, data)
    assert set(task.sizes) <= {32, 16}  # 240 train rows, the last batch is not full
    assert len(task.sizes) == 3 * 8
    assert trainer.global_step == 3 * 4
    assert not torch.equal(before, weights(task.network))


def test_a_plateau_lowers_the_rate_after_validations_without_a_better_one(build):
    data, task, trainer = build(*PENGUINS, "trainer.max_epochs=4", "optimizer.lr=0.0")
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau
    task.make_optimizer = lambda parameters: torch.optim.SGD(parameters, lr=1e-9)
    task.scheduler = lambda optimizer: plateau(optimizer, factor=0.1, patience=0, eps=0.0)
    trainer.fit(task, data)
    assert trainer.optimizers[0].param_groups[0]["lr"] < 1e-9


def test_build_data_is_enough_to_look_at_a_batch(compose):
    data = build_data(compose("data=digits"))
    assert next(iter(data.train_dataloader())).x.shape == (32, 1, 8, 8)
