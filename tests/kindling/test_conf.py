"""Every file in conf/ composes, and what it names can be built."""

import inspect
import re
from pathlib import Path

import pytest
from hydra.utils import get_class, get_object, instantiate
from omegaconf import OmegaConf

from kindling.config.signatures import section_signature
from kindling.config.values import sections

CONF = Path(__file__).parents[2] / "conf"
FILES = [file for file in sorted(CONF.glob("*/*.yaml")) if file.stem != "loading"]


def choose(file):
    """Choose a file, and give every key that it leaves to the user some value."""
    told = re.findall(r"^(\w+): \?\?\?", file.read_text(encoding="utf-8"), re.MULTILINE)
    given = [f"{file.parent.name}.{key}=given" for key in told]
    return [f"{file.parent.name}={file.stem}", *given]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}={file.stem}")
def test_every_choice_composes_and_instantiates(compose, file):
    cfg = compose(*choose(file))
    for group in ("data", "model", "optimizer", "scheduler", "task", "trainer", "callbacks"):
        assert instantiate(cfg[group]) is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}={file.stem}")
def test_every_key_is_an_argument_of_its_target(compose, file):
    """A key that no constructor takes would fail only when a run is built."""
    plain = OmegaConf.to_container(compose(*choose(file)), resolve=False)
    found = dict(sections(plain))
    assert {"data", "model", "optimizer", "scheduler", "task", "trainer"} <= set(found)
    for section in found.values():
        extra = {key for key in section if not key.startswith("_")} - parameters_of(section)
        assert not extra, (section["_target_"], extra)
        # What is read from the source file is what Python sees once it is imported.
        signature = section_signature(section)
        assert signature.is_open or set(signature.rules) == parameters_of(section)


def parameters_of(section):
    target = get_object(section["_target_"])
    named = set(inspect.signature(target).parameters)
    if "source" in section:  # DataModule.from_config
        further = (target.__self__, get_class(section["source"]))
        named = named.union(*(inspect.signature(each).parameters for each in further)) - {"keys"}
    return named


def test_the_configuration_is_small_enough_to_know():
    assert len(list(CONF.rglob("*.yaml"))) <= 30
    assert len([folder for folder in CONF.iterdir() if folder.is_dir()]) <= 9


def test_a_model_is_named_alike_in_conf_and_src():
    modules = {file.stem for file in (CONF.parent / "src/project/models").glob("[!_]*.py")}
    assert {file.stem for file in (CONF / "model").glob("*.yaml")} <= modules
