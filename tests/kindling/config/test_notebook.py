"""A notebook composes, edits and trains with the checks of the command line."""

import json
import math
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import kindling
from kindling.config.notebook import find_conf
from kindling.config.overrides import parse
from kindling.errors import ConfigError, DataError
from kindling.quoting import as_typed

pytestmark = pytest.mark.slow  # whole runs

ROOT = Path(__file__).parents[3]
QUICK = ("experiment=smoke", "baselines=false", "report=false", "bundle=false")


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Return the function of train.py, called from another directory."""
    from train import train

    monkeypatch.chdir(tmp_path)
    return train


@pytest.mark.slow
def test_the_lines_that_the_documentation_shows_run_in_any_directory(tmp_path):
    block = kindling.__doc__.partition("script:\n")[2].replace("path/of/the/clone", str(ROOT))
    after = "print(cfg.run_dir, type(model).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(block) + after],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    folder, model = done.stdout.splitlines()[-1].split()
    assert model == "Predictor"
    assert Path(folder).parent == tmp_path / "runs" / "digits_auto"
    typed = "python train.py data=digits model.width=64 trainer.max_epochs=3\n"
    assert (Path(folder) / "overrides.txt").read_text() == typed
    assert json.loads((Path(folder) / "metrics.json").read_text())["epochs"] == 3
    assert json.loads((Path(folder) / "environment.json").read_text())["git_revision"]


@pytest.mark.nightly
def test_a_run_can_be_repeated_edited_and_resumed(train):
    cfg = kindling.compose(*QUICK, "seed=3")
    first = cfg.run_dir
    assert isinstance(train(cfg), float)
    assert cfg.run_dir == first
    cfg.seed = 4
    del cfg.callbacks.early_stopping
    cfg.data.kinds = {"year": "category"}
    cfg.data.path = Path(shutil.copy(cfg.data.path, "it's mine.csv"))
    train(cfg)
    second = cfg.run_dir
    assert second != first
    words = f"{' '.join(QUICK)} seed=3"
    assert (Path(first) / "overrides.txt").read_text() == f"python train.py {words}\n"
    typed = shlex.split((Path(second) / "overrides.txt").read_text())
    edited = ['data.path="it\'s mine.csv"', "data.kinds={year: 'category'}"]
    assert typed[-4:] == [*edited, "~callbacks.early_stopping", "seed=4"]
    assert yaml.safe_load((Path(second) / "config.yaml").read_text())["seed"] == 4

    again = kindling.compose(f"resume={second}", "trainer.max_epochs=2")
    assert (again.run_dir, again.seed) == (second, 4)
    assert (again.data.path, again.data.kinds) == (str(cfg.data.path), cfg.data.kinds)
    train(again)
    assert json.loads((Path(second) / "metrics.json").read_text())["epochs"] == 2
    assert GlobalHydra.instance().hydra is None
    assert HydraConfig.instance().cfg is None


def test_everything_wrong_is_raised_at_once(train):
    with pytest.raises(ConfigError) as caught:
        kindling.compose("model.widht=3", "seed=-1", "optimizer.fused=maybe")
    assert len(caught.value.problems) == 3
    cfg = kindling.compose(*QUICK)
    cfg.seed = -1
    cfg.optimizer.fused = "maybe"
    del cfg.callbacks.checkpoint
    with pytest.raises(ConfigError) as caught:
        train(cfg)
    assert len(caught.value.problems) == 3
    assert not Path("runs").exists()


def test_what_goes_wrong_in_a_run_is_raised_and_leaves_no_folder(train):
    cfg = kindling.compose(*QUICK, "data=table", "data.path=nope.csv", "data.target=y")
    with pytest.raises(DataError, match=r"data.path must be a file"):
        train(cfg)
    cfg = kindling.compose(*QUICK, "data.target=island", "model=cnn")
    with pytest.raises(ConfigError, match="model=cnn takes images"):
        train(cfg)
    with pytest.raises(ConfigError, match=r"callbacks\.own\._target_ must name a class"):
        kindling.compose(*QUICK, "+callbacks.own._target_=nowhere.Nothing")
    cfg = kindling.compose(*QUICK, "+callbacks.own._target_=torch.nowhere.Nothing")
    with pytest.raises(ConfigError, match=r"Error locating target .torch\.nowhere\.Nothing"):
        train(cfg)
    assert not list(Path().glob("runs/*/*"))


def test_a_configuration_from_elsewhere_is_refused(train):
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("train")
    with pytest.raises(ConfigError, match=r"type kindling.compose\(...\)"):
        train(cfg)


@pytest.mark.parametrize("value", ["it's", "a\\b", "a,b=[c]", "null", "1", "", "${seed}", math.inf])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v, 1, None, True, 0.1, []]])
def test_an_edited_value_is_written_as_it_could_be_typed(value, wrap):
    edited = wrap(value)
    (override,), problems = parse([f"key={as_typed(edited)}"])
    assert not problems
    assert override.value() == edited


def test_conf_is_looked_for_beside_train_py(tmp_path, monkeypatch):
    clone, inside = tmp_path / "clone", tmp_path / "clone" / "notebooks"
    (clone / "conf").mkdir(parents=True)
    inside.mkdir()
    (clone / "train.py").touch()
    (clone / "conf" / "train.yaml").touch()
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"conf/ must lie beside train\.py"):
        find_conf(None)
    assert find_conf("clone/conf") == clone / "conf"
    with pytest.raises(ConfigError, match=r"conf must be a folder with train\.yaml"):
        find_conf(clone)
    monkeypatch.setattr(sys, "path", ["", str(clone)])
    assert find_conf(None) == clone / "conf"
    monkeypatch.setattr(sys, "path", [])
    for folder in (clone, inside):
        monkeypatch.chdir(folder)
        assert find_conf(None) == clone / "conf"
