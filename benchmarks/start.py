"""Seconds of whole commands, and of the imports that no training can do without.

python benchmarks/start.py                 # a minute; prints a Markdown table

Every command is a process of its own; the median of the turns counts. The last line is the time
until the Trainer starts, taken from the run's own metrics.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
TRAIN = str(ROOT / "train.py")
COMMANDS = {
    'python -c "import torch, lightning, sklearn"': ["-c", "import torch, lightning, sklearn"],
    "python train.py --help": [TRAIN, "--help"],
    "python train.py trainer.max_epoch=5 (a misspelt key)": [TRAIN, "trainer.max_epoch=5"],
    "python train.py": [TRAIN],
    "python train.py report=false baselines=false": [TRAIN, "report=false", "baselines=false"],
}


def run(words: list[str], folder: str) -> float:
    """Run one command to its end and return its seconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Let the commands take turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="turns of each; the median counts")
    repeats = parser.parse_args().repeats
    print("| command | seconds |\n|---|---|")
    with TemporaryDirectory() as folder:
        seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(repeats):
            for name, words in COMMANDS.items():
                seconds[name].append(run(words, folder))
        for name, times in seconds.items():
            print(f"| `{name}` | {statistics.median(times):.2f} |")
        runs = [json.loads(file.read_text()) for file in Path(folder).glob("runs/*/*/metrics.json")]
    until = [r["timing"]["start_up"] + r["timing"]["read"] for r in runs]
    print(f"| from the command to the first step | {statistics.median(until):.2f} |")


if __name__ == "__main__":
    main()
