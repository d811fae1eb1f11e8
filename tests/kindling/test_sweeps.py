"""Every command of docs/sweeps.md, typed where a reader would type it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^python train.py (.*)$", PAGE, re.MULTILINE)
QUICK = ["trainer.max_epochs=1", "baselines=false", "report=false", "device=cpu"]
SHORT = ["hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=2"]


@pytest.mark.nightly
def test_every_command_of_the_page_runs(tmp_path):
    assert len(TYPED) == 5
    for line in TYPED:
        words = shlex.split(line)
        is_search = any(word.startswith(("sweep=", "hydra/sweeper=")) for word in words)
        done = subprocess.run(
            [sys.executable, str(ROOT / "train.py"), *words, *QUICK, *SHORT * is_search],
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert ("again   python train.py" in done.stdout) is is_search
        assert ", sorted by val/" in done.stdout
    assert Path(tmp_path / "runs/credit_search/trial-001/metrics.json").exists()
