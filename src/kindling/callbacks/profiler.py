"""Profile some steps of a training with torch's profiler: where their time goes, and a trace."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.profiler import profile, record_function

MIN_STEPS = 20  # of the optimizer, that are recorded
STEPS, BETWEEN = "kindling: steps", "kindling: between epochs"  # names given to spans of time
PYTHON = "Python"  # whatever goes by between operators, in any phase
PHASES = ("data", "forward and loss", "backward", "optimizer", PYTHON)
# What stands around operators: torch's names for its loops, and ours.
AROUND = (STEPS, "Optimizer.", "autograd::", "torch::autograd::", "enumerate(DataLoader)")
MAX_NAME = 40  # letters

Times = dict[tuple[str, str], float]  # us of each operator in each phase


class Profile(Callback):
    """Records some steps in the first epochs with torch's profiler, in chunks as always.

    The first chunk of a training is left out where there is another: it makes buffers and caches.
    """

    supports_chunks = True  # whole chunks are recorded, as they are learnt without a profiler

    def __init__(self) -> None:
        self.profiler: profile | None = None
        self.range: record_function | None = None
        self.first_step = self.num_steps = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        chunks = int(trainer.num_training_batches) * (trainer.max_epochs or 1)
        self.is_cold = chunks > 1

    def on_train_batch_start(self, trainer: Trainer, *args: Any) -> None:
        if self.num_steps or self.is_cold:
            return
        self.begin(trainer)
        self.enter(STEPS)

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        self.leave()
        if self.is_cold:
            self.is_cold = False
            self.begin(trainer)  # here, so that the next chunk's data is recorded too
        elif self.is_on and trainer.global_step - self.first_step >= MIN_STEPS:
            self.end(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.enter(BETWEEN)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.leave()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.enter(BETWEEN)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.leave()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end(trainer)

    def on_exception(self, trainer: Trainer, *args: Any) -> None:
        self.end(trainer)

    @property
    def is_on(self) -> bool:
        return self.profiler is not None and not self.num_steps

    def begin(self, trainer: Trainer) -> None:
        """Start to record, if that has not begun."""
        if self.profiler is None:
            os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it says on stderr that it starts
            self.profiler, self.first_step = profile(), trainer.global_step
            self.profiler.start()

    def end(self, trainer: Trainer) -> None:
        """Stop, if something is recorded."""
        self.leave()
        if self.profiler is not None and not self.num_steps:
            self.profiler.stop()
            self.num_steps = max(1, trainer.global_step - self.first_step)

    def enter(self, name: str) -> None:
        """Call what is recorded from here on by a name."""
        if self.is_on:
            self.leave()
            self.range = record_function(name)
            self.range.__enter__()

    def leave(self) -> None:
        """End what has a name."""
        if self.range is not None:
            self.range.__exit__(None, None, None)
            self.range = None


@dataclass
class Cost:
    """Microseconds of one optimizer step.

    Args:
        num_steps: that were recorded.
        cpu: by (operator, phase), without what it calls.
        gpu: the same, of the kernels that it starts; empty without a GPU.
    """

    num_steps: int
    cpu: Times = field(default_factory=lambda: defaultdict(float))
    gpu: Times = field(default_factory=lambda: defaultdict(float))


def cost_of(events: Iterable[Any], num_steps: int) -> Cost:
    """Sum up the events of all steps, each by the phase that it happened in."""
    cost = Cost(num_steps)
    for event in events:
        phase = phase_of(event)
        if phase is None or "CPU" not in str(event.device_type):
            continue  # kernels come again as what their operators took on the device
        key = (event.name.removeprefix("aten::")[:MAX_NAME], phase)
        if event.name.startswith(AROUND) or event.name.endswith("Backward0"):
            key = (PYTHON, PYTHON)
        cost.cpu[key] += event.self_cpu_time_total / num_steps
        if event.self_device_time_total > 0:
            cost.gpu[key] += event.self_device_time_total / num_steps
    return cost


def phase_of(event: Any) -> str | None:
    """Follow an event to what it is a part of; None is nothing of a step."""
    while event is not None:
        name = event.name
        if name.startswith("Optimizer."):
            return "optimizer"
        if name.startswith("autograd::engine"):
            return "backward"
        if name == STEPS:
            return "forward and loss"
        if name == BETWEEN:
            return None
        event = event.cpu_parent
    return "data"  # before a chunk: rows are taken, moved and augmented


def totals(times: Times) -> dict[str, float]:
    """Add up operators to phases."""
    sums = dict.fromkeys(PHASES, 0.0)
    for (_, phase), us in times.items():
        sums[phase] += us
    return sums


def top(times: Times, number: int) -> list[str]:
    """Return the operators that take longest, the longest first."""
    sums: dict[str, float] = defaultdict(float)
    for (operator, phase), us in times.items():
        if phase != PYTHON:
            sums[operator] += us
    return sorted(sums, key=lambda operator: -sums[operator])[:number]
