"""Which run `resume=auto` and `resume=latest` mean, and when there is nothing left to be done."""

import json
import math

import pytest
from omegaconf import OmegaConf

from kindling.config.compose import compose_config
from kindling.config.recorded import record
from kindling.config.replay import read_config
from kindling.config.run_state import chosen_run, monitored_value, why_over
from kindling.errors import ConfigError
from tests.conftest import CONF

DONE = {"epochs": 30, "steps": 90, "ended_by": "max_epochs", "max_time": "00:01"}
MADE = {"baselines": True, "report": True, "bundle": True}


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Leave the files of a run behind that was started with these words."""
    monkeypatch.chdir(tmp_path)

    def write(name, *typed, **end):
        run = tmp_path / "runs" / "penguins_auto" / name
        run.mkdir(parents=True)
        cfg = compose_config(CONF, [f"run_dir={run}", *typed])
        cfg.overrides = list(typed)
        (run / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
        (run / "settings.json").write_text(record(cfg))
        if end:
            (run / "metrics.json").write_text(json.dumps(DONE | {"made": MADE} | end))
        return run

    return write


OLD, MID, NEW = (f"2026-0{k}-01_00-00-00_aaaa" for k in (1, 2, 3))


@pytest.mark.slow
def test_auto_is_the_newest_unfinished_run_of_the_same_configuration(begin, capsys):
    assert chosen_run(["resume=auto", "seed=3"], CONF) == ["seed=3"]
    assert "no unfinished run of this configuration: a new one begins" in capsys.readouterr().out
    begin(OLD, "seed=3")
    run = begin(MID, "seed=3", "device=cpu")
    begin(NEW, "seed=4")
    typed = ["resume=auto", "seed=3", "trainer.max_epochs=40"]
    assert chosen_run(typed, CONF) == [*typed[1:], f"resume='{run}'"]
    assert f"resume  runs/penguins_auto/{MID}, the newest unfinished" in capsys.readouterr().out
    (run / "metrics.json").write_text(json.dumps(DONE | {"made": MADE}))
    assert chosen_run(typed, CONF)[-1].endswith(f"{OLD}'")
    assert chosen_run([*typed, "optimizer.lr=0.1"], CONF)[-1] == "optimizer.lr=0.1"


@pytest.mark.slow
@pytest.mark.parametrize("other", ["data=digits", "model=mlp", "name=mine", "~callbacks.clock"])
def test_auto_leaves_runs_of_another_configuration(begin, other):
    begin(OLD)
    assert chosen_run(["resume=auto", other], CONF) == [other]


def test_auto_takes_what_lies_in_the_folder_that_is_typed(begin, tmp_path):
    folder = f"hydra.run.dir={tmp_path}/it"
    assert chosen_run(["resume=auto", folder], CONF) == [folder]
    begin(OLD).rename(tmp_path / "it")
    assert chosen_run(["resume=auto", folder], CONF) == [folder, f"resume='{tmp_path}/it'"]


def test_auto_leaves_what_cannot_be_composed_to_the_checks():
    assert chosen_run(["resume=auto", "trainer.max_epoch=3"], CONF) == ["trainer.max_epoch=3"]


def test_latest_is_the_newest_run_finished_or_not(begin):
    with pytest.raises(ConfigError, match="no run in"):
        chosen_run(["resume=latest"], CONF)
    begin(OLD)
    run = begin(NEW, "seed=4", ended_by="max_epochs")
    assert chosen_run(["resume=latest"], CONF) == [f"resume='{run}'"]


@pytest.mark.parametrize(
    ("end", "changed", "why"),
    [
        ({"epochs": 30}, {}, "30 epochs of 30"),
        ({"epochs": 30}, {"trainer.max_epochs": 20}, "30 epochs of 20"),
        ({"epochs": 30}, {"trainer.max_epochs": 40}, None),
        ({"epochs": 9, "ended_by": "early_stopping"}, {}, "early stopping (~callbacks.early_stopp"),
        (
            {"epochs": 9, "ended_by": "early_stopping"},
            {"callbacks.early_stopping._target_": 0},
            None,
        ),
        ({"epochs": 9, "ended_by": "max_steps"}, {"trainer.max_steps": 90}, "max_steps ended it"),
        ({"epochs": 9, "ended_by": "max_steps"}, {"trainer.max_steps": 91}, None),
        ({"epochs": 9, "ended_by": "max_steps"}, {}, None),
        ({"epochs": 9, "ended_by": "max_time"}, {"trainer.max_time": "00:01"}, "trainer.max_time"),
        ({"epochs": 9, "ended_by": "max_time"}, {"trainer.max_time": "00:02"}, None),
        ({"epochs": 9, "ended_by": "callback"}, {}, "a callback ended it after 9 of 30 epochs"),
        ({"epochs": 30, "made": MADE | {"report": False}}, {}, None),
        ({"epochs": "many"}, {}, None),
    ],
)
def test_a_run_is_over_unless_more_is_asked(begin, end, changed, why):
    run = begin(OLD, **end)
    told = why_over(run, read_config(run) | changed)
    assert told is None if why is None else why in told


def test_a_finished_run_has_the_value_that_it_monitored(begin):
    run = begin(NEW, monitored={"val/loss": 0.25})
    assert monitored_value(run, "val/loss") == 0.25
    assert math.isnan(monitored_value(run, "val/accuracy"))
