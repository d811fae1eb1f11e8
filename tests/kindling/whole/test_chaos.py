"""A run that is killed again and again, at random, ends as one that was left alone: `make chaos`."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.kindling.placed import ROOT
from tests.kindling.whole.test_command import weights_of

QUICK = ["threads=1", "device=cpu", "baselines=false", "report=false", "~callbacks.early_stopping"]
RUNS = {
    "table": ["model=mlp", "data.batch_size=8", "trainer.max_epochs=120"],
    "images": ["data=digits", "model=cnn", "model.width=4", "trainer.max_epochs=12"],
}


def start(folder, name):
    words = [*QUICK, *RUNS[name], "resume=auto", f"hydra.run.dir={folder}/run"]
    return subprocess.Popen(
        [sys.executable, ROOT / "train.py", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("name", "kills"),
    [
        pytest.param("table", 5, marks=pytest.mark.slow),
        pytest.param("images", 5, marks=pytest.mark.slow),
        pytest.param("table", 20, marks=pytest.mark.nightly),
        pytest.param("images", 20, marks=pytest.mark.nightly),
    ],
)
def test_kills_at_random_moments_change_nothing(tmp_path, name, kills):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    began_s = time.monotonic()
    assert start(whole, name).wait() == 0
    lasts_s = time.monotonic() - began_s
    rng = random.Random(os.environ.get("CHAOS_SEED", name))
    for _ in range(kills):
        process = start(parts, name)
        time.sleep(rng.uniform(0.1, 1) * lasts_s)
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[1]
        assert process.returncode in (-signal.SIGKILL, 0), told
    last = start(parts, name)
    told = last.communicate()[1]
    assert last.returncode == 0, told
    ends = [folder / "run" for folder in (whole, parts)]
    assert weights_of(ends[0]).equal(weights_of(ends[1]))
    assert weights_of(ends[0], "best").equal(weights_of(ends[1], "best"))
    assert len({(end / "predictions.csv").read_bytes() for end in ends}) == 1
