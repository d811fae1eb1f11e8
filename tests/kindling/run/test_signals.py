"""A signal ends a run behind its step, saved, with what to type to go on; a second one at once."""

import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.kindling.placed import ROOT, train
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole trainings

QUICK = ["model=mlp", "threads=1", "trainer.max_epochs=4", "data.batch_size=16"]
STEP = "project.training.task:SupervisedTask.training_step"


def go_on(folder, told):
    """Type what was said, and nothing else."""
    (line,) = (line for line in told.splitlines() if "go on with: " in line)
    words = shlex.split(line.partition("go on with: ")[2])
    assert words[:2] == ["python", "train.py"]
    done = train(folder, *words[2:])
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "run" / "metrics.json").read_text())


@pytest.mark.parametrize(
    "name", thin(["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"], 4, pytest.mark.nightly)
)
def test_a_stopped_training_is_saved_and_says_how_it_goes_on(tmp_path, name):
    number = signal.Signals[name]
    words = [*QUICK, "baselines=false", "report=false", "bundle=false", "hydra.run.dir=run"]
    done = train(tmp_path, *words, place=STEP, call=3, numbers=[number])
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    assert go_on(tmp_path, done.stderr)["epochs"] == 4


PHASES = [
    ("kindling.run.finish:finish", "SIGINT"),
    ("kindling.bundle.save:save_bundle", "SIGHUP"),
    ("kindling.report.page:write_report", "SIGUSR1"),
]


@pytest.mark.parametrize(("place", "name"), thin(PHASES, 3, pytest.mark.nightly))
def test_what_is_stopped_behind_its_training_is_finished_later(tmp_path, place, name):
    number = signal.Signals[name]
    done = train(tmp_path, *QUICK, "hydra.run.dir=run", place=place, numbers=[number])
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    assert go_on(tmp_path, done.stderr)["epochs"] == 4


def test_a_run_that_is_stopped_while_it_reads_leaves_nothing(tmp_path):
    place = "kindling.run.build:build_data"
    done = train(tmp_path, *QUICK, place=place, numbers=[signal.SIGTERM])
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")
    assert not list(tmp_path.glob("runs/*/*"))


@pytest.mark.nightly
def test_a_second_signal_ends_it_in_the_middle_of_a_step(tmp_path):
    twice = [signal.SIGTERM, signal.SIGINT]
    done = train(tmp_path, *QUICK, "hydra.run.dir=run", place=STEP, call=3, numbers=twice)
    assert done.returncode == 130
    assert "SIGTERM: stops behind this step" in done.stderr
    assert "go on with" not in done.stderr


@pytest.mark.nightly
def test_what_is_ignored_from_the_start_stays_ignored(tmp_path):
    words = [*QUICK, "baselines=false", "report=false", "hydra.run.dir=run"]
    code = (
        "import signal, sys; from tests.kindling.placed import train\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        f"done = train(sys.argv[1], *{words!r}, place={STEP!r}, numbers=[signal.SIGHUP])\n"
        "sys.exit(done.returncode)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("after_s", thin([0.4, 0.1, 1.5], 3, pytest.mark.nightly))
def test_ctrl_c_while_it_starts_shows_no_traceback(tmp_path, after_s):
    process = subprocess.Popen(
        [sys.executable, ROOT / "train.py", *QUICK],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    assert (process.communicate()[1], process.returncode) == ("", 130)
