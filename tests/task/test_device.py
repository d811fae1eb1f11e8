"""No GPU is needed: on a pretended one, whatever stays on the CPU is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("pretended_gpu.py")


@pytest.mark.parametrize("network", ["mlp", "cnn", "value"])
def test_a_training_step_stays_on_its_device(network):
    command = [sys.executable, str(SCRIPT), network]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "fakegpu:0"
