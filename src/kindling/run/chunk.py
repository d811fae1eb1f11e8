"""How many batches one call of training_step may learn from, so that the call's price is shared.

Lightning spends 0.2 to 0.4 ms around each call (2.6, on a laptop's core), as much as a small
network's step takes. Where something looks at single batches, every call gets one.
"""

from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from kindling.data.datamodule import DataModule

MAX_VALUES = 2**18  # numbers in a chunk: 1 MB; larger steps do not notice the price of a call
BATCH_HOOKS = ("on_train_batch_start", "on_train_batch_end")


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
