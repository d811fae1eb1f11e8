"""What is misspelt inside a file of conf/ is answered as what is typed: at once, on one screen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kindling
from kindling.config.targets import package_problem, target_problem
from kindling.errors import ConfigError

ROOT = Path(__file__).parents[3]
PARTIAL = "_target_: {}\n_partial_: true\n"
MODEL = PARTIAL.format("project.models.mlp.MLP")
ONE_CYCLE = PARTIAL.format("torch.optim.lr_scheduler.OneCycleLR")
LOSS = "_target_: project.training.losses.default_loss\n  _partial_: true\n  label_smoothin: 0.1\n"
TASK = f"defaults: [supervised, _self_]\nloss:\n  {LOSS}"
DEFAULT = "defaults: [default, _self_]\n"
STOPPING = f"{DEFAULT}early_stopping:\n  patiens: 3\n"
BETTER = "# @package _global_\n"

CASES = {
    "model": (
        {"model__mine": f"{MODEL}widht: 64\ndepth: 2\n"},
        ["model=mine"],
        "there is no key model.widht",
        "conf/model/mine.yaml, line 3",
        "did you mean model.width?",
    ),
    "loss": (
        {"task__mine": TASK},
        ["task=mine"],
        "there is no key task.loss.label_smoothin",
        "conf/task/mine.yaml, line 5",
        "did you mean task.loss.label_smoothing?",
    ),
    "scheduler": (
        {"scheduler__one": f"{ONE_CYCLE}max_lr: 0.01\npct_strat: 0.3\n"},
        ["scheduler=one"],
        "there is no key scheduler.pct_strat",
        "conf/scheduler/one.yaml, line 4",
        "did you mean scheduler.pct_start?",
    ),
    "optimizer": (
        {"optimizer__rms": f"{PARTIAL.format('torch.optim.RMSprop')}lr: 0.01\nmomentm: 0.9\n"},
        ["optimizer=rms"],
        "there is no key optimizer.momentm",
        "conf/optimizer/rms.yaml, line 4",
        "did you mean optimizer.momentum?",
    ),
    "source": (
        {"data__mine": "defaults: [penguins, _self_]\nignor: [year]\n"},
        ["data=mine"],
        "there is no key data.ignor",
        "conf/data/mine.yaml, line 2",
        "did you mean data.ignore?",
    ),
    "inherited": (
        {
            "data__mine": "defaults: [penguins, _self_]\nignor: [year]\n",
            "data__child": "defaults: [mine, _self_]\nbatch_size: 8\n",
        },
        ["data=child"],
        "there is no key data.ignor",
        "conf/data/mine.yaml, line 2",
        "did you mean data.ignore?",
    ),
    "callback": (
        {"callbacks__mine": STOPPING},
        ["callbacks=mine"],
        "there is no key callbacks.early_stopping.patiens",
        "conf/callbacks/mine.yaml, line 3",
        "did you mean callbacks.early_stopping.patience?",
    ),
    "several": (
        {"logger__mine": "_target_: lightning.pytorch.loggers.CSVLogger\nsave_dir: here\n"},
        ["logger=[tensorboard,mine]"],
        "conf/logger/mine.yaml must say where its keys go, to be one of several",
        "no such line",
        "write # @package logger.mine as its first line",
    ),
    "trainer": (
        {"experiment__mine": f"{BETTER}trainer:\n  max_epoch: 3\n"},
        ["experiment=mine"],
        "there is no key trainer.max_epoch",
        "conf/experiment/mine.yaml, line 3",
        "did you mean trainer.max_epochs?",
    ),
    "group": (
        {"experiment__mine": f"{BETTER}defaults:\n  - override /model: mlp\nseeds: 3\n"},
        ["experiment=mine"],
        "there is no key seeds",
        "conf/experiment/mine.yaml, line 4",
        "did you mean seed?",
    ),
    "root": (
        {"experiment__mine": f"{BETTER}sede: 3\nname: ours\n"},
        ["experiment=mine"],
        "there is no key sede",
        "conf/experiment/mine.yaml, line 2",
        "did you mean seed?",
    ),
    "monitor": (
        {"experiment__mine": f"{BETTER}moniter: val/accuracy\n"},
        ["experiment=mine"],
        "there is no key moniter",
        "conf/experiment/mine.yaml, line 2",
        "did you mean monitor?",
    ),
    "member": (
        {"experiment__mine": f"{BETTER}callbacks:\n  early_stoping:\n    patience: 3\n"},
        ["experiment=mine"],
        "callbacks.early_stoping must have a _target_",
        "conf/experiment/mine.yaml, line 3",
        "did you mean callbacks.early_stopping?",
    ),
    "hydras": (
        {"model__mine": "_target_: project.models.mlp.MLP\n_partial: true\n"},
        ["model=mine"],
        "there is no key model._partial",
        "conf/model/mine.yaml, line 2",
        "did you mean model._partial_?",
    ),
    "no partial": (
        {"model__mine": "_target_: project.models.mlp.MLP\n"},
        ["model=mine"],
        "model must have _partial_: true",
        "conf/model/mine.yaml, line 1",
        "add the line there",
    ),
    "no target": (
        {"model__mine": "_traget_: project.models.mlp.MLP\n_partial_: true\n"},
        ["model=mine"],
        "model must have a _target_",
        "_traget_ in conf/model/mine.yaml, line 1",
        "write _target_:",
    ),
    "class": (
        {"model__mine": PARTIAL.format("project.models.mlp.MPL")},
        ["model=mine"],
        "model._target_ must name a class",
        "project.models.mlp.MPL in conf/model/mine.yaml, line 1",
        "did you mean project.models.mlp.MLP?",
    ),
    "module": (
        {"model__mine": PARTIAL.format("project.models.mpl.MLP")},
        ["model=mine"],
        "model._target_ must name a class",
        "conf/model/mine.yaml, line 1",
        "did you mean project.models.mlp.MLP?",
    ),
    "package": (
        {"model__mine": PARTIAL.format("projct.models.mlp.MLP")},
        ["model=mine"],
        "model._target_ must name a class",
        "conf/model/mine.yaml, line 1",
        "did you mean project.models.mlp.MLP?",
    ),
    "method": (
        {
            "data__mine": "defaults: [penguins, _self_]\n"
            "_target_: project.data.datamodule.DataModule.from_confg\n"
        },
        ["data=mine"],
        "data._target_ must name a class",
        "conf/data/mine.yaml, line 2",
        "did you mean project.data.datamodule.DataModule.from_config?",
    ),
    "toolkit": (
        {
            "callbacks__mine": f"{DEFAULT}clock:\n  _target_: kindling.timer.Timer\n",
        },
        ["callbacks=mine"],
        "callbacks.clock._target_ must name a class",
        "conf/callbacks/mine.yaml, line 3",
        "did you mean kindling.callbacks.timer.Timer?",
    ),
    "optimizer's class": (
        {"optimizer__mine": f"{PARTIAL.format('torch.optim.RMSProp')}lr: 0.1\n"},
        ["optimizer=mine"],
        "optimizer._target_ must name a class",
        "torch.optim.RMSProp in conf/optimizer/mine.yaml, line 1",
        "did you mean torch.optim.RMSprop?",
    ),
    "scheduler's class": (
        {"scheduler__mine": PARTIAL.format("torch.optim.lr_scheduler.OneCycle")},
        ["scheduler=mine"],
        "scheduler._target_ must name a class",
        "conf/scheduler/mine.yaml, line 1",
        "did you mean torch.optim.lr_scheduler.OneCycleLR?",
    ),
    "lightning's class": (
        {
            "callbacks__mine": f"{DEFAULT}mine:\n"
            "  _target_: lightning.pytorch.callbacks.DeviceStatMonitor\n"
        },
        ["callbacks=mine"],
        "callbacks.mine._target_ must name a class",
        "conf/callbacks/mine.yaml, line 3",
        "did you mean lightning.pytorch.callbacks.DeviceStatsMonitor?",
    ),
    "source's class": (
        {"data__mine": "defaults: [digits, _self_]\nsource: kindling.images.digits.DigitSource\n"},
        ["data=mine"],
        "data.source must name a class",
        "kindling.images.digits.DigitSource in conf/data/mine.yaml, line 2",
        "did you mean kindling.images.digits.DigitsSource?",
    ),
    "source's package": (
        {"data__mine": "defaults: [digits, _self_]\nsource: projct.data.npy.Mine\n"},
        ["data=mine"],
        "data.source must name a class",
        "projct.data.npy.Mine in conf/data/mine.yaml, line 2",
        "did you mean project.data.npy.Mine?",
    ),
    "syntax": (
        {"model__mine": f"{MODEL}width: [64\ndepth: 2\n"},
        ["model=mine"],
        "a file of conf/ must be YAML",
        "conf/model/mine.yaml, line 4",
        "correct that line",
    ),
    "twice": (
        {"model__mine": f"{MODEL}width: 64\nwidth: 32\n"},
        ["model=mine"],
        "a file of conf/ must be YAML",
        "conf/model/mine.yaml, line 4",
        "correct that line",
    ),
}

FEW = {"model"}


@pytest.mark.parametrize(
    "case",
    [
        c if c in FEW else pytest.param(c, marks=(pytest.mark.slow, pytest.mark.nightly)[k % 2])
        for k, c in enumerate(CASES)
    ],
)
def test_a_misspelt_name_in_a_file_is_named_with_its_place(problems, own_conf, case):
    files, words, rule, got, fix = CASES[case]
    found = problems(*words, conf=own_conf(**files))
    # A section without its class, or without _partial_, has nothing else to be compared with.
    assert any(rule in each and got in each and fix in each for each in found), found
    assert len(found) == (2 if case == "hydras" else 1)


@pytest.mark.slow
def test_everything_in_the_files_and_on_the_line_is_listed_at_once(problems, own_conf):
    conf = own_conf(
        model__mine=f"{MODEL}widht: 64\ndept: 2\ndropout: 7\n",
        experiment__mine=f"{BETTER}sede: 3\n",
    )
    found = problems("model=mine", "experiment=mine", "optimizer.lr=-1", conf=conf)
    assert len(found) == 5


@pytest.mark.slow
def test_a_key_that_another_key_takes_its_value_from_is_meant(problems, own_conf):
    conf = own_conf(experiment__mine=f"{BETTER}size: 64\nmodel:\n  width: ${{size}}\n")
    assert problems("experiment=mine", "model=mlp", conf=conf) == []


@pytest.mark.slow
def test_what_takes_any_key_or_cannot_be_read_is_left_to_the_class(problems, own_conf, own_module):
    text = "class Open:\n    def __init__(self, **keys): ...\n"
    own_module("taking", f"{text}exec('class Made: ...')\n")
    for name in ("Open", "Made"):
        conf = own_conf(model__mine=PARTIAL.format(f"taking.{name}") + "anything: 1\n")
        assert problems("model=mine", conf=conf) == []


@pytest.mark.parametrize(
    "name",
    [
        "torch.optim.Adam",
        "torch.nn.functional.relu",
        "torch.optim.lr_scheduler.LRScheduler",
        "torch.nn.HuberLoss",
        "torch._C.Generator",
        "torch.float32",
        "numpy.random.default_rng",
        "sklearn.linear_model.Ridge",
        "lightning.pytorch.callbacks.LearningRateMonitor",
        "lightning.pytorch.loggers.CSVLogger",
        "lightning.Trainer",
        "torch.utils.data.DataLoader",
        "os.path.join",
        "builtins.dict",
    ],
)
def test_a_name_that_is_there_is_not_doubted(name):
    assert target_problem("model._target_", name, ROOT, str) is None


def test_a_logger_says_which_package_to_install():
    section = {"_target_": "lightning.pytorch.loggers.NeptuneLogger"}
    problem = package_problem("logger.neptune._target_", section, lambda _: "conf/a.yaml, line 2")
    assert problem.rule == "logger.neptune._target_ needs the package neptune"
    assert problem.got == "lightning.pytorch.loggers.NeptuneLogger in conf/a.yaml, line 2"
    assert problem.fix == "pip install neptune"
    own = {"_target_": "leafnet.loggers.NeptuneLogger"}  # another class of that name
    assert package_problem("logger._target_", own, str) is None


@pytest.mark.slow
def test_a_notebook_is_told_the_same(own_conf):
    files, words, *_ = CASES["model"]
    with pytest.raises(ConfigError, match=r"did you mean model\.width"):
        kindling.compose(*words, conf=own_conf(**files))


@pytest.mark.slow
def test_a_run_ends_before_torch_is_imported(own_conf, tmp_path):
    own_conf(**CASES["model"][0])
    (tmp_path / "train.py").write_text((ROOT / "train.py").read_text())
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(tmp_path / "train.py"), "model=mine"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert "torch" not in imported
    assert "Traceback" not in done.stderr
