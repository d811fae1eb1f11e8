"""A run's test rows are read again by sources that an installed project defines, and no others."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from kindling.cli.own_test_rows import make_data
from kindling.errors import ConfigError, DataError
from kindling.runs import CONFIG_FILE

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "extend" / "data-source-and-format.md").read_text(encoding="utf-8")
SOURCE, CONF = (
    re.search(rf"# {name}\n(.*?)```", PAGE, re.DOTALL)[1]
    for name in ("src/project/data/npy.py", "conf/data/npy.yaml")
)
MARKER = "open('marker', 'w').close()\n"
# What else a config.yaml might name in the package that holds the source of that page.
FURTHER = f"""
import os
import subprocess
from pathlib import Path
from kindling.raw_data import RawData, Source


def function(path):
    {MARKER}

class NoSource:
    def __init__(self, path):
        {MARKER}

class Outer:
    class Inner(NpySource):
        pass

instance = NpySource(".")
"""
RUN = "from kindling.cli.command_line import main; main()"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with the source of the page, its data, and a run that was trained on it."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.egg-info"))
    shutil.copy(ROOT / "train.py", folder)
    (folder / "src" / "project" / "data" / "npy.py").write_text(SOURCE + FURTHER)
    (folder / "src" / "project" / "data" / "_private.py").write_text(MARKER + SOURCE)
    (folder / "src" / "elsewhere.py").write_text(MARKER + SOURCE)
    (folder / "src" / "projector.py").write_text(MARKER + SOURCE)  # begins as the package does
    labels = {f"{k:03}": "ab"[k % 2] for k in range(60)}
    for k, name in enumerate(labels):
        rng = np.random.default_rng(k)
        np.save(folder / f"{name}.npy", rng.normal(k % 2, 1, (5, 8, 9)).astype("float32"))
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "conf" / "data" / "npy.yaml").write_text(CONF)
    keys = ["data=npy", "data.path=.", "device=cpu"]
    quick = ["trainer.max_epochs=1", "report=false", "baselines=false", "run_dir=run"]
    done = run_python(folder, "train.py", *keys, *quick)
    assert done.returncode == 0, done.stderr
    return folder


def run_python(clone, *words):
    return subprocess.run(
        [sys.executable, *words],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone / "src"), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_source_of_the_project_is_read_again(clone):
    done = run_python(clone, "-c", RUN, "evaluate", "run", "--json")
    found = json.loads(done.stdout)
    assert found["same"] is True
    assert found["rows"] == len((clone / "run" / "predictions.csv").read_text().splitlines()) - 1


@pytest.mark.slow
def test_nothing_else_of_a_project_or_beside_it_is_imported_or_called(clone):
    hostile = [
        *("project.data.npy.function", "project.data.npy.NoSource", "project.data.npy.instance"),
        *("project.data.npy.Outer.Inner", "project.data.npy.os.system", "project.data.npy.RawData"),
        *("project.data.npy.Source", "project.data.npy.Path", "project.data.npy.subprocess.Popen"),
        *("project.data.npy.__class__", "project.data.npy.__builtins__", "project.data.npy."),
        *("project.data._private.NpySource", "project.data.__init__.NpySource", "project.."),
        *("elsewhere.NpySource", "projector.NpySource", "project.data.npy/../npy.NpySource"),
    ]
    code = f"""
import pathlib, sys, yaml
from kindling.cli.own_test_rows import make_data
from kindling.errors import ConfigError
file = pathlib.Path("run/config.yaml")
settings = yaml.safe_load(file.read_text())
make_data(file)
for name in {hostile!r}:
    settings["data"]["source"] = name
    pathlib.Path("changed.yaml").write_text(yaml.safe_dump(settings))
    try:
        make_data(pathlib.Path("changed.yaml"))
    except ConfigError as error:
        assert "type a FILE with labelled rows" in str(error), name
    else:
        raise AssertionError(name)
assert not {{"elsewhere", "projector", "project.data._private"}} & set(sys.modules)
"""
    done = run_python(clone, "-c", code)
    assert done.returncode == 0, done.stderr
    assert not (clone / "marker").exists()


@pytest.fixture
def config(penguins_run, tmp_path):
    """Write the config.yaml of a run with other keys of its data."""

    def write(**data):
        settings = yaml.safe_load((penguins_run / CONFIG_FILE).read_text())
        settings["data"] |= data
        (tmp_path / CONFIG_FILE).write_text(yaml.safe_dump(settings))
        return tmp_path / CONFIG_FILE

    return write


@pytest.mark.parametrize(
    "source",
    [
        *(
            "os.system",
            "subprocess.Popen",
            "builtins.eval",
            "pathlib.Path",
            "kindling.runs.find_run",
        ),
        *("kindling.raw_data.RawData", "kindling.tables.source.pa", "tests.kindling.bad_images.X"),
        *("project.data.datamodule.DataModule", "project.data.datamodule.Source", "project", ""),
        *("project.data.splits.split_rows", "project.__class__", "\x1b[2J", None, 3),
        *(["os.system"], {"_target_": "os.system"}),
    ],
)
def test_a_source_is_one_of_the_toolkit_or_of_the_registered_package(config, source):
    with pytest.raises(ConfigError, match="type a FILE with labelled rows") as caught:
        make_data(config(source=source))
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        *("os.system", "project.data.datamodule.DataModule", "project.data.datamodule"),
        *("project.data.datamodule.DataModule.setup", "project", None, ["os.system"]),
    ],
)
def test_a_data_module_is_one_that_is_registered(config, target):
    with pytest.raises(ConfigError, match="by a registered data module"):
        make_data(config(_target_=target))


def test_what_a_constructor_does_not_take_is_of_a_damaged_file(config):
    with pytest.raises(
        DataError, match=r"config\.yaml must be what Kindling wrote; got data: Type"
    ):
        make_data(config(colour="red"))


def test_values_that_look_like_code_stay_plain_values(config, tmp_path):
    data = make_data(config(kinds={"_target_": "os.mkdir", "path": str(tmp_path / "marker")}))
    assert data.source is not None
    assert not (tmp_path / "marker").exists()
