"""Whatever ends one of several processes ends all of them, is told once, and the run goes on."""

import json
import re
import signal

import pytest

from tests.kindling.placed import train
from tests.kindling.thinning import thin

QUICK = ["model=mlp", "threads=1", "trainer.max_epochs=4", "trainer.devices=2", "device=cpu"]
BARE = ["baselines=false", "report=false", "bundle=false", "task.steps_per_call=1"]
STEP = "project.training.task:SupervisedTask.training_step"
FIT = "kindling.callbacks.preflight:Preflight.on_train_batch_start"
LONG = ["trainer.max_epochs=150", "~callbacks.early_stopping"]  # a parent hears it later
SAVED = "callbacks.checkpoint.every_n_steps=1"

pytestmark = pytest.mark.slow  # whole trainings


def start(folder, *words, **place):
    return train(folder, *QUICK, *BARE, "hydra.run.dir=run", *words, **place)


def told_once(text, words):
    assert text.count(words) == 1, text


def go_on(folder):
    """Resume the run, in one process; return its metrics and what was said."""
    done = train(folder, "resume=run", "trainer.devices=1")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "run" / "metrics.json").read_text()), done.stdout


KILLED = [(1, signal.SIGKILL), (0, signal.SIGKILL), (1, signal.SIGTERM), (0, signal.SIGUSR1)]


@pytest.mark.parametrize(("rank", "number"), thin(KILLED, 4, pytest.mark.nightly))
def test_a_process_that_is_ended_ends_the_run_which_goes_on(tmp_path, rank, number):
    done = start(tmp_path, SAVED, place=STEP, call=5, numbers=[number], rank=rank)
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    told_once(done.stderr, "go on with: python train.py resume=")
    if number == signal.SIGKILL:
        told_once(done.stderr, f"process {rank} of 2 was ended by SIGKILL")
    metrics, said = go_on(tmp_path)
    assert metrics["epochs"] == 4
    assert "processes 1 (was 2)" in said


STOPS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"]


@pytest.mark.nightly
@pytest.mark.parametrize("name", STOPS)
def test_a_signal_to_the_command_reaches_all(tmp_path, name):
    number = signal.Signals[name]
    done = start(tmp_path, *LONG, place=STEP, call=5, numbers=[number], to_parent=True)
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    told_once(done.stderr, f"{name}: stops behind this step")
    told_once(done.stderr, "go on with: python train.py resume=")
    assert go_on(tmp_path)[0]["epochs"] == 150


@pytest.mark.nightly
def test_a_command_that_is_killed_takes_its_processes_along(tmp_path):
    done = start(tmp_path, *LONG, place=STEP, call=5, numbers=[signal.SIGKILL], to_parent=True)
    assert done.returncode == -signal.SIGKILL
    # Standard error is theirs, too: it was read to its end, so all of them have ended.
    told_once(done.stderr, "go on with: python train.py resume=")
    assert go_on(tmp_path)[0]["epochs"] == 150


FAULTS = [
    ("kindling.errors:DataError", 3, "what is placed"),
    ("builtins:RuntimeError", 1, "Traceback"),
    ("kindling.errors:ConfigError", 2, "what is placed"),
]


@pytest.mark.parametrize("rank", [1, 0])
@pytest.mark.parametrize(("error", "code", "told"), FAULTS)
@pytest.mark.nightly
def test_what_fails_in_one_process_is_told_once(tmp_path, error, code, told, rank):
    done = start(tmp_path, place=FIT, error=error, rank=rank)
    assert done.returncode == code
    told_once(done.stderr, told)


@pytest.mark.nightly
def test_what_fails_in_all_processes_is_told_once(tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n1,2\n")
    done = train(tmp_path, *QUICK, "data=table", "data.path=few.csv", "data.target=b")
    assert done.returncode == 3
    told_once(done.stderr, "in the data:")


@pytest.mark.nightly
def test_what_cannot_be_shared_out_is_refused_with_the_number(tmp_path):
    done = train(tmp_path, *QUICK, "data.batch_size=239", "model=mlp")
    assert done.returncode == 2
    assert re.search(r"got: data\.batch_size=239, 1 rows in the last batch", done.stderr)
