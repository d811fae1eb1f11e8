"""`python train.py` as a person types it: another process, real data, nothing cut short."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.conftest import newest
from tests.kindling.thinning import thin

ROOT = Path(__file__).parents[3]


def type_in(cwd, *words, environment=None, check=True):
    """Run train.py in another process; return what it printed, and its exit code."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
        check=False,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def only_run(folder):
    (metrics,) = folder.glob("runs/*/*/metrics.json")
    return metrics.parent


def weights_of(run, *, best=False):
    state = torch.load(newest(run, best=best), weights_only=True)
    return torch.cat([tensor.flatten().double() for tensor in state["state_dict"].values()])


@pytest.mark.slow
def test_smoke_is_a_whole_run_with_a_quiet_console(tmp_path):
    done = type_in(tmp_path, "experiment=smoke")
    run = only_run(tmp_path)
    name = str(run.relative_to(tmp_path / "runs"))
    assert re.fullmatch(r"penguins_auto/[\d_-]+_[0-9a-f]{4}", name)
    assert {path.name for path in run.iterdir()} >= {  # a callback may write more
        *("config.yaml", "overrides.txt", "environment.json", "metrics.json", "predictions.csv"),
        *("bundle", "checkpoints", "tensorboard", "report.html"),
    }
    assert done.stderr == ""
    labels = [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert labels == [
        "data",
        "task",
        "split",
        "model",
        "device",
        "trained",
        "run",
        "curves",
        "bundle",
        "report",
        "time",
    ]
    assert "best of 1 epochs by val/loss: 1" in done.stdout
    assert "hist_gradient_boosting" in done.stdout
    assert (run / "overrides.txt").read_text() == "python train.py experiment=smoke\n"
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 1


@pytest.mark.parametrize("word", ["trainer.max_epoch=5", "--help"])
def test_help_and_typos_are_answered_without_torch(tmp_path, word):
    done = type_in(tmp_path, word, environment={"PYTHONPROFILEIMPORTTIME": "1"}, check=False)
    assert done.returncode == (0 if word == "--help" else 2)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert not imported & {"torch", "lightning", "sklearn", "pandas", "numpy"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["model=clip"], 2),
        pytest.param(["device=cuda:99"], 2, marks=pytest.mark.slow),
        pytest.param(
            ["data=table", "data.path=nope.csv", "data.target=y"], 3, marks=pytest.mark.slow
        ),
        pytest.param(["+callbacks.mine._target_=nowhere.Nothing"], 2, marks=pytest.mark.slow),
    ],
)
def test_errors_leave_with_their_code_and_no_run_folder(tmp_path, words, code):
    done = type_in(tmp_path, *words, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("runs/*/*"))


QUICK_MODELS = {"penguins": ["model=mlp"], "digits": ["model=cnn", "model.width=4"]}


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "epochs"), thin([("penguins", 300), ("digits", 40)], 2, pytest.mark.nightly)
)
def test_train_stop_and_resume_ends_like_the_uninterrupted_run(tmp_path, data, epochs):
    quick = [f"data={data}", f"trainer.max_epochs={epochs}", "baselines=false", "report=false"]
    quick += ["~callbacks.early_stopping", *QUICK_MODELS[data]]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    type_in(tmp_path, *quick, f"hydra.run.dir={whole}")

    # Ctrl-C somewhere in the middle: what counts is the last whole epoch.
    words = [*quick, f"hydra.run.dir={parts}"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words],
        stdout=subprocess.DEVNULL,
        # A job in the background of a script ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list((parts / "checkpoints").glob("epoch*")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not (parts / "metrics.json").exists()

    type_in(tmp_path, f"resume={parts}")
    assert torch.equal(weights_of(parts), weights_of(whole))
    assert torch.equal(weights_of(parts, best=True), weights_of(whole, best=True))
    results = [json.loads((run / "metrics.json").read_text()) for run in (parts, whole)]
    assert results[0]["test"] == results[1]["test"]
    assert results[0]["best_epoch"] == results[1]["best_epoch"]
    assert (parts / "overrides.txt").read_text() == (whole / "overrides.txt").read_text()


@pytest.mark.slow
def test_sigterm_leaves_with_its_own_code(tmp_path):
    words = ["data=digits", "trainer.max_epochs=1000", "~callbacks.early_stopping"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words, f"hydra.run.dir={tmp_path}/run"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list((tmp_path / "run" / "checkpoints").glob("epoch*")):
        time.sleep(0.01)
    process.terminate()
    assert process.wait() == 143


@pytest.mark.slow
def test_the_same_seed_ends_with_the_same_bits_wherever_it_runs(tmp_path):
    quick = ["trainer.max_epochs=4", "baselines=false", "report=false", "seed=0", "model=mlp"]
    variants = {
        "plain": ([], {}),
        "workers": (["data.num_workers=2"], {}),
        "hash": ([], {"PYTHONHASHSEED": "77"}),
        "seed": (["seed=1"], {}),
    }
    ends = {}
    for name, (words, environment) in variants.items():
        folder = tmp_path / name  # each from a working directory of its own
        folder.mkdir()
        type_in(folder, *quick, *words, environment=environment)
        ends[name] = weights_of(only_run(folder))
    assert torch.equal(ends["plain"], ends["workers"])
    assert torch.equal(ends["plain"], ends["hash"])
    assert not torch.equal(ends["plain"], ends["seed"])


@pytest.mark.nightly
@pytest.mark.slow
def test_a_sweep_gives_every_run_a_folder_of_its_own(tmp_path):
    type_in(tmp_path, "-m", "seed=0,1", "model=mlp,auto", "experiment=smoke", "baselines=false")
    folders = sorted(path.parent for path in tmp_path.glob("runs/*/*/metrics.json"))
    assert (
        sorted(folder.parent.name for folder in folders)
        == ["penguins_auto"] * 2 + ["penguins_mlp"] * 2
    )
    assert len(set(folders)) == 4


@pytest.mark.nightly  # a command of the README is one, too
def test_a_rate_is_looked_for_instead_of_training(tmp_path):
    words = ["experiment=credit", "lr_find=true", "optimizer=sgd"]
    done = type_in(tmp_path, *words)
    assert done.stderr == ""
    (type_this,) = re.findall(r"^type +(optimizer\.lr=\S+)$", done.stdout, re.MULTILINE)
    assert 0.001 < float(type_this.partition("=")[2]) < 10
    assert {file.name for file in tmp_path.glob("runs/*/*/*")} == {"lr_find.csv", "lr_find.png"}
    type_in(tmp_path, "experiment=credit", "optimizer=sgd", type_this, "trainer.max_epochs=1")


@pytest.mark.slow
def test_a_finished_run_says_so_at_once_and_stays_as_it_is(tmp_path):
    type_in(tmp_path, "experiment=smoke", "baselines=false", "report=false")
    run = only_run(tmp_path)
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    environment = {"PYTHONPROFILEIMPORTTIME": "1"}
    done = type_in(tmp_path, f"resume={run}", environment=environment)
    assert "is finished and stays as it is: 1 epochs of 1; a larger trainer." in done.stdout
    assert not re.search(r"\| +(torch|lightning|pandas)$", done.stderr, re.MULTILINE)
    assert before == {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    # What was left out before is made; nothing is trained for it.
    done = type_in(tmp_path, f"resume={run}", "report=true")
    assert "report=true (was false)" in done.stdout
    assert (run / "report.html").exists()
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 1
    assert " 0 rows/s in training" not in done.stdout  # those of its first part count


@pytest.mark.nightly
@pytest.mark.slow
def test_own_table_and_own_images_need_no_code(tmp_path, table_csv, image_folder):
    frame = pd.read_csv(table_csv).rename(columns={"price": "price in EUR (2019)"})
    frame.to_csv(tmp_path / "own.csv", index=False)
    words = ["data=table", "data.path=own.csv", "data.target='price in EUR (2019)'"]
    type_in(tmp_path, *words, "trainer.max_epochs=3", f"hydra.run.dir={tmp_path}/table")
    truth = pd.read_csv(tmp_path / "table" / "predictions.csv").truth
    assert np.isin(truth, frame["price in EUR (2019)"]).all()
    type_in(tmp_path, "data=images", f"data.path={image_folder}", "trainer.max_epochs=3")
    predictions = pd.read_csv(only_run(tmp_path) / "predictions.csv")
    assert set(predictions.truth) == {"red", "blue"}


SWITCHES = {
    "report": ["report=false"],
    "checks": ["checks=false"],
    "bundle": ["bundle=false"],
    "callbacks/timer.py": ["~callbacks.clock"],
    "callbacks/preflight.py": ["~callbacks.preflight"],
    "serve": [],
    "export": [],
    "cli": [],
}


@pytest.mark.parametrize(
    "parts",
    [
        *(pytest.param([part], marks=pytest.mark.nightly) for part in SWITCHES),
        pytest.param([*SWITCHES], marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_run_needs_no_part_that_is_switched_off(tmp_path, parts):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "runs", "tests", "docs"))
    for part in parts:
        place = copy / "src" / "kindling" / part
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    typed = ["experiment=smoke", *itertools.chain(*(SWITCHES[part] for part in parts))]
    done = subprocess.run(
        [sys.executable, "train.py", *typed],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
