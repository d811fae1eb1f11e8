"""The hooks of a training in; the seconds that each kind of its work took out."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from kindling.types import Batch


class Timer(Callback):
    """Cuts time where Lightning goes from one kind of work to the next; twice for each chunk.

    It waits for no device. What a GPU still had to compute when Python was through with an
    epoch's steps is read from the GPU's own clock after the training, and counts as theirs.
    """

    works_per_step = False  # any part of an epoch will do

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("data", "step", "validation", "checkpoint"), 0.0)
        self.rows = 0  # that were learnt from
        self.last_s = self.trained_s = time.perf_counter()
        self.is_saving = False
        self.open: Interval | None = None
        self.stretches: list[Interval] = []

    def lap(self, kind: str) -> None:
        """Let what went by since the last lap be of this kind."""
        now = time.perf_counter()
        self.seconds[kind] = self.seconds.get(kind, 0.0) + now - self.last_s
        self.last_s = now

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.trained_s = self.last_s = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lap("checkpoint")  # behind the last hook of an epoch checkpoints and logs are written
        if pl_module.device.type == "cuda":
            self.open = Interval(cuda_mark(), self.last_s)

    def on_train_batch_start(self, *args: Any) -> None:
        self.lap("checkpoint" if self.is_saving else "data")
        self.is_saving = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, *args: Any
    ) -> None:
        self.lap("step")
        self.rows += len(batch.y)

    def on_save_checkpoint(self, *args: Any) -> None:
        self.is_saving = True  # among the steps; see on_train_batch_start

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lap("checkpoint")
        self.close("validation")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lap("validation")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.close("checkpoint")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lap("checkpoint")
        for stretch in self.stretches:
            late = stretch.late_s()
            self.seconds["step"] += late
            self.seconds[stretch.next_kind] -= late

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.lap("test")

    def close(self, next_kind: str) -> None:
        """End the steps of an epoch for a GPU; what waits for it first is of the next kind."""
        if self.open is not None:
            self.open.end, self.open.next_kind = cuda_mark(), next_kind
            self.open.host_s = time.perf_counter() - self.open.began_s
            self.stretches.append(self.open)
            self.open = None


@dataclass
class Interval:
    """An epoch's steps between two marks among the GPU's work, and on Python's clock."""

    begin: torch.cuda.Event
    began_s: float
    end: torch.cuda.Event | None = None
    host_s: float = 0.0
    next_kind: str = ""

    def late_s(self) -> float:
        """Return how much longer the GPU took than Python."""
        assert self.end is not None
        self.end.synchronize()  # after the training: nothing is left to wait for
        return max(0.0, self.begin.elapsed_time(self.end) / 1000 - self.host_s)


def cuda_mark() -> torch.cuda.Event:
    """Put a mark behind the work that the GPU has been given so far; Python goes on at once."""
    mark = torch.cuda.Event(enable_timing=True)
    mark.record()
    return mark
