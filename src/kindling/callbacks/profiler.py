"""A few steps of a training in; a picture of where their time goes, and a trace of them, out."""

import os
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.profiler import profile, record_function

from kindling.callbacks.step_cost import BETWEEN, STEPS, cost_of

MIN_STEPS = 20  # of the optimizer, that are recorded


class Profile(Callback):
    """Records some steps in the first epochs with torch's profiler, in chunks as always.

    The first chunk of a training is left out where there is another: it makes buffers and caches.
    """

    works_per_step = False  # whole chunks are recorded, as they are learnt without a profiler

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


def write_profile(trainer: Any, run: str) -> str:
    """Write step.png, and trace.json for a browser (chrome://tracing); return the picture."""
    from kindling.callbacks.picture import draw_cost  # matplotlib is not needed before

    taken = next(callback for callback in trainer.callbacks if isinstance(callback, Profile))
    if taken.profiler is None:
        return "no step was taken"  # a finished run was resumed
    folder = Path(run) / "profile"
    folder.mkdir(exist_ok=True)
    taken.profiler.export_chrome_trace(str(folder / "trace.json"))
    cost = cost_of(taken.profiler.events() or [], taken.num_steps)
    draw_cost(cost, folder / "step.png")
    return str(folder / "step.png")
