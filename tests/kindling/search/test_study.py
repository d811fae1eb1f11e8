"""A search that is started again knows its trials, and draws what it would have drawn."""

import subprocess
import sys

import pytest
from lightning import LightningModule, Trainer
from optuna.distributions import FloatDistribution
from optuna.trial import Trial

from kindling.errors import ConfigError
from kindling.search.pruning import Pruning
from kindling.search.study import (
    TRIAL,
    load_trial,
    make_sampler,
    open_study,
    trial_folder,
)

SETTINGS = {"model.width": "64, 128", "words": "model=mlp"}
SPACE = {"x": FloatDistribution(0, 1)}


def opened(folder, storage="journal", settings=SETTINGS, pruner="halving"):
    return open_study(folder, storage, settings, mode="min", pruner=pruner)


def ask(study, sampler="tpe"):
    study.sampler = make_sampler(sampler, 0, len(study.trials))
    return study.ask(SPACE)


@pytest.mark.parametrize(
    ("storage", "sampler"),
    [
        ("journal", "tpe"),
        ("journal", "random"),
        pytest.param("sqlite", "tpe", marks=pytest.mark.slow),
    ],
)
def test_after_a_restart_the_same_is_drawn_as_without_one_and_nothing_twice(
    tmp_path, storage, sampler
):
    found = {}
    for name in ("whole", "parts"):
        folder = tmp_path / name
        folder.mkdir()
        study = opened(folder, storage)
        for number in range(6):
            study = opened(folder, storage) if name == "parts" else study
            trial = ask(study, sampler)
            assert trial.number == number
            study.tell(trial, trial.params["x"])
        found[name] = [each.params["x"] for each in study.trials]
    assert found["whole"] == found["parts"]
    assert len(set(found["parts"])) == 6


def test_another_space_and_other_words_are_refused_before_anything_is_asked(tmp_path):
    opened(tmp_path)
    now = {"model.width": "64, 256", "words": "model=mlp", "model.depth": "1 to 3"}
    with pytest.raises(ConfigError) as caught:
        opened(tmp_path, settings=now)
    told = [problem.got for problem in caught.value.problems]
    assert told == [
        "model.width: 64, 256, which was 64, 128",
        "model.depth: 1 to 3, which was not there",
    ]


def test_the_other_storage_is_refused(tmp_path):
    opened(tmp_path, "journal")
    with pytest.raises(ConfigError, match=r"type hydra\.sweeper\.storage=journal"):
        opened(tmp_path, "sqlite")


def test_a_trial_that_was_killed_while_it_was_drawn_is_completed(tmp_path):
    study = opened(tmp_path)
    whole = ask(study).params
    study = opened(tmp_path)
    began = study.ask()  # killed before its parameter was drawn
    study.sampler = make_sampler("tpe", 0, began.number)
    again = Trial(study, began._trial_id)
    assert again._suggest("x", SPACE["x"]) != whole["x"]
    assert study.trials[1].params == again.params


def test_a_trial_is_reported_at_rungs_and_ended_if_it_is_worse(tmp_path, monkeypatch):
    study = opened(tmp_path)
    asked = {}
    for value in (1.0, 2.0, 0.5):
        trial = ask(study)
        monkeypatch.setenv(TRIAL, str(trial_folder(tmp_path, trial.number)))
        callback = Pruning("val/loss")
        asked[value] = [callback.is_worse(value, epoch) for epoch in range(1, 7)]
        # Of one that was taken up again, a rung that was reported counts once.
        assert Pruning("val/loss").is_worse(9.0, 1) is False
    assert [any(each) for each in asked.values()] == [False, True, False]
    assert [*study.trials[0].intermediate_values.items()] == [(1, 1.0), (2, 1.0), (4, 1.0)]
    assert callback.is_worse(float("nan"), 8) is False


def test_without_a_search_nothing_is_asked(monkeypatch):
    monkeypatch.delenv(TRIAL, raising=False)
    Pruning("val/loss").on_validation_end(Trainer(logger=False), LightningModule())


def test_a_search_imports_nothing_that_its_trials_need():
    heavy = {"torch", "lightning", "sklearn", "pandas", "matplotlib"}
    code = "import sys, optuna, kindling.search.sweep; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.split())


def test_hydra_finds_the_plugin_and_does_not_import_optuna_for_it():
    code = "import sys, hydra_plugins.kindling_optuna; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"optuna", "torch", "kindling.search"} & set(done.stdout.split())


def test_a_trial_is_found_by_its_folder(tmp_path):
    study = opened(tmp_path, pruner="median")
    ask(study)
    second = ask(study)
    found = load_trial(trial_folder(tmp_path, 1))
    assert (found.number, found.params) == (1, second.params)
    assert type(found.study.pruner).__name__ == "MedianPruner"
