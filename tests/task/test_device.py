"""No GPU is needed: on a pretended one, whatever stays on the CPU is refused."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("pretended_gpu.py")


def test_a_training_step_stays_on_its_device():
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["mlp fakegpu:0", "cnn fakegpu:0", "value fakegpu:0"]
