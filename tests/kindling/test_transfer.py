"""Every command of docs/transfer.md, typed where a reader would type it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transfer.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^((?:python|kindling) .*)$", PAGE, re.MULTILINE)
QUICK = ["trainer.max_epochs=1", "baselines=false", "report=false", "device=cpu"]
RUN = "from kindling.cli.command_line import main; main()"


@pytest.mark.nightly
def test_every_command_of_the_page_runs(tmp_path):
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "make_folders.py").write_text(code)
    assert len(TYPED) == 8
    told = ""
    for line in TYPED:
        first, *words = shlex.split(line)
        if "weights=" in line:  # a file that a reader has
            (bundle,) = (tmp_path / "runs/scanner").glob("*/bundle")
            shutil.copy(bundle / "model.safetensors", tmp_path / "pretrained.safetensors")
        if "train.py" in words:
            words = [str(ROOT / "train.py"), *words[1:], *QUICK]
        done = subprocess.run(
            [sys.executable, *(["-c", RUN] if first == "kindling" else []), *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        told += done.stdout
    assert re.search(r"44 of 44 tensors of runs/scanner", told)
    assert re.search(r"42 of 44 tensors of pretrained.safetensors", told)
    assert re.search(r"1,290 of 297,450 parameters are trained", told)
    runs = [json.loads(file.read_text()) for file in tmp_path.glob("runs/*/*/metrics.json")]
    assert len(runs) == 11
