"""Lightning's price around each step, paid less often: it is as high as a small network's step.

Measured with Lightning 2.6 on one laptop core: 0.2 to 0.4 ms around each call of training_step,
and 2 us for each of some twenty profiler contexts a step, whether or not a profiler is there.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.profilers import PassThroughProfiler

from kindling.data.datamodule import DataModule
from kindling.task.supervised import Task

MAX_VALUES = 2**18  # numbers in a chunk: 1 MB; larger steps do not notice the price of a call
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")


def pay_less_often(data: DataModule, task: Task, trainer: Any) -> None:
    """Let calls learn from several batches where nobody looks at single ones; open no contexts."""
    task.steps_per_call = choose_batches_per_chunk(data, trainer, task.steps_per_call)
    data.batches_per_chunk = task.steps_per_call
    if type(trainer.profiler) is PassThroughProfiler:
        trainer.profiler = NoProfiler()


class NoProfiler(PassThroughProfiler):
    """Measures nothing, as Lightning's default, but does not even make a generator for it."""

    context = nullcontext("")

    def profile(self, action_name: str) -> AbstractContextManager:  # type: ignore[override]
        return self.context


def choose_batches_per_chunk(data: DataModule, trainer: Trainer, most: int) -> int:
    """Return 1 where batches are counted one by one, else as many as are worth it."""
    if counts_batches(trainer):
        return 1
    values = data.x[0].numel() * data.batch_size
    return max(1, min(most, MAX_VALUES // values))


def counts_batches(trainer: Any) -> bool:
    """Say whether a limit, a strategy or a callback needs every batch in a call of its own."""
    is_limited = (
        trainer.limit_train_batches != 1.0
        or trainer.val_check_interval != 1.0
        or trainer.max_steps != -1
        or trainer.fast_dev_run
        or trainer.overfit_batches
        or trainer.world_size > 1
        or trainer.precision != "32-true"  # autocast keeps a copy of the weights for a whole call
    )
    return bool(is_limited) or any(works_per_step(callback) for callback in trainer.callbacks)


def works_per_step(callback: Callback) -> bool:
    """Say whether a callback does something at single batches; it may deny it itself."""
    if isinstance(callback, ModelCheckpoint):
        return bool(callback._every_n_train_steps or callback._train_time_interval)
    overrides = any(getattr(type(callback), h) is not getattr(Callback, h) for h in BATCH_HOOKS)
    return overrides and getattr(callback, "works_per_step", True)
