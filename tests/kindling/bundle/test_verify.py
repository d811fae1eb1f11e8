"""A bundle that predicts otherwise than the run that was tested is not kept."""

import json
import sys
from pathlib import Path

import pytest
import torch

from kindling import load
from kindling.bundle.save import save_bundle
from kindling.errors import ConfigError
from kindling.run.build import build_data, build_task, build_trainer

POINTS = """
[kindling.networks]
oddnet = oddnet

[kindling.preprocessing]
oddnet = project.data.preprocessing:make_transformer
"""
pytestmark = pytest.mark.slow  # whole trainings

NETWORKS = '''
"""Networks that keep more than parameters and persistent buffers, and one of which is sound."""

import copy

import torch
from torch import nn

from project.models.mlp import MLP


class Plain(MLP):
    """The scale of its outputs is a plain attribute, set in training."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)
        self.scale = 1.0

    def forward(self, x):
        if self.training:
            self.scale = 5.0
        return self.scale * super().forward(x)


class PlainTensor(MLP):
    """The same as a tensor that state_dict does not know."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)
        self.register_buffer("scale", torch.ones(1), persistent=False)

    def forward(self, x):
        if self.training:
            self.scale.fill_(5.0)
        return self.scale * super().forward(x)


class Annealed(MLP):
    """What it adds to its outputs falls with the number of steps."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
        outputs = super().forward(x)
        return outputs * (1 - 1 / (1 + self.steps))


class Teacher(MLP):
    """A moving average of its head answers; it is kept where no module is found."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)
        self.hidden = [copy.deepcopy(self.head)]

    def forward(self, x):
        (teacher,) = self.hidden
        if self.training:
            with torch.no_grad():
                for old, new in zip(teacher.parameters(), self.head.parameters(), strict=True):
                    old.lerp_(new, 0.5)
            return super().forward(x)
        return teacher(self.body(x))


class Batch(MLP):
    """Subtracts the mean of the batch: a row's prediction depends on the others."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)

    def forward(self, x):
        outputs = super().forward(x)
        return outputs - outputs.mean(0) if len(x) > 1 else outputs + 3


class Sound(PlainTensor):
    """The same as a persistent buffer."""

    def __init__(self, spec, *, width: int = 8):
        super().__init__(spec, width=width)
        self.register_buffer("scale", torch.ones(1))
'''


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """Install a project that registers these networks."""
    info = tmp_path / "oddnet-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: oddnet\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "oddnet.py").write_text(NETWORKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("oddnet", None)


def words(name, target):
    # The pre-flight check refuses Batch before the training.
    network = ("model=mlp", f"model._target_=oddnet.{name}", "~model.depth", "~model.dropout")
    return *network, "~callbacks.preflight", "trainer.max_epochs=3", f"data.target={target}"


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("target", ["species", "body_mass_g"])
@pytest.mark.parametrize("name", ["Plain", "PlainTensor", "Annealed", "Teacher", "Batch"])
def test_what_the_weights_do_not_hold_is_noticed(run, capsys, name, target):
    folder = run(*words(name, target))
    assert not (folder / "bundle").exists()
    reason = json.loads((folder / "no_bundle.json").read_text())
    how = "one by one" if name == "Batch" else "together"
    assert f"test rows that are predicted {how}" in reason["got"]
    assert ("persistent=True" in reason["fix"]) == (name != "Batch")
    assert "bundle   none: others for" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="others for"):
        load(folder)


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize("target", ["species", "body_mass_g"])
def test_what_the_weights_hold_is_kept(run, target):
    assert load(run(*words("Sound", target))).network.scale.item() == 5.0


@pytest.mark.parametrize("data", ["data=penguins", "data=digits", "data=credit data.memory=disk"])
def test_weights_that_are_not_the_tested_ones_are_noticed(compose, run, data):
    typed = [*data.split(), "trainer.max_epochs=1", "model.width=8"]
    assert (run(*typed) / "bundle").is_dir()
    cfg = compose(*typed)
    data_module, task, trainer = _built(cfg)
    trainer.test(task, data_module, verbose=False)
    with torch.no_grad():
        task.network.head.bias[..., 0] += 3.0
    assert "others for" in save_bundle(cfg, data_module, task, trainer, {})
    assert not (Path(cfg.run_dir) / "bundle").exists()


def _built(cfg):
    data = build_data(cfg)
    task = build_task(cfg, data)
    return data, task, build_trainer(cfg, data, task)
