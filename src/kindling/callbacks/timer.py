"""Time a run: how many seconds went into data, steps, validation, checkpoints and the rest."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from kindling import BEGAN_S
from kindling.distributed import sums

# Each kind in the order of a run: its name, and what it is or what makes it shorter.
KINDS = {
    "start_up": ("start-up", "torch and Lightning are imported, network and Trainer made"),
    "read": ("reading", "the data are read, checked and encoded"),
    "data": ("data", "steps wait for their batches"),
    "step": ("steps", "forward, backward, optimizer; trainer.profile=true shows more"),
    "validation": ("validation", "+trainer.check_val_every_n_epoch=5 evaluates less often"),
    "checkpoint": ("checkpoints", "weights and logs are written after each epoch"),
    "test": ("test", "all rows are evaluated with the best weights"),
    "baselines": ("baselines", "three more models are fitted; baselines=false leaves them out"),
    "bundle": ("bundle", "skops is imported to save the preprocessing; bundle=false leaves it out"),
    "profile": ("profile", "the recorded steps are summed up"),
    "report": ("report", "figures are drawn; report=false leaves it out"),
}
FIRST_RUN = iter([BEGAN_S])  # the imports are part of a process's first run
SMALLEST = 0.005  # share of the whole that is still named


class Timer(Callback):
    """Cuts time where Lightning goes from one kind of work to the next; twice for each chunk.

    It waits for no device. What a GPU still had to compute when Python was through with an
    epoch's steps is read from the GPU's own clock after the training, and counts as theirs.
    """

    supports_chunks = True  # any part of an epoch will do

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(("data", "step", "validation", "checkpoint"), 0.0)
        self.rows = 0  # that were learnt from
        self.last_s = self.trained_s = time.perf_counter()
        self.is_saving = False
        self.open: Interval | None = None
        self.intervals: list[Interval] = []

    @property
    def state_key(self) -> str:
        return "kindling.Timer"  # Lightning has a Timer as well

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds, self.rows = state_dict["seconds"], state_dict["rows"]

    def end_span(self, kind: str) -> None:
        """Let the time since the last span ended be of this kind."""
        now = time.perf_counter()
        self.seconds[kind] = self.seconds.get(kind, 0.0) + now - self.last_s
        self.last_s = now

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.trained_s = self.last_s = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end_span(
            "checkpoint"
        )  # behind the last hook of an epoch checkpoints and logs are written
        if pl_module.device.type == "cuda":
            self.open = Interval(cuda_mark(), self.last_s)

    def on_train_batch_start(self, *args: Any) -> None:
        self.end_span("checkpoint" if self.is_saving else "data")
        self.is_saving = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *args: Any
    ) -> None:
        self.end_span("step")
        self.rows += num_rows(batch)

    def on_save_checkpoint(self, *args: Any) -> None:
        self.is_saving = True  # among the steps; see on_train_batch_start

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end_span("checkpoint")
        self.close("validation")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end_span("validation")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.close("checkpoint")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end_span("checkpoint")
        for interval in self.intervals:
            late = interval.late_s()
            self.seconds["step"] += late
            self.seconds[interval.next_kind] -= late
        self.rows = int(sums([self.rows])[0])

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end_span("test")

    def close(self, next_kind: str) -> None:
        """End the steps of an epoch for a GPU; what waits for it first is of the next kind."""
        if self.open is not None:
            self.open.end, self.open.next_kind = cuda_mark(), next_kind
            self.open.host_s = time.perf_counter() - self.open.began_s
            self.intervals.append(self.open)
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


def num_rows(batch: Any) -> int:
    """Count the rows of a batch of any form: the length of its first tensor."""
    while isinstance(batch, dict | list | tuple) and len(batch):
        batch = next(iter(batch.values())) if isinstance(batch, dict) else batch[0]
    return len(batch) if hasattr(batch, "__len__") else 0


def describe_time(trainer: Any, data: Any) -> dict[str, Any]:
    """Return what belongs into metrics.json.

    The seconds of all kinds add up to the time since the run began. The pace is that of the
    training itself: batches and steps, nothing in between.
    """
    timer = next(callback for callback in trainer.callbacks if isinstance(callback, Timer))
    began_s = next(FIRST_RUN, data.began_s)
    read_s = data.ready_s - data.began_s
    start_up = timer.trained_s - began_s - read_s
    seconds = {"start_up": start_up, "read": read_s, **timer.seconds}
    pace = timer.rows / (seconds["data"] + seconds["step"]) if timer.rows else 0.0
    return {
        "rows_per_s": round(pace, 1),
        "timing": {kind: round(seconds.get(kind, 0.0), 3) for kind in KINDS},
    }


def time_line(metrics: dict[str, Any]) -> str:
    """Say how fast it was, where the time went, and what takes most of it."""
    seconds = metrics["timing"]
    total = sum(seconds.values())
    shares = [
        f"{name} {seconds[kind] / total:.0%}"
        for kind, (name, _) in KINDS.items()
        if seconds[kind] >= SMALLEST * total
    ]
    name, why = KINDS[max(seconds, key=lambda kind: seconds[kind])]
    pace = f"{total:.1f} s, {metrics['rows_per_s']:,.0f} rows/s in training"
    return f"{pace}; {', '.join(shares)}; most for {name}: {why}"
