"""No GPU is needed: on a pretended one that computes, whole trainings are watched."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("pretended_gpu.py")
RUNS = ["mlp", "mlp, all options", "mlp, one batch a call", "values", "log1p"]
RUNS += ["cnn", "cnn, all options", "realmlp"]
FAULTS = ["item", "float", "if", "print", "print many", "cpu", "list", "mask", "nonzero", "unique"]
FAULTS += ["new tensor", "blocking copy", "clip that raises"]
ON_IT = "fakegpu:0, 32-true, data set on it (0.01 MB), up to 1 epochs"
NOT_ON_IT = "fakegpu:0, 32-true, up to 1 epochs"


pytestmark = pytest.mark.slow  # a pretended GPU computes whole trainings


@pytest.fixture(scope="module")
def said():
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def of(said):
    """The lines on one run."""
    return lambda name: [line for line in said if line["run"] == name]


@pytest.mark.parametrize("name", RUNS)
def test_a_training_stays_on_its_device(of, name):
    assert [line["devices"] for line in of(name)] == [["fakegpu:0"]] * 2


@pytest.mark.parametrize("name", RUNS)
def test_no_step_waits_for_the_device(of, name):
    for line in of(name):
        assert line["waits"] == {"train": [], "val": []}
        assert min(line["calls"].values()) >= 1


@pytest.mark.parametrize("name", RUNS)
def test_rows_on_the_device_or_copied_there_give_the_bits_of_the_cpu(of, name):
    placed, copied = of(name)
    assert "data set on it" in placed["plan"]
    assert "data set on it" not in copied["plan"]
    assert placed["is_same"]
    assert copied["is_same"]


def test_rows_on_the_device_are_not_copied_again(of):
    placed, copied = of("mlp, one batch a call")
    numbers = 1  # the losses of the epoch, at its end
    assert placed["crossings"] == {"train": numbers, "val": numbers}
    assert copied["crossings"]["train"] == 3 * (copied["calls"]["train"] - 1) + numbers  # x, y, row


def test_a_training_goes_on_within_an_epoch_with_the_same_bits(of):
    assert [line["is_same"] for line in of("two parts")] == [True, True]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_step_that_waits_is_caught_with_its_line(of, fault):
    (faults,) = of("faults")
    train, val = ([w for w in waits if w[0] == fault] for waits in faults["waits"].values())
    assert len(train) >= 8  # once for each batch of the epoch, not once for each call
    assert len(val) >= 1
    assert all(line.startswith("training_step: loss = ") for *_, line in train)
    assert all(line.startswith("validation_step: ") for *_, line in val)


def test_what_is_left_on_the_cpu_is_refused(of):
    (stray,) = of("stray")
    assert "on two devices" in stray["error"]


@pytest.mark.parametrize(
    ("case", "plan"),
    [
        ("twice the size", ON_IT),
        ("less", NOT_ON_IT),
        ("less, asked for", ON_IT),
        ("workers", NOT_ON_IT),
        ("disk", NOT_ON_IT),
        ("disk, asked for", ON_IT),
        ("not asked for", NOT_ON_IT),
    ],
)
def test_rows_lie_on_the_device_where_they_take_half_of_its_free_memory_or_less(of, case, plan):
    assert [line["plan"] for line in of(case)] == [plan]


def test_rows_that_do_not_fit_are_refused_where_it_is_asked_for(of):
    (refused,) = of("too little")
    assert "0.01 MB of rows, 0.01 MB free on fakegpu:0" in refused["plan"]
    assert refused["plan"].endswith("'data.on_device=auto')")
