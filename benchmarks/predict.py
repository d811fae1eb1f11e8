"""Rows per second and peak memory of `kindling predict` on tables like the penguins'.

python benchmarks/predict.py                      # 100,000 and 1,000,000 rows: half a minute
python benchmarks/predict.py --rows 5000000

Each size runs in a process of its own, so that its peak memory is its own. Start-up (imports,
loading the model) is told apart: it does not grow with the file. CPU seconds are those of all
threads: where they are far from the seconds times the cores, something else was running.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
MB = 1024 if sys.platform == "linux" else 1024**2  # what ru_maxrss counts in


def main() -> None:
    """Train once, write a table of each size, and predict it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument(
        "--one", nargs=2, help=argparse.SUPPRESS
    )  # run and table: the inner process
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(predict_one(*map(Path, arguments.one))))
        return
    with TemporaryDirectory() as folder:
        run, table = Path(folder) / "run", Path(folder) / "table.csv"
        quick = ["baselines=false", "report=false", f"hydra.run.dir={run}"]
        command = [sys.executable, ROOT / "train.py", *quick]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        print(
            f"{'rows':>12} {'MB':>7} {'start s':>8} {'predict s':>9} {'rows/s':>9} {'CPU s':>6}"
            f" {'peak MB':>8}"
        )
        for num_rows in arguments.rows:
            write_table(table, num_rows)
            command = [sys.executable, __file__, "--one", run, table]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            show(num_rows, table, json.loads(done.stdout))


def write_table(file: Path, num_rows: int) -> None:
    """Write penguins that are drawn again and again, a part at a time."""
    penguins = pd.read_csv(ROOT / "data" / "penguins.csv")
    for start in range(0, num_rows, 100_000):
        size = min(100_000, num_rows - start)
        part = penguins.sample(size, replace=True, random_state=start)
        part.to_csv(file, index=False, header=start == 0, mode="a" if start else "w")


def predict_one(run: Path, table: Path) -> dict[str, float]:
    """Do what the command does, with a look at the clock once the model is there."""
    started = time.perf_counter()
    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import load
    from kindling.bundle.writers import open_writer
    from kindling.cli.predict import predictions

    model = load(run)
    ready, used = time.perf_counter(), time.process_time()
    with open_writer(table.with_suffix(".out.csv"), ".csv") as write:
        for part in predictions(model, [table], Drift(model.schema, model.spec.target)):
            write(part)
    done, cpu_s = time.perf_counter(), time.process_time() - used
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    took = {"start_s": ready - started, "predict_s": done - ready}
    return took | {"cpu_s": cpu_s, "peak_mb": peak_mb}


def show(num_rows: int, table: Path, found: dict[str, float]) -> None:
    """Print one line."""
    size, seconds = table.stat().st_size / 1e6, found["predict_s"]
    print(
        f"{num_rows:12,} {size:7.1f} {found['start_s']:8.1f} {seconds:9.1f}"
        f" {num_rows / seconds:9,.0f} {found['cpu_s']:6.1f} {found['peak_mb']:8.0f}"
    )


if __name__ == "__main__":
    main()
