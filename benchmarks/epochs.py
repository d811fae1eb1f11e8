"""Milliseconds of a tiny epoch: 1,800 rows in batches of 64, evaluated and kept after each epoch.

python benchmarks/epochs.py                # half a minute; prints a Markdown table

By hand means: slices of a shuffled tensor, one pass over the val rows without gradients, and a copy
of the weights where they are better. Kindling does all that conf/ says: callbacks, TensorBoard,
the best and the last weights. Both take turns; the median of the turns counts.
"""

import argparse
import logging
import statistics
import time
import warnings
from tempfile import TemporaryDirectory
from typing import Any

import torch
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback
from loop import ADAMW, ROOT, Setup, Work
from torch.nn import functional as F

from kindling.config.compose import compose_config, register_resolvers
from kindling.run.build import build_trainer
from kindling.run.console import hide_adverts

EPOCHS = 40
TINY = Work("MLP 128-128, 1.8k x 32, batch 64", 1_800, 64, False)


def by_hand(setup: Setup) -> float:
    """Return seconds of an epoch, the first one left out."""
    network, best = setup.network(), float("inf")
    optimizer = torch.optim.AdamW(network.parameters(), **ADAMW)
    val = torch.from_numpy(setup.data.split["val"])
    x_val, y_val = setup.data.x[val], setup.data.y[val]
    for epoch in range(EPOCHS):
        if epoch == 1:
            start = time.perf_counter()
        network.train()
        order = torch.randperm(len(setup.x))
        for x, y in zip(setup.x[order].split(64), setup.y[order].split(64), strict=True):
            optimizer.zero_grad()
            F.cross_entropy(network(x), y).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            loss = F.cross_entropy(network(x_val), y_val).item()
        if loss < best:
            best = loss
            {name: tensor.clone() for name, tensor in network.state_dict().items()}
    return (time.perf_counter() - start) / (EPOCHS - 1)


class Epochs(Callback):
    """Times all epochs but the first."""

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.current_epoch == 1:
            self.start = time.perf_counter()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.seconds = (time.perf_counter() - self.start) / (EPOCHS - 1)


def kindling(setup: Setup) -> float:
    """Return seconds of an epoch, the first one left out."""
    with TemporaryDirectory() as folder:
        words = ["name=bench", f"run_dir={folder}", "device=cpu", f"trainer.max_epochs={EPOCHS}"]
        cfg = compose_config(ROOT / "conf", [*words, "callbacks.early_stopping.patience=1000"])
        parts = {name: instantiate(cfg[name]) for name in ("optimizer", "scheduler")}
        counts = {"num_batches": -(-TINY.num_rows // 64), "batch_size": 64}
        task = instantiate(cfg.task)(setup.network(), setup.data.spec, **parts, **counts)
        trainer: Any = build_trainer(cfg, setup.data, task)
        watch = Epochs()
        trainer.callbacks.insert(0, watch)
        trainer.fit(task, setup.data)
    return watch.seconds


def main() -> None:
    """Let both take turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="turns of each; the median counts")
    repeats = parser.parse_args().repeats
    hide_adverts()
    logging.getLogger("lightning").setLevel(logging.ERROR)
    register_resolvers(ROOT)
    warnings.filterwarnings("ignore")
    setup = Setup(TINY)
    turns = [(kindling(setup), by_hand(setup)) for _ in range(repeats + 1)][1:]
    ours, other = (1e3 * statistics.median(times) for times in zip(*turns, strict=True))
    print("| ms an epoch | threads | Kindling | by hand | / by hand |\n|---|---|---|---|---|")
    threads = torch.get_num_threads()
    print(f"| {TINY.name} | {threads} | {ours:.1f} | {other:.1f} | {other / ours:.2f} |")


if __name__ == "__main__":
    main()
