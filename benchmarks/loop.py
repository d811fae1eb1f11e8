"""Rows per second of one epoch: hand-written loops, the usual Lightning recipe, others, Kindling.

python benchmarks/loop.py                 # a few minutes; prints a Markdown table
python benchmarks/loop.py --repeats 3     # quicker, noisier

All take turns in one process, so that whatever else the machine does hits all of them; the median
of the turns counts. Every turn times one epoch with the same network, batch size, optimizer and
number of threads; building the data and the network is not counted. The two Trainers are timed in
their second epoch: what they do once, such as the pre-flight check, is no part of the loop.
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as train.py does, for all of them

import lightning
import numpy as np
import pandas as pd
import pyarrow as pa
import torch
import torchmetrics
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from kindling.config.compose import compose_config, register_resolvers
from kindling.errors import Problem
from kindling.images.image_schema import ImageSchema
from kindling.raw_data import RawData, RawTable
from kindling.run.build import build_trainer
from kindling.run.console import hide_adverts
from project.data.datamodule import DataModule
from project.models.cnn import CNN
from project.models.mlp import MLP

ROOT = Path(__file__).resolve().parents[1]
ADAMW = {"lr": 1e-3, "fused": True}


class Work(NamedTuple):
    """One row of the table: train rows, batch size, and which kind of data and network."""

    name: str
    num_rows: int
    batch_size: int
    is_image: bool


WORKS = [
    Work("MLP 128-128, 100k x 32, batch 256", 100_000, 256, False),
    Work("MLP 128-128, 100k x 32, batch 1024", 100_000, 1024, False),
    Work("CNN, 6k of 28x28 grey, batch 128", 6_000, 128, True),
]


class Made:
    """A source of random rows; the last of them are val and test."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def missing(self) -> list[Problem]:
        return []

    def read(self) -> RawData:
        rng, total = np.random.default_rng(0), self.work.num_rows + 200
        if self.work.is_image:
            x = rng.integers(0, 256, (total, 1, 28, 28), dtype=np.uint8)
        else:
            x = pd.DataFrame(rng.normal(size=(total, 32)), columns=[f"x{i}" for i in range(32)])
        rows: object = x
        if not self.work.is_image:
            table = pa.Table.from_pandas(x)
            names = tuple(table.column_names)
            rows = (RawTable("made up", names, np.arange(total), lambda: iter([table])),)
        given = {"val": np.arange(total - 200, total - 100), "test": np.arange(total - 100, total)}
        y = rng.integers(0, 10, total)
        schema = ImageSchema(1, 28, 28) if self.work.is_image else None
        return RawData(rows, y, "y", False, "made up", np.arange(total), given, images=schema)  # type: ignore[arg-type]


class Setup:
    """The data and a fresh network, the same for all three."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.data = DataModule(
            Made(work),
            batch_size=work.batch_size,
            eval_batch_size=1024,
            val_fraction=0.1,
            test_fraction=0.1,
            drop_last=False,
            num_workers=0,
            seed=0,
        )
        self.data.setup()
        rows = torch.from_numpy(self.data.split["train"])
        x = self.data.x[rows]
        self.x = self.data.pixel_scaler(x) if work.is_image else x
        self.y = self.data.y[rows]

    def network(self) -> nn.Module:
        torch.manual_seed(0)
        spec = self.data.spec
        return CNN(spec) if self.work.is_image else MLP(spec, width=128, depth=2, dropout=0.0)


def learn(setup: Setup, batches: Iterator[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """A loop over batches; nothing is counted, clipped, evaluated or saved."""
    network = setup.network()
    optimizer = torch.optim.AdamW(network.parameters(), **ADAMW)
    network.train()
    start = time.perf_counter()
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimizer.step()
    return time.perf_counter() - start


def sliced(setup: Setup) -> float:
    """(a) The rows are shuffled once, then cut into slices."""

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order, size = torch.randperm(len(setup.x)), setup.work.batch_size
        yield from zip(setup.x[order].split(size), setup.y[order].split(size), strict=True)

    return learn(setup, batches())


def gathered(setup: Setup) -> float:
    """(a) Each batch is gathered from its rows."""
    parts = torch.randperm(len(setup.x)).split(setup.work.batch_size)
    return learn(setup, ((setup.x[rows], setup.y[rows]) for rows in parts))


class UsualModule(lightning.LightningModule):
    """What most templates show: automatic optimization, a metric and two logs a step."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=10)

    def training_step(self, batch: tuple, batch_idx: int) -> torch.Tensor:
        x, y = batch
        logits = self.network(x)
        loss = F.cross_entropy(logits, y)
        self.accuracy(logits, y)
        self.log("train/loss", loss, on_step=True, on_epoch=True, prog_bar=True)
        self.log("train/acc", self.accuracy, on_step=True, on_epoch=True, prog_bar=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.network.parameters(), lr=1e-3)


class Stopwatch(Callback):
    """Times the last epoch, with its validation where there is one."""

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: object) -> None:
        self.start = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: object) -> None:
        self.seconds = time.perf_counter() - self.start


def usual(setup: Setup) -> float:
    """(b) Samples collated one by one, Lightning's defaults; nobody looks at the bar here."""
    dataset = TensorDataset(setup.x, setup.y)
    loader = DataLoader(dataset, batch_size=setup.work.batch_size, shuffle=True)
    watch, module = Stopwatch(), UsualModule(setup.network())
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        void = stack.enter_context(Path(os.devnull).open("w"))
        stack.enter_context(redirect_stdout(void))
        stack.enter_context(redirect_stderr(void))
        trainer = lightning.Trainer(
            max_epochs=2, accelerator="cpu", callbacks=[watch], default_root_dir=folder
        )
        trainer.fit(module, loader)
    return watch.seconds


def kindling(setup: Setup) -> float:
    """(c) All of conf/: callbacks, checkpoints, TensorBoard and the scheduler included."""
    with TemporaryDirectory() as folder:
        words = ["name=bench", f"run_dir={folder}", "device=cpu", "trainer.max_epochs=2"]
        cfg = compose_config(ROOT / "conf", words)
        task = instantiate(cfg.task)(
            setup.network(),
            setup.data.spec,
            optimizer=instantiate(cfg.optimizer),
            scheduler=instantiate(cfg.scheduler),
            num_batches=-(-setup.work.num_rows // setup.work.batch_size),
            batch_size=setup.work.batch_size,
        )
        trainer, watch = build_trainer(cfg, setup.data, task), Stopwatch()
        trainer.callbacks.insert(0, watch)
        trainer.fit(task, setup.data)
    return watch.seconds


def skorch(setup: Setup) -> float:
    """(d) skorch with its defaults, quiet and without a validation split."""
    from skorch import NeuralNetClassifier

    net = NeuralNetClassifier(
        setup.network(),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        batch_size=setup.work.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).initialize()
    start = time.perf_counter()
    net.partial_fit(setup.x, setup.y, epochs=1)
    return time.perf_counter() - start


def scikit(setup: Setup) -> float:
    """(e) scikit-learn's own network: one pass over shuffled batches, with Adam."""
    net = MLPClassifier((128, 128), batch_size=setup.work.batch_size)
    x, y = setup.x.numpy(), setup.y.numpy()
    with threadpool_limits(torch.get_num_threads()):
        start = time.perf_counter()
        net.partial_fit(x, y, classes=np.arange(10))
        return time.perf_counter() - start


CONTENDERS: dict[str, Callable[[Setup], float]] = {
    "slices": sliced,
    "gathered": gathered,
    "usual recipe": usual,
    "skorch": skorch,
    "scikit-learn": scikit,
    "Kindling": kindling,
}


def measure(work: Work, repeats: int) -> dict[str, float]:
    """Let all take turns; return the median rows per second of each."""
    setup = Setup(work)
    kindling(setup)  # chooses the number of threads, for all
    names = [n for n in CONTENDERS if not (work.is_image and n in ("skorch", "scikit-learn"))]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats + 1):
        for name in names:
            taken = CONTENDERS[name](setup)
            if turn > 0:  # the first warms up
                seconds[name].append(taken)
    return {name: work.num_rows / statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    """Measure every work and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="turns of each; the median counts")
    parser.add_argument("--share", type=float, default=1.0, help="of the rows, for a quick look")
    arguments = parser.parse_args()
    hide_adverts()
    register_resolvers(ROOT)
    warnings.filterwarnings("ignore")  # the usual recipe warns
    others = [name for name in CONTENDERS if name != "Kindling"]
    heads = ["rows/s", "threads", "Kindling", *others, "/ by hand", "/ usual", "/ skorch"]
    print(f"| {' | '.join([*heads, '/ scikit-learn'])} |\n|{'---|' * (len(heads) + 1)}")
    for full in WORKS:
        name = full.name if arguments.share == 1 else f"{full.name}: {arguments.share:.0%} of it"
        work = full._replace(name=name, num_rows=int(full.num_rows * arguments.share))
        speed = measure(work, arguments.repeats)
        ours, by_hand = speed["Kindling"], max(speed["slices"], speed["gathered"])
        rivals = [by_hand, *(speed.get(n) for n in ("usual recipe", "skorch", "scikit-learn"))]
        ratios = [f"{ours / rival:.2f}" if rival else "" for rival in rivals]
        cells = [f"{speed[name]:,.0f}" if name in speed else "" for name in ("Kindling", *others)]
        row = [work.name, str(torch.get_num_threads()), *cells, *ratios]
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
