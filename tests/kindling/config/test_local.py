"""conf/local/default.yaml: the choices of one machine, which git does not keep."""

import shutil
import subprocess

import pytest

from kindling.config.compose import compose_config
from kindling.template.own_project import LEFT_BEHIND
from tests.conftest import ROOT

GLOBAL = "# @package _global_\n"


def composed(conf, *words):
    cfg = compose_config(conf, ["name=test", *words])
    return cfg.seed, cfg.threads, cfg.model._target_.rpartition(".")[2]


def test_what_is_typed_beats_an_experiment_and_that_beats_the_machine(own_conf):
    conf = own_conf(
        local__default=f"{GLOBAL}defaults: [override /model: mlp]\nseed: 1\nthreads: 2\n",
        experiment__mine=f"{GLOBAL}defaults: [override /model: tabm]\nseed: 3\n",
    )
    assert composed(conf) == (1, 2, "MLP")
    assert composed(conf, "experiment=mine") == (3, 2, "TabM")
    assert composed(conf, "experiment=mine", "seed=4", "model=cnn") == (4, 2, "CNN")


@pytest.mark.slow
def test_a_mistake_of_the_machine_is_named_with_its_place(own_conf, problems):
    conf = own_conf(local__default=f"{GLOBAL}devic: cpu\n")
    (found,) = problems(conf=conf)
    assert "devic | conf/local/default.yaml, line 2 | did you mean device?" in found


@pytest.mark.slow
@pytest.mark.parametrize(("group", "name"), [("local", "default"), ("experiment", "mine")])
def test_keys_that_nothing_would_read_are_refused(own_conf, problems, group, name):
    conf = own_conf(**{f"{group}__{name}": "seed: 1\n"})
    (found,) = problems(*([f"{group}={name}"] if name == "mine" else []), conf=conf)
    assert f"conf/{group}/{name}.yaml must begin with # @package _global_" in found


def test_it_stays_on_the_machine(tmp_path):
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for file, is_ignored in (("conf/local/default.yaml", True), ("conf/data/local.yaml", False)):
        done = subprocess.run(["git", "check-ignore", "--quiet", file], cwd=tmp_path, check=False)
        assert (done.returncode == 0) is is_ignored
    assert LEFT_BEHIND("conf", ["local", "data", "train.yaml"]) == {"local"}
