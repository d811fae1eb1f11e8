"""What becomes of a trial's process, and what is said of it."""

import math
import os
import signal
import subprocess
import sys
import time

import pytest

from kindling.run.lock import locked, wait_until_free
from kindling.search.trials import TrialProcess, end_all

HANG = "import time; time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); {HANG}"


@pytest.fixture
def begin(tmp_path):
    """Run a line of Python as the process of a trial."""
    begun = []

    def start(code, name="trial-000"):
        trial = TrialProcess(None, tmp_path / name, [], 0)
        with trial.log.open("ab") as log:
            trial.process = trial._popen([sys.executable, "-c", code], dict(os.environ), log)
        begun.append(trial.process)
        return trial

    yield start
    for process in begun:
        process.kill()
        process.wait()


def ended(trial, timeout_s=None):
    while (outcome := trial.outcome("val/loss", timeout_s)) is None:
        time.sleep(0.01)
    return outcome


def test_a_trial_that_went_well_has_the_value_that_it_monitored(begin):
    trial = begin("print('said')")
    trial.folder.mkdir()
    (trial.folder / "metrics.json").write_text('{"monitored": {"val/loss": 0.25}}')
    assert ended(trial).value == 0.25
    assert trial.log.read_text() == "said\n"


def test_a_run_that_leaves_no_scores_is_a_failure(begin):
    assert ended(begin("pass")).reason == "no metrics.json in trial-000"


def test_nan_is_a_failure(begin):
    trial = begin("pass")
    trial.folder.mkdir()
    (trial.folder / "metrics.json").write_text('{"monitored": {"val/loss": null}}')
    assert ended(trial).reason == "val/loss is nan"


def test_a_failure_is_told_in_the_words_of_the_run(begin):
    trial = begin("import sys; sys.exit(3)")
    trial.note.write_text("a rule, got a thing")
    outcome = ended(trial)
    assert (outcome.code, outcome.reason) == (3, "a rule, got a thing")


def test_one_that_says_nothing_and_one_that_was_ended_early_are_told_apart(begin):
    assert ended(begin("import os; os._exit(1)")).reason == "it ended without a word"
    pruned = ended(begin("import sys; sys.exit(4)"))
    assert math.isnan(pruned.value)
    assert pruned.reason == ""


@pytest.mark.slow
def test_one_that_is_killed_is_told_by_the_signals_name(begin):
    trial = begin(HANG)
    trial.process.kill()
    assert ended(trial).reason == "ended by SIGKILL: perhaps memory ran out"


def test_one_that_takes_too_long_is_ended(begin):
    assert ended(begin(HANG), 0.05).reason == "longer than hydra.sweeper.timeout_s=0.05"


def test_one_that_does_not_listen_is_killed(begin, monkeypatch):
    monkeypatch.setattr("kindling.search.trials.GRACE_S", 0.1)
    trials = [begin(DEAF), begin(HANG, "trial-001")]
    while not trials[0].log.read_bytes():
        time.sleep(0.01)
    end_all(trials)
    assert [each.process.returncode for each in trials] == [-signal.SIGKILL, -signal.SIGTERM]


PARENT = """
import subprocess, sys, time
from kindling.search.trials import TrialProcess
log = open(sys.argv[1], "ab")
print(TrialProcess._popen(["sleep", "60"], {"PATH": "/bin:/usr/bin"}, log).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a process")
def test_a_trial_ends_with_the_search_that_was_killed(tmp_path):
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)  # it is there
    parent.kill()
    parent.communicate()
    while is_running(pid):
        time.sleep(0.01)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_folder_that_is_still_written_to_is_waited_for(tmp_path, capfd):
    code = (
        "import sys, time; from pathlib import Path; from kindling.run.lock import locked\n"
        "with locked(Path(sys.argv[1])): print(flush=True); time.sleep(0.3)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        wait_until_free(tmp_path)
        with locked(tmp_path):
            pass
    assert f"in use by process {holder.pid}" in capfd.readouterr().err
    wait_until_free(tmp_path / "none")
