"""However the processes are started, they are one run: one folder, one log, one exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRAIN = str(ROOT / "train.py")
BARE = ["model=mlp", "threads=1", "device=cpu", "trainer.max_epochs=2"]
BARE += ["baselines=false", "report=false", "bundle=false"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]

pytestmark = pytest.mark.nightly  # whole trainings


def settings(**others):
    return os.environ | {"PYTHONPATH": str(ROOT / "src"), **others}


def start(folder, *command, **others):
    return subprocess.Popen(
        command,
        cwd=folder,
        env=settings(**others),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(process):
    """Wait for a command; one that does not end is ended, with all that it has started."""
    try:
        said, told = process.communicate(timeout=400)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    return process.returncode, said, told


def runs(folder):
    return sorted(file.parent for file in folder.glob("runs/*/*/metrics.json"))


def num_processes(run):
    return json.loads((run / "environment.json").read_text())["num_processes"]


def test_torchrun_makes_one_run(tmp_path):
    code, said, told = end(start(tmp_path, *TORCHRUN, "2", TRAIN, *BARE))
    assert code == 0, told
    (run,) = runs(tmp_path)
    assert num_processes(run) == 2
    assert said.count("2 processes, each on cpu") == 1


def test_two_machines_make_one_run(tmp_path):
    """Two agents that meet on loopback, each with one process."""
    meet = ["--rdzv-backend=c10d", "--rdzv-id=one", "--rdzv-endpoint=localhost:29517"]
    both = [
        start(tmp_path, *TORCHRUN, "1", "--nnodes=2", "--local-addr=localhost", *meet, TRAIN, *BARE)
        for _ in range(2)
    ]
    for code, _, told in map(end, both):
        assert code == 0, told
    (run,) = runs(tmp_path)
    assert num_processes(run) == 2


def test_each_run_of_a_sweep_has_its_processes(tmp_path):
    words = ["seed=0,1", "trainer.devices=2", *BARE]
    code, said, told = end(start(tmp_path, sys.executable, TRAIN, "-m", *words))
    assert code == 0, told
    assert [num_processes(run) for run in runs(tmp_path)] == [2, 2]
    assert said.count("2 processes, each on cpu") == 2


def test_a_sweep_behind_torchrun_is_refused(tmp_path):
    _, _, told = end(start(tmp_path, *TORCHRUN, "2", TRAIN, "-m", "seed=0,1", *BARE))
    assert told.count("a sweep starts the processes of each run itself") == 1


def test_a_run_that_is_being_written_to_is_refused_to_another(tmp_path):
    long = [word.replace("max_epochs=2", "max_epochs=2000") for word in BARE]
    words = ["trainer.devices=2", "hydra.run.dir=run", "~callbacks.early_stopping", *long]
    living = start(tmp_path, sys.executable, TRAIN, *words)
    while not list(tmp_path.glob("run/checkpoints/epoch*")):
        assert living.poll() is None, living.stderr.read()
        time.sleep(0.1)
    code, _, told = end(start(tmp_path, sys.executable, TRAIN, "resume=run"))
    living.terminate()
    end(living)
    assert code == 2
    assert told.count("one process at a time writes to a run folder") == 1


def test_runs_that_a_launcher_makes_elsewhere_are_told_of_at_the_end(tmp_path):
    words = ["hydra/launcher=local", "data.batch_size=239,32", "trainer.devices=2", *BARE]
    code, said, told = end(start(tmp_path, sys.executable, TRAIN, "-m", *words))
    assert code == 2, told
    assert "1 of 2 runs failed" in told
    assert ", 1 run, sorted by" in said
    assert len(runs(tmp_path)) == 1


def test_a_job_that_is_pre_empted_goes_on_in_its_folder_when_it_is_queued_again(tmp_path):
    long = [word.replace("max_epochs=2", "max_epochs=400") for word in BARE]
    words = ["hydra/launcher=local", "~callbacks.early_stopping", "trainer.devices=2", *long]
    sweep = start(tmp_path, sys.executable, TRAIN, "-m", *words)
    while not list(tmp_path.glob("runs/*/*/checkpoints/epoch*")):
        assert sweep.poll() is None, sweep.stderr.read()
        time.sleep(0.1)
    job = next(pid for pid in children(sweep.pid) if "_submit" in command_of(pid))
    os.kill(job, signal.SIGUSR2)  # what a cluster sends before it takes the machine away
    assert end(sweep)[0] == 0  # submitit's local executor begins the job again at once
    (run,) = runs(tmp_path)
    assert list(tmp_path.glob("runs/penguins_mlp/*/")) == [run]
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 400
    (log,) = tmp_path.glob("runs/.submitit/*/*_log.out")
    assert log.read_text().count("resume  from epoch=") == 1


def children(pid):
    """List the processes below one."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [below for child in map(int, listed) for below in (child, *children(child))]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()
