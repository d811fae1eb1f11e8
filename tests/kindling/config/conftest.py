import shutil
from pathlib import Path

import pytest

from kindling.config.overrides import check_overrides
from kindling.errors import ConfigError
from kindling.fixes import OVERRIDES, speaking

CONF = Path(__file__).parents[3] / "conf"


@pytest.fixture
def problems():
    """List what is wrong with overrides, each as "rule | got | fix"."""

    def check(*overrides, conf=CONF, is_sweep=False):
        try:
            check_overrides(list(overrides), conf, is_sweep=is_sweep)
        except ConfigError as error:
            with speaking(OVERRIDES):
                return [f"{p.rule} | {p.got} | {p.do}" for p in error.problems]
        return []

    return check


@pytest.fixture
def own_conf(tmp_path):
    """Write YAML files beside those of conf/, as an owner does; return the folder."""

    def write(**files):
        folder = tmp_path / "conf"
        shutil.copytree(CONF, folder, dirs_exist_ok=True)
        for choice, text in files.items():
            group, _, name = choice.partition("__")
            file = folder / group / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return folder

    return write


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """Write a module that can be imported, but need not be."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))

    return write
