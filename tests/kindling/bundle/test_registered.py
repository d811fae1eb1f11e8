"""A renamed clone, installed under its own name: its networks and its steps count, no others."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # other processes, with projects of their own

NETS = """
import torch
from torch import nn


class Leaf(nn.Module):
    def __init__(self, spec, *, width=4):
        super().__init__()
        self.inner = nn.Linear(len(spec.numbers) + len(spec.categories), width)
        self.head = nn.Linear(width, spec.num_outputs)

    def forward(self, x):
        return self.head(torch.tanh(self.inner(x)))


def factory(spec, **sizes):
    return Leaf(spec, **sizes)
"""
STEPS = """
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OrdinalEncoder


def make_transformer(numbers, booleans, categories):
    values = [["", *names] for names in categories.values()]
    codes = OrdinalEncoder(
        categories=values, handle_unknown="use_encoded_value", unknown_value=-1
    )
    scaled = make_pipeline(SimpleImputer(), MinMaxScaler())
    return ColumnTransformer(
        [("leaves", scaled, numbers + booleans), ("categories", codes, [*categories])]
    )
"""
POINTS = """
[kindling.networks]
leafnet = leafnet.networks
stem = leafnet.stem

[kindling.preprocessing]
leafnet = leafnet.steps:make_transformer
stem = leafnet.steps:make_transformer
"""
FILES = {
    "leafnet/__init__.py": "",
    "leafnet/steps.py": STEPS,
    "leafnet/stem.py": NETS,
    "leafnet/networks/__init__.py": NETS,
    "leafnet/networks/leaf.py": NETS,
    "leafnet/networks/deep/leaf.py": NETS,
    "leafnet/networks/_private.py": NETS,
    "leafnet/networks/_hidden/leaf.py": NETS,
    "leafnet/outside.py": NETS + "open('marker', 'w').close()",
    "leafnet-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: leafnet\nVersion: 1.0\n",
    "leafnet-1.0.dist-info/entry_points.txt": POINTS,
}
ROWS = """
import sys
import numpy as np
rows = {"size": np.arange(40.0) ** 2, "wet": [True, False] * 20, "tree": ["oak", "elm"] * 20}
"""
WRITE = f"""{ROWS}
import functools, importlib, pathlib
import pyarrow as pa
from kindling.bundle.bundle import read_bundle, write_bundle
from kindling.bundle.model_config import model_config_of
from kindling.bundle.predictor import Predictor
from kindling.bundle.preprocess_file import not_kept
from kindling.registry import PREPROCESSING, load
from kindling.tables.inference import infer_schema
from kindling.tables.preprocessor import TablePreprocessor
from kindling.types import DataSpec

schema = infer_schema(pa.table(rows))
preprocessor = TablePreprocessor(load(PREPROCESSING, "leafnet"))
preprocessor.fit(schema.cast(pa.table(rows), "leaves"), schema)
spec = DataSpec("regression", "weight", **preprocessor.describe())
for name in sys.argv[1:]:
    module, _, maker = name.rpartition(".")
    network = getattr(importlib.import_module(module), maker)(spec, width=3)
    config = model_config_of(functools.partial(type(network), width=3), network, spec)
    assert not_kept(preprocessor, schema, config.project) is None
    write_bundle(
        pathlib.Path(name), model_config=config, network=network, spec=spec, schema=schema,
        preprocessor=preprocessor, batch_size=64, metrics={{}},
    )
    np.save(f"{{name}}.npy", Predictor(read_bundle(pathlib.Path(name))).predict(rows))
    print([config.project, config.module, config.name])
assert "project" not in sys.modules
"""
READ = f"""{ROWS}
from kindling import load
for name in sys.argv[1:]:
    assert np.array_equal(load(name).predict(rows), np.load(f"{{name}}.npy"))
assert "project" not in sys.modules
"""
NAME_ANOTHER = """
import json, pathlib, sys
from kindling.bundle.bundle import read_bundle
from tests.kindling.bundle.damage import set_value

bundle = pathlib.Path(sys.argv[1])
for project, module in json.loads(sys.argv[2]):
    set_value(bundle, "config.json", "network.project", project)
    set_value(bundle, "config.json", "network.module", module)
    try:
        print(read_bundle(bundle))
    except Exception as error:
        print(type(error).__name__, str(error).replace("\\n", " "))
assert not {"leafnet.outside", "leafnet.networks._private"} & set(sys.modules)
"""
NETWORKS = {
    "leafnet.networks.leaf.factory": ["leafnet", "leaf", "Leaf"],
    "leafnet.networks.deep.leaf.Leaf": ["leafnet", "deep.leaf", "Leaf"],
    "leafnet.networks.Leaf": ["leafnet", "", "Leaf"],
    "leafnet.stem.Leaf": ["stem", "", "Leaf"],
}
BUNDLE = "leafnet.networks.leaf.factory"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Write what `pip install` of a clone called leafnet leaves behind, and a few bundles."""
    folder = tmp_path_factory.mktemp("clone")
    for name, content in FILES.items():
        (folder / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / name).write_text(content)
    code, said = python(folder, WRITE, *NETWORKS)
    assert code == 0, said
    assert said.splitlines() == [str(config) for config in NETWORKS.values()]
    return folder


@pytest.fixture
def clone(installed, tmp_path):
    return shutil.copytree(installed, tmp_path / "clone")


def python(folder, code, *words, site="site"):
    """Run code in the folder; return its exit code, and what it has printed."""
    paths = [folder / site, *(Path(__file__).parents[3] / name for name in ("src", "."))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_another_process_predicts_the_same_bits_with_a_renamed_clones_networks(clone):
    assert python(clone, READ, *NETWORKS) == (0, "")


def test_where_the_clone_is_not_installed_its_bundle_is_refused_with_what_to_do(clone):
    code, said = python(clone, READ, BUNDLE, site="nowhere")
    assert code == 1
    assert "a network of 'leafnet', which no installed project registers: ['project']" in said
    assert "install the project that made it: type pip install -e ." in said


def test_steps_that_were_changed_since_are_named(clone):
    steps = clone / "site" / "leafnet" / "steps.py"
    steps.write_text(STEPS.replace("MinMaxScaler", "StandardScaler"))
    code, said = python(clone, READ, BUNDLE)
    assert code == 1
    assert "preprocess.skops must be what Kindling wrote" in said
    assert re.search(r"minmaxscaler.* where .*standardscaler.* belongs", said)
    assert "train again if the project's preprocessing was changed since, or take" in said


OTHERS = [
    ("evil", "leaf"),
    ("leafnet.networks", "leaf"),
    ("", "leaf"),
    ("os", ""),
    ("leafnet\x1b[2J", "leaf"),
    ("leafnet", "os"),
    ("leafnet", ".."),
    ("leafnet", "..outside"),
    ("leafnet", "../outside"),
    ("leafnet", "leaf.."),
    ("leafnet", "leaf.Leaf"),
    ("leafnet", "outside"),
    ("leafnet", "__init__"),
    ("leafnet", "__main__"),
    ("leafnet", "_private"),
    ("leafnet", "_hidden.leaf"),
    ("leafnet", "deep"),
    ("leafnet", "leafnet.networks.leaf"),
    ("leafnet", "torch.nn"),
    ("stem", "leaf"),
]


def test_nothing_else_can_be_imported(clone):
    code, said = python(clone, NAME_ANOTHER, BUNDLE, json.dumps(OTHERS))
    assert code == 0, said
    assert len(said.splitlines()) == len(OTHERS)
    for line, (project, _) in zip(said.splitlines(), OTHERS, strict=True):
        known = project in ("leafnet", "stem")
        why = "is not a network that" if known else "which no installed project registers"
        assert re.match(f"DataError .*config.json must be what Kindling wrote; .*{why}", line)
    assert "\x1b" not in said
    assert not (clone / "marker").exists()
