"""Where the time of a run went: nothing is left out, and nothing else is changed."""

import json
import time

import pytest
import torch

from kindling.callbacks.timer import KINDS, Timer, time_line

pytestmark = pytest.mark.slow  # whole trainings


def test_the_seconds_of_all_kinds_are_those_of_the_run(run):
    began = time.perf_counter()
    folder = run("report=true", "baselines=true")
    whole = time.perf_counter() - began
    metrics = json.loads((folder / "metrics.json").read_text())
    timing = metrics["timing"]
    assert list(timing) == list(KINDS)
    assert min(timing.values()) >= 0
    of_fit = sum(timing[kind] for kind in ("data", "step", "validation", "checkpoint"))
    assert of_fit <= metrics["seconds"] + 0.01  # each is rounded to milliseconds
    # What went by before the run, in other tests, counts as start-up of a process's first run.
    assert sum(timing.values()) - timing["start_up"] <= whole + 0.01
    for kind in ("read", "step", "validation", "checkpoint", "test", "bundle", "report"):
        assert timing[kind] > 0, kind


@pytest.mark.parametrize("override", ["task.steps_per_call=1", "+trainer.limit_train_batches=2"])
def test_rows_are_counted_as_they_are_learnt(build, override):
    data, task, trainer = build(override)
    trainer.fit(task, data)
    clock = next(callback for callback in trainer.callbacks if isinstance(callback, Timer))
    rows = 64 if "limit" in override else len(data.split["train"])
    assert clock.rows == 3 * rows


def test_a_save_between_two_steps_is_no_waiting_for_data():
    clock = Timer()
    clock.on_train_batch_start()
    assert clock.seconds["data"] > 0 == clock.seconds["checkpoint"]
    waited = clock.seconds["data"]
    clock.on_save_checkpoint()
    clock.on_train_batch_start()
    assert clock.seconds["checkpoint"] > 0
    assert clock.seconds["data"] == waited
    clock.on_train_batch_start()
    assert clock.seconds["data"] > waited


@pytest.mark.parametrize("override", ["~callbacks.clock", "trainer.profile=true"])
def test_measuring_changes_no_bit(build, override):
    weights = []
    for words in ([], [override]):
        data, task, trainer = build(*words, folder=str(len(words)))
        assert task.steps_per_call == 64
        trainer.fit(task, data)
        weights.append(task.state_dict())
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_without_its_clock_a_run_says_nothing_of_time(run, capsys):
    metrics = json.loads((run("~callbacks.clock") / "metrics.json").read_text())
    assert "timing" not in metrics
    assert "rows/s" not in capsys.readouterr().out


def test_the_line_names_shares_and_what_takes_most(run, capsys):
    seconds = dict.fromkeys(KINDS, 0.0) | {"start_up": 1.0, "step": 2.0, "test": 0.01}
    line = time_line({"timing": seconds, "rows_per_s": 12345.6})
    assert line.startswith("3.0 s, 12,346 rows/s in training; start-up 33%, steps 66%; most for")
    assert "steps: forward, backward, optimizer" in line
    run()
    assert capsys.readouterr().out.splitlines()[-1].startswith("time ")
