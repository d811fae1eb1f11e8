"""Time and memory against rows: read, fit, transform, one epoch of training, from memory or disk.

python benchmarks/make_rows.py 1_000_000 rows.csv
python benchmarks/size.py rows.csv disk  # or ram; --json for programs
"""

import json
import resource
import sys
import time

import torch

from kindling.checks.overview import LOADING
from kindling.tables import preprocessor
from kindling.tables.source import TableSource
from project.data.datamodule import DataModule
from project.models.mlp import MLP
from project.training.losses import default_loss


def peak_gb() -> float:
    """Return the largest memory so far; pages of the mapped file count, too."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(file: str, memory: str, *, as_json: bool) -> None:
    """Go once from the file to the end of an epoch, and print a line."""
    torch.set_num_threads(1)
    base, spent = peak_gb(), {}
    transform = preprocessor.transform_rows

    def timed(*args):
        start = time.perf_counter()
        rows = transform(*args)
        spent["transform"] = time.perf_counter() - start
        return rows

    preprocessor.transform_rows = timed
    data = DataModule(TableSource(file, "label", memory=memory), **(LOADING | {"batch_size": 1024}))
    read = data.source.read

    def timed_read():
        start = time.perf_counter()
        raw = read()
        spent["read"] = time.perf_counter() - start
        return raw

    data.source.read = timed_read
    start = time.perf_counter()
    data.setup()
    spent["split and fit"] = time.perf_counter() - start - sum(spent.values())
    start = time.perf_counter()
    train(data)
    spent["epoch"] = time.perf_counter() - start
    result = {
        "rows": len(data.raw.y),
        "memory": memory,
        "seconds": spent,
        "peak_gb": peak_gb(),
        "base_gb": base,
        "x_gb": data.x.nbytes / 1e9,
    }
    print(json.dumps(result) if as_json else describe(result))


def describe(result: dict) -> str:
    """Put the numbers into words."""
    parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in result["seconds"].items())
    per_row = 1e6 * sum(result["seconds"].values()) / result["rows"]
    sizes = [f"{result[key]:.2f} GB" for key in ("peak_gb", "base_gb", "x_gb")]
    first = f"{result['rows']:,} rows, {result['memory']}: {parts}; {per_row:.1f} us a row"
    return f"{first}\npeak {sizes[0]}, imports alone {sizes[1]}, x {sizes[2]}"


def train(data: DataModule) -> None:
    """Train one epoch as a loop written by hand does."""
    network, loss = MLP(data.spec, width=128), default_loss(data.spec)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    for batch in data.train_dataloader():
        optimizer.zero_grad()
        loss(network(batch.x), batch.y).backward()
        optimizer.step()


if __name__ == "__main__":
    main(*sys.argv[1:3], as_json="--json" in sys.argv)
