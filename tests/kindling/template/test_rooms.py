"""A project without optional rooms: it trains, resumes, predicts, and passes its own tests."""

import pytest

from kindling.rooms import ROOMS
from tests.kindling.template.clones import call, call_make, environment, make

QUICK = ["model=mlp", "model.width=8", "baselines=false"]


@pytest.mark.slow
def test_without_all_rooms_a_run_is_trained_resumed_and_predicts(tmp_path):
    project = make(tmp_path / "leafnet", without=tuple(ROOMS))
    env = environment(tmp_path / "env", project)
    told = call(env, project, "python", "train.py", *QUICK, "trainer.max_epochs=1")
    assert "bundle" in told
    assert "report" not in told
    call(env, project, "kindling", "predict", "latest", "data/penguins.csv", "-o", "new.csv")
    told = call(env, project, "python", "train.py", "resume=latest")
    assert "1 epochs of 1" in told  # a finished run is known to be finished
    told = call(env, project, "kindling", "--help")
    assert [name for name in ("serve", "export", "compare", "inspect") if f" {name} " in told] == []
    call(env, project, "python", "train.py", "report=false", code=2)  # there is no such key


@pytest.mark.nightly
@pytest.mark.parametrize("without", [(), *((name,) for name in ROOMS), tuple(ROOMS)], ids=",".join)
def test_its_own_tests_and_its_lint_pass_at_once(tmp_path, without):
    project = make(tmp_path / "leafnet", without=without)
    env = environment(tmp_path / "env", project)
    for target in ("lint", "test", "train"):
        call_make(project, target, f"VENV={env}")
