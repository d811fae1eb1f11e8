"""Every file in conf/ composes, and what it names can be built."""

import inspect
import re
from pathlib import Path

import pytest
from hydra.utils import get_class, get_object, instantiate
from omegaconf import OmegaConf

from kindling.config.json_schema import comments
from kindling.config.signatures import section_signature
from kindling.config.targets import package_problem
from kindling.config.values import sections
from tests.kindling.thinning import thin

CONF = Path(__file__).parents[2] / "conf"
SHARED = [CONF / "data/loading.yaml", CONF / "data/csv.yaml"]  # what other files begin with
FILES = [file for file in sorted(CONF.glob("*/*.yaml")) if file not in SHARED]


def choose(file):
    """Choose a file, and give every key that it leaves to the user some value."""
    told = re.findall(r"^(\w+): \?\?\?", file.read_text(encoding="utf-8"), re.MULTILINE)
    given = [f"{file.parent.name}.{key}=given" for key in told]
    return [f"{file.parent.name}={file.stem}", *given]


@pytest.mark.parametrize("file", thin(FILES, 2), ids=lambda file: f"{file.parent.name}={file.stem}")
def test_every_choice_composes_and_instantiates(compose, file):
    cfg = compose(*choose(file))
    plain = OmegaConf.to_container(cfg.logger, resolve=False)
    missing = [package_problem(key, section, str) for key, section in sections(plain, "logger")]
    if any(missing):  # a logger of a package that no extra has, and its fix says so
        assert [problem.fix.partition(" ")[0] for problem in missing] == ["pip"]
        cfg.logger = {}
    for group in ("data", "model", "optimizer", "scheduler", "task", "trainer", "callbacks"):
        assert instantiate(cfg[group]) is not None


@pytest.mark.parametrize("file", thin(FILES, 4), ids=lambda f: f"{f.parent.name}={f.stem}")
def test_every_key_is_an_argument_of_its_target(compose, file):
    """A key that no constructor takes would fail only when a run is built."""
    plain = OmegaConf.to_container(compose(*choose(file)), resolve=False)
    found = dict(sections(plain))
    assert {"data", "model", "optimizer", "scheduler", "task", "trainer"} <= set(found)
    for section in found.values():
        named, is_open = parameters_of(section)
        extra = {key for key in section if not key.startswith("_")} - named
        assert is_open or not extra, (section["_target_"], extra)
        # What is read from the source file is what Python sees once it is imported.
        signature = section_signature(section)
        assert signature is None or signature.is_open or set(signature.rules) == named


def parameters_of(section):
    """Return the names that a section's target takes, and whether it takes any other, too."""
    target = get_object(section["_target_"])
    taking = [target]
    if "source" in section:  # DataModule.from_config hands its keywords on
        taking += [target.__self__, get_class(section["source"])]
    found = [inspect.signature(each).parameters for each in taking]
    named = {
        name
        for parameters in found
        for name, parameter in parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    is_open = any(p.kind is p.VAR_KEYWORD for p in found[-1].values())
    return named, is_open


def test_what_is_shipped_can_be_read(compose):
    """So the test above says something: of each class of ours and torch's, its source is found."""
    for section in dict(sections(OmegaConf.to_container(compose(), resolve=False))).values():
        assert section_signature(section) is not None, section["_target_"]


# What Kindling ships: sizes and names are held for these, what an owner adds is the owner's.
SHIPPED = {
    "callbacks": ["default"],
    "data": ["credit", "csv", "digits", "images", "loading", "penguins", "table"],
    "experiment": ["credit", "lr_find", "smoke"],
    "logger": ["csv", "mlflow", "tensorboard", "wandb"],
    "model": ["auto", "cct", "cnn", "ft_transformer", "mlp", "tabm"],
    "optimizer": ["adamw", "sgd"],
    "scheduler": ["constant", "cosine"],
    "sweep": ["images", "table"],
    "task": ["supervised"],
    "trainer": ["default"],
}


def test_the_configuration_is_small_enough_to_know():
    files = [CONF / group / f"{name}.yaml" for group, names in SHIPPED.items() for name in names]
    assert set(files) <= set(CONF.rglob("*.yaml"))
    assert len(files) + 1 <= 30  # and train.yaml
    assert len(SHIPPED) <= 10


def test_a_model_is_named_alike_in_conf_and_src():
    modules = {file.stem for file in (CONF.parent / "src/project/models").glob("[!_]*.py")}
    assert set(SHIPPED["model"]) <= modules


@pytest.mark.parametrize(
    ("file", "networks"),
    [("auto", ("tabm", "resnet")), ("ensemble", ("mlp", "realmlp", "resnet", "cnn"))],
)
def test_what_null_stands_for_is_said_beside_it(file, networks):
    told = comments((CONF / f"model/{file}.yaml").read_text())
    for network in networks:
        own = OmegaConf.load(CONF / f"model/{network}.yaml")
        for key in ("width", "depth", "dropout"):
            assert own[key] is None or str(own[key]) in told[key], (network, key)
