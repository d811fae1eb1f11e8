"""Every file in conf/ composes, and what it names can be built."""

import inspect
from pathlib import Path

import pytest
from hydra.utils import get_class, get_method, instantiate
from omegaconf import DictConfig

CONF = Path(__file__).parents[2] / "conf"
FILES = [file for file in sorted(CONF.glob("*/*.yaml")) if file.stem != "loading"]
TABLE = ["data.path=a.csv", "data.target=y"]
NEEDS = {"table": TABLE, "images": ["data.path=photos"]}


def choose(file):
    return [f"{file.parent.name}={file.stem}", *NEEDS.get(file.stem, [])]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}={file.stem}")
def test_every_choice_composes_and_instantiates(compose, file):
    cfg = compose(*choose(file))
    for group in ("data", "model", "optimizer", "scheduler", "task", "trainer", "callbacks"):
        assert instantiate(cfg[group]) is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}={file.stem}")
def test_every_key_is_an_argument_of_its_target(compose, file):
    """A key that no constructor takes would fail only when a run is built."""

    def check(node):
        if "_target_" in node:
            try:
                target = get_class(node._target_)
            except ValueError:
                target = get_method(node._target_)
            parameters = inspect.signature(target).parameters
            extra = {k for k in node if not k.startswith("_")} - set(parameters)
            assert not extra or "loading" in parameters, (node._target_, extra)
        for value in node.values():
            if isinstance(value, DictConfig):
                check(value)

    check(compose(*choose(file)))


def test_the_configuration_is_small_enough_to_know():
    assert len(list(CONF.rglob("*.yaml"))) <= 30
    assert len([folder for folder in CONF.iterdir() if folder.is_dir()]) <= 9


def test_a_model_is_named_alike_in_conf_and_src():
    modules = {file.stem for file in (CONF.parent / "src/kindling/model").glob("[!_]*.py")}
    assert {file.stem for file in (CONF / "model").glob("*.yaml")} == modules
