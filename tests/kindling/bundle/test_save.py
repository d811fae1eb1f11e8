"""A run leaves a bundle where it can, and says why where it cannot."""

import json
import re

import pytest
from lightning import LightningDataModule, LightningModule

from kindling import load
from kindling.bundle.bundle import read_bundle
from kindling.bundle.save import no_bundle
from kindling.errors import ConfigError, DataError
from kindling.types import DataSpec
from project.models.mlp import MLP

pytestmark = pytest.mark.slow  # whole bundles


class Foreign(MLP):
    """A network of the user's own, in a module that no project registers."""


class Tutorial(LightningModule):
    """A task that declares nothing."""


FOREIGN = ("model=mlp", f"model._target_={__name__}.Foreign", "trainer.max_epochs=1")


def test_a_run_leaves_a_bundle_with_its_best_weights(run, capsys):
    folder = run()
    assert "bundle   kindling predict latest new.csv" in capsys.readouterr().out
    assert read_bundle(folder / "bundle").batch_size == 1024


def test_a_run_without_a_bundle_leaves_none(run, capsys):
    folder = run("bundle=false")
    assert not (folder / "bundle").exists()
    assert "kindling predict" not in capsys.readouterr().out


def test_a_network_from_elsewhere_trains_and_the_plan_says_why_it_has_no_bundle(run, capsys):
    folder = run(*FOREIGN)
    plan, _, results = capsys.readouterr().out.partition("accuracy")
    got = f"Foreign of {re.escape(__name__)}, which none registers; name its package"
    said = f"without +bundle: .* registers it; got {got}"
    assert re.search(said, plan)
    assert '[project.entry-points."kindling.networks"], then type pip install -e .' in plan
    assert re.search(f"bundle +none: Foreign of {re.escape(__name__)}", results)
    assert (folder / "metrics.json").exists()
    assert not (folder / "bundle").exists()


def test_kindling_predict_says_then_what_the_plan_said(run):
    folder = run(*FOREIGN)
    said = f"no folder bundle/ in .*run: Foreign of {__name__}, which none registers; name its .*"
    with pytest.raises(ConfigError, match=f"{said}; then train again") as caught:
        load(folder)
    assert "bundle=false" not in str(caught.value)


def test_a_reason_that_somebody_else_wrote_is_printed_or_refused(run):
    folder = run(*FOREIGN)
    (folder / "no_bundle.json").write_text('{"got": "\\u001b[2Jhacked", "fix": "x"}')
    with pytest.raises(ConfigError, match=r"run: \?\[2Jhacked; x; then train again"):
        load(folder)
    for content in ("[]", '{"got": 1, "fix": "x"}', '{"got": "x"}', "{", " " * 20_000):
        (folder / "no_bundle.json").write_text(content)
        with pytest.raises(DataError, match=r"no_bundle\.json must be what Kindling wrote"):
            load(folder)


def test_a_bundle_takes_the_place_of_the_reason_and_the_reason_that_of_a_bundle(run):
    assert not (run(*FOREIGN) / "bundle").exists()
    folder = run("trainer.max_epochs=1")
    assert not (folder / "no_bundle.json").exists()
    assert load(folder)
    assert not (run(*FOREIGN) / "bundle").exists()


def test_what_declares_nothing_has_no_bundle(build):
    data, task, _ = build("data=penguins")
    assert no_bundle(data, task) is None
    problem = no_bundle(LightningDataModule(), Tutorial())
    assert problem.got == "a LightningDataModule and a Tutorial"
    assert "docs/extend.md" in problem.do


def test_preprocessing_that_is_not_registered_has_no_bundle(build):
    data, task, _ = build("data=penguins")
    data.preprocessor.make_transformer = lambda *_: None
    assert "needs the preprocessing that project registers" in no_bundle(data, task).rule


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
        for of_the_run in ("seconds", "timing", "rows_per_s", "made"):
            del metrics[of_the_run]
    assert scores[0] == scores[1]


def test_a_second_bundle_in_a_folder_replaces_the_first(run):
    first = (run() / "bundle" / "MANIFEST.json").read_text()
    folder = run("trainer.max_epochs=1")
    assert (folder / "bundle" / "MANIFEST.json").read_text() != first
    assert read_bundle(folder / "bundle").metrics["epochs"] == 1
    digits = run("data=digits", "model.width=4", "trainer.max_epochs=1")
    assert not (digits / "bundle" / "preprocess.skops").exists()
    assert read_bundle(digits / "bundle").preprocessor is None
