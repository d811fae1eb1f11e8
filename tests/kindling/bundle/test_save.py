"""A run leaves a bundle where it can, and says why where it cannot."""

import json
import sys
import types

import pytest

from kindling.bundle.bundle import read_bundle
from kindling.errors import ConfigError
from kindling.types import DataSpec
from project.models.mlp import MLP


@pytest.fixture
def module(monkeypatch):
    """Put a module of the user's own beside the package."""

    def make(name, **content):
        found = types.ModuleType(name)
        found.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, found)

    return make


class Foreign(MLP):
    """A network of the user's own, outside the `model` room."""


def test_a_run_leaves_a_bundle_with_its_best_weights(run, capsys):
    folder = run()
    assert "bundle   kindling predict latest new.csv" in capsys.readouterr().out
    assert read_bundle(folder / "bundle").batch_size == 1024


def test_a_run_without_a_bundle_leaves_none(run, capsys):
    folder = run("bundle=false")
    assert not (folder / "bundle").exists()
    assert "kindling predict" not in capsys.readouterr().out


def test_a_network_from_elsewhere_trains_and_says_why_it_has_no_bundle(run, module, capsys):
    module("mine", Foreign=Foreign)
    folder = run("model=mlp", "model._target_=mine.Foreign")
    assert not (folder / "bundle").exists()
    assert "none: Foreign of" in capsys.readouterr().out
    assert (folder / "metrics.json").exists()


def test_a_network_that_cannot_be_built_again_is_refused_before_it_is_trained(build, monkeypatch):
    class Odd(MLP):
        def __init__(self, spec: DataSpec, *, width: int, depth: int, dropout: float) -> None:
            super().__init__(spec, width=next(widths), depth=depth, dropout=dropout)

    widths = iter([5, 6, 7, 7])
    monkeypatch.setattr("project.models.mlp.Odd", Odd, raising=False)
    Odd.__module__, Odd.__qualname__ = "project.models.mlp", "Odd"
    with pytest.raises(ConfigError, match=r"Odd must be the same network .* type bundle=false"):
        build("model=mlp", "model._target_=project.models.mlp.Odd")
    assert build("model=mlp", "model._target_=project.models.mlp.Odd", "bundle=false")


def test_the_check_changes_nothing_of_the_run(run):
    scores = [
        json.loads((run(f"bundle={kept}", folder=kept) / "metrics.json").read_text())
        for kept in ("true", "false")
    ]
    for metrics in scores:
        del metrics["seconds"], metrics["timing"], metrics["rows_per_s"]
    assert scores[0] == scores[1]


def test_a_second_bundle_in_a_folder_replaces_the_first(run):
    first = (run() / "bundle" / "MANIFEST.json").read_text()
    folder = run("trainer.max_epochs=1")
    assert (folder / "bundle" / "MANIFEST.json").read_text() != first
    assert read_bundle(folder / "bundle").metrics["epochs"] == 1
    digits = run("data=digits", "model.width=4", "trainer.max_epochs=1")
    assert not (digits / "bundle" / "preprocess.skops").exists()
    assert read_bundle(digits / "bundle").preprocessor is None
