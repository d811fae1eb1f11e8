"""A picture and a trace of a few steps; every operator is counted in the phase that it is of."""

import json

import pytest
from PIL import Image

from kindling.callbacks.profile_figure import draw_cost
from kindling.callbacks.profiler import MIN_STEPS, PYTHON, Cost, Profile, cost_of, top, totals

pytestmark = pytest.mark.slow  # recording takes seconds


def recorded(build, *overrides):
    data, task, trainer = build("trainer.profile=true", *overrides)
    trainer.fit(task, data)
    return next(callback for callback in trainer.callbacks if isinstance(callback, Profile))


def test_operators_belong_to_their_phase(build):
    taken = recorded(build, "trainer.max_epochs=6")
    assert MIN_STEPS <= taken.num_steps == 24  # three of six epochs
    cost = cost_of(taken.profiler.events(), taken.num_steps)
    assert {phase for operator, phase in cost.cpu if operator == "_fused_adamw_"} == {"optimizer"}
    assert {phase for operator, phase in cost.cpu if operator == "threshold_backward"} == {
        "backward"
    }
    assert {phase for operator, phase in cost.cpu if operator == "relu"} == {"forward and loss"}
    assert cost.cpu["index_select", "data"] > 0
    assert min(totals(cost.cpu).values()) > 0
    assert not cost.gpu


@pytest.mark.parametrize("override", ["task.steps_per_call=16", "task.steps_per_call=1"])
def test_a_training_of_one_epoch_is_recorded_too(build, override):
    taken = recorded(build, "trainer.max_epochs=1", override)
    assert taken.num_steps in (7, 8)  # the first of several chunks is left out
    assert cost_of(taken.profiler.events(), taken.num_steps).cpu


def test_what_takes_longest_comes_first_and_python_is_no_operator():
    times = {("a", "data"): 1.0, ("b", "backward"): 1.5, ("a", "backward"): 1.0}
    times[PYTHON, PYTHON] = 9.0
    assert top(times, 5) == ["a", "b"]
    assert top(times, 1) == ["a"]


def test_a_run_leaves_picture_and_trace_and_says_where(run, capsys):
    folder = run("trainer.profile=true") / "profile"
    with Image.open(folder / "step.png") as picture:
        assert min(picture.size) > 500
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    assert any(event["name"] == "aten::_fused_adamw_" for event in events)
    captured = capsys.readouterr()
    assert "step.png" in captured.out
    assert "profiler_start" not in captured.err


def test_a_gpu_has_a_bar_of_its_own(tmp_path):
    cpu = {("mm", "backward"): 300.0, (PYTHON, PYTHON): 400.0, ("copy_", "data"): 90.0}
    for gpu in ({}, {("mm", "backward"): 450.0, ("copy_", "data"): 50.0}):
        draw_cost(Cost(20, cpu, gpu), tmp_path / f"{len(gpu)}.png")
    with Image.open(tmp_path / "0.png") as without, Image.open(tmp_path / "2.png") as with_gpu:
        assert without.tobytes() != with_gpu.tobytes()
