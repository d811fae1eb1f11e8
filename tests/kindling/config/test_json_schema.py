"""The schemas of conf/ say to an editor what a run says of the same files."""

import json
import re

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from kindling.config.json_schema import ALL, DRAFT, FILE, Conf, make_schemas, texts_of
from kindling.config.signatures import section_signature
from kindling.config.value_schema import of_rule
from kindling.config.values import ROOT, section_rules, sections
from tests.conftest import CONF
from tests.kindling.thinning import thin

SCHEMAS = make_schemas(CONF)
FILES = [file for file in sorted(CONF.rglob("*.yaml")) if file.parent.name != "launcher"]
LINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)
PROBES = [
    *(None, True, False, 0, 1, 2, -1, 0.5, 1.5, -0.5, "auto", "none", "nonsense", "", "cuda:1"),
    *([], [0.5, 0.9], [1, 2], [-1], ["body.*"], ["a=b"], {"a": 1}),
]


def errors(schemas, name, value):
    """List what a schema refuses of a value."""
    return [error.message for error in reader(schemas, schemas[name]).iter_errors(value)]


def reader(schemas, schema):
    whole = Resource.from_contents(schemas[ALL])
    return Draft7Validator(schema, registry=Registry().with_resource(f"../{FILE}", whole))


def classes():
    """Give each section of conf/ that names a class, once, with the keys that tell which it is."""
    conf, found = Conf(CONF), {}
    for group, files in conf.groups.items():
        for name in files:
            for _, section in sections(conf.whole(group, name)):
                told = {key: section[key] for key in ("_target_", "source") if key in section}
                found[str(told)] = told
    return list(found.values())


def test_the_schemas_are_those_of_today():
    """Else type python -m kindling.config.json_schema."""
    assert {file: file.read_text() for file in CONF.rglob(FILE)} == texts_of(CONF)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONF)))
def test_every_file_names_its_schema_and_fits_it(file):
    (place,) = LINE.findall(file.read_text())
    folder = (file.parent / place).resolve().parent
    assert (folder / FILE).is_file()
    name = ALL if folder == CONF else folder.name
    assert errors(SCHEMAS, name, yaml.safe_load(file.read_text())) == []


@pytest.mark.parametrize("section", thin(classes(), 3), ids=lambda section: section["_target_"])
def test_the_schema_refuses_a_value_where_a_run_does(section):
    schema = reader(SCHEMAS, {"$schema": DRAFT, "$ref": f"../{FILE}#/definitions/object"})
    signature = section_signature(section)
    for name, rule in section_rules(section).items():
        if name not in signature.rules:
            continue
        for value in PROBES if of_rule(rule) else ():
            is_refused = not schema.is_valid({**section, name: value})
            is_unknown = name in signature.inner and isinstance(value, dict)  # its key a
            assert is_refused == (is_unknown or rule(value) is not None), (name, value)
        for later in ("${seed}", "a_${seed}", "???"):
            assert schema.is_valid({**section, name: later})


def test_the_schema_refuses_a_value_of_the_root_where_a_run_does():
    for name, rule in ROOT.items():
        for value in PROBES:
            is_refused = errors(SCHEMAS, "train", {name: value}) != []
            assert is_refused == (rule(value) is not None), (name, value)


NETWORK = {"_target_": "project.models.mlp.MLP", "_partial_": True}
REFUSED = [
    ("train", {"sede": 3}),
    ("train", {"baselines": 3}),
    ("train", {"trainer": {"max_epoch": 3}}),
    ("train", {"trainer": {"gradient_clip_val": 1.0}}),
    ("train", {"model": {"widht": 3}}),
    ("train", {"data": {"batch_size": 0}}),
    ("train", {"callbacks": {"early_stoping": {"patience": 3}}}),
    ("train", {"callbacks": {"early_stopping": {"patience": "long"}}}),
    ("model", {**NETWORK, "widht": 3}),
    ("model", {**NETWORK, "_partial": True}),
    ("data", {"defaults": ["table", "_self_"], "pth": "my.csv"}),
    ("data", {"defaults": ["table", "_self_"], "size": [8, 8]}),
    ("callbacks", {"defaults": ["default", "_self_"], "early_stopping": {"patiens": 40}}),
    ("optimizer", {"_target_": "torch.optim.SGD", "lr": 0}),
]
TAKEN = [
    ("train", {"defaults": [{"override /model": "mlp"}], "seed": 3, "model": {"width": 32}}),
    ("train", {"trainer": {"limit_train_batches": 0.5, "gradient_clip_val": None}}),
    ("train", {"callbacks": {"mine": {"_target_": "leafnet.callbacks.Mine", "file": "a.csv"}}}),
    ("train", {"logger": {"tensorboard": {"save_dir": "elsewhere"}}}),
    ("train", {"model": {"_target_": "leafnet.models.net.Net", "anything": [1]}}),
    ("model", {"_target_": "leafnet.models.net.Net", "_partial_": True, "anything": [1]}),
    ("data", {"defaults": ["table", "_self_"], "path": "${root:data/mine.csv}", "target": "y"}),
    ("callbacks", {"defaults": ["default", "_self_"], "early_stopping": {"patience": 40}}),
    ("logger", {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": "here"}),
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=str)
def test_what_a_run_refuses_is_refused_in_the_editor(name, value):
    assert errors(SCHEMAS, name, value)


@pytest.mark.parametrize(("name", "value"), TAKEN, ids=str)
def test_what_a_run_takes_is_taken_in_the_editor(name, value):
    assert errors(SCHEMAS, name, value) == []


def test_a_network_of_ones_own_is_known_once_the_schemas_are_made_again(own_conf, own_module):
    own_module("leaf", "class Net:\n    def __init__(self, spec, *, leaves: int = 3): ...\n")
    text = "_target_: leaf.Net\n_partial_: true\nleaves: 3  # of a tree\n"
    schemas = make_schemas(own_conf(model__leaf=text))
    assert errors(schemas, "model", {**yaml.safe_load(text), "leafs": 3})
    assert errors(schemas, "model", yaml.safe_load(text)) == []
    assert errors(schemas, "train", {"model": {"leaves": 4}}) == []
    assert "of a tree" in json.dumps(schemas["train"])
