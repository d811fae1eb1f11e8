"""A run that is stopped says how it goes on, and a sweep which of its runs have failed."""

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole trainings

TRAIN = Path(__file__).parents[3] / "train.py"
QUICK = ["model=mlp", "report=false", "baselines=false", "bundle=false", "threads=1"]


def type_in(folder, *words):
    return subprocess.run(
        [sys.executable, str(TRAIN), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "number"),
    thin([("a run, it's", signal.SIGINT), ("run", signal.SIGTERM)], 2, pytest.mark.nightly),
)
def test_a_stopped_run_prints_the_command_that_resumes_it(tmp_path, number, name):
    words = ["trainer.max_epochs=300", "~callbacks.early_stopping", *QUICK]
    quoted = name.replace("'", "\\'")
    process = subprocess.Popen(
        [sys.executable, str(TRAIN), *words, f"hydra.run.dir='{quoted}'"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a script ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list((tmp_path / name / "checkpoints").glob("epoch*")):
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate()
    assert process.returncode == 128 + number
    (line,) = (line for line in told.splitlines() if line.startswith("stopped after step "))
    command = shlex.split(line.partition("go on with: ")[2])
    assert command[:2] == ["python", "train.py"]
    resumed = type_in(tmp_path, *command[2:])
    assert resumed.returncode == 0, resumed.stderr
    assert (tmp_path / name / "metrics.json").exists()


def test_a_sweep_goes_on_behind_a_failing_run_and_names_it_at_the_end(tmp_path):
    words = ["-m", "data.target=species,nothing,island", "trainer.max_epochs=1", *QUICK]
    done = type_in(tmp_path, *words)
    assert done.returncode == 3
    at_once = "failed with exit code 3: run 1 data.target=nothing"
    assert at_once in done.stderr[: done.stderr.index("1 of 3 runs failed:")]
    titles = [line for line in done.stdout.splitlines() if ", sorted by val/" in line]
    assert len(titles) == 2  # species and island are not to be compared
    assert len(list(tmp_path.glob("runs/*/*/metrics.json"))) == 2
    end = done.stderr[done.stderr.index("1 of 3 runs failed:") :].splitlines()
    assert len(end) == 2
    assert "data.target=nothing" in end[1]
    assert "a column 'nothing' must be in" in end[1]


def test_a_sweep_without_a_failure_ends_with_the_table_of_its_runs(tmp_path):
    done = type_in(tmp_path, "-m", "seed=1,2", "trainer.max_epochs=1", *QUICK)
    assert (done.returncode, "failed" in done.stderr) == (0, False)
    (table,) = re.findall(r"multiclass, 2 runs, sorted by .*", done.stdout, re.DOTALL)
    for run in tmp_path.glob("runs/*/*/"):
        assert run.name.rpartition("_")[2] in table


def test_a_signal_ends_the_whole_sweep(tmp_path):
    words = ["-m", "seed=0,1,2", "trainer.max_epochs=3000", "~callbacks.early_stopping", *QUICK]
    process = subprocess.Popen(
        [sys.executable, str(TRAIN), *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list(tmp_path.glob("runs/*/*/checkpoints/epoch*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM
    assert len(list(tmp_path.glob("runs/*/*/config.yaml"))) == 1
