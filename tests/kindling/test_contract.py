"""What the toolkit does for modules of any kind, and for those that declare more."""

import json

import pytest
import torch
from lightning import LightningDataModule, LightningModule
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from kindling.contract import (
    CALLBACK_HOOKS,
    DATA_HOOKS,
    TASK_HOOKS,
    DescribedTask,
    TriesRates,
    takes_chunks,
)
from kindling.errors import ConfigError
from kindling.run.plan import plan_lines
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask


class Rows(LightningDataModule):
    """Sixty rows of two columns, the label their sign."""

    def setup(self, stage):
        x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
        self.rows = TensorDataset(x, (x[:, 0] > 0).long())

    def train_dataloader(self):
        return DataLoader(self.rows, batch_size=10, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.rows, batch_size=60)

    def test_dataloader(self):
        return DataLoader(self.rows, batch_size=60)


class Tutorial(LightningModule):
    """As a tutorial has it: automatic optimization, `self.log`."""

    def __init__(self, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.layer, self.sizes = nn.Linear(2, 2), []

    def loss_of(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self.layer(x), y)

    def training_step(self, batch, batch_idx):
        self.sizes.append(len(batch[0]))
        loss = self.loss_of(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss_of(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self.loss_of(batch))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


TUTORIAL = {
    "data": {"_target_": f"{__name__}.Rows"},
    "task": {"_target_": f"{__name__}.Tutorial", "lr": 0.05},
}


@pytest.fixture
def tutorial(compose):
    """Compose a run whose data and task sections name a tutorial's two classes."""

    def make(*overrides, folder="run"):
        cfg = compose("monitor=val_loss", *overrides, folder=folder)
        for name, section in TUTORIAL.items():
            cfg[name] = section
        return cfg

    return make


def test_a_tutorials_modules_train_are_tested_and_resume(tutorial, tmp_path):
    from train import train

    best = train.__wrapped__(tutorial())
    run = tmp_path / "run"
    found = json.loads((run / "metrics.json").read_text())
    assert found["test"]["test_loss"] == pytest.approx(best, rel=1e-4)
    names = {path.name for path in run.iterdir()}
    assert {"config.yaml", "environment.json", "checkpoints", "tensorboard"} <= names
    assert not {"bundle", "report.html", "predictions.csv"} & names
    resumed = tutorial("trainer.max_epochs=5", f"resume={run}")
    assert train.__wrapped__(resumed) < best
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 5


def test_the_plan_names_what_a_tutorials_modules_go_without(tutorial):
    from kindling.run.build import build_data, build_task, build_trainer

    cfg = tutorial("report=true", "baselines=true")
    data = build_data(cfg)
    task = build_task(cfg, data)
    lines = plan_lines(cfg, data, task, build_trainer(cfg, data, task))
    for word in ("predictions.csv", "checks", "baselines", "report", "bundle", "DescribedData"):
        assert word in lines["without"]
    assert "own model and optimizer" in lines["model"]


@pytest.mark.parametrize(
    ("override", "message"),
    [("compile=default", "needs a task with a network"), ("lr_find=true", "lr_find=true needs")],
)
def test_what_needs_more_says_so(tutorial, override, message):
    from kindling.run.command import find_lr
    from train import train

    cfg = tutorial(override)
    with pytest.raises(ConfigError, match=message):
        (find_lr if cfg.lr_find else train.__wrapped__)(cfg)


def test_a_network_of_conf_needs_data_that_are_described(compose):
    from kindling.run.build import build_data, build_task

    cfg = compose()
    cfg.data = TUTORIAL["data"]
    with pytest.raises(ConfigError, match="data is a Rows; let conf/task name a complete"):
        build_task(cfg, build_data(cfg))


class OwnStep(SupervisedTask):
    def training_step(self, batch, batch_idx):
        """As in a tutorial."""


class OwnHook(SupervisedTask):
    def on_train_batch_end(self, outputs, batch, batch_idx):
        """Sees batches."""


class OwnChunks(OwnStep):
    supports_chunks = True


class OwnLoader(DataModule):
    def train_dataloader(self):
        """One batch at a time."""


class OwnAugmentation(DataModule):
    def on_after_batch_transfer(self, batch, dataloader_idx):
        """Sees batches."""


class Quick(Callback):
    supports_chunks = True

    def on_train_batch_end(self, *args):
        """Any part of an epoch will do."""


class Slow(Quick):
    def on_train_batch_end(self, *args):
        """Counts batches."""


@pytest.mark.parametrize(
    ("kind", "hooks", "expected"),
    [
        (SupervisedTask, TASK_HOOKS, True),
        (OwnStep, TASK_HOOKS, False),
        (OwnHook, TASK_HOOKS, False),
        (OwnChunks, TASK_HOOKS, True),
        (DataModule, DATA_HOOKS, True),
        (OwnLoader, DATA_HOOKS, False),
        (OwnAugmentation, DATA_HOOKS, False),
        (Quick, CALLBACK_HOOKS, True),
        (Slow, CALLBACK_HOOKS, False),
    ],
)
def test_chunks_go_to_those_only_who_declare_them_for_their_own_hooks(kind, hooks, expected):
    assert takes_chunks(kind.__new__(kind), hooks) is expected


def test_a_task_is_known_by_its_layers_in_every_version_of_python(build):
    """They lie in no __dict__, where Python 3.12 and later look."""
    _, task, _ = build("model=mlp")
    assert "network" not in vars(task)
    assert isinstance(task, DescribedTask)
    assert isinstance(task, TriesRates)
    assert not isinstance(task.network, DescribedTask)
