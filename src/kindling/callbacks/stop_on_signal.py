"""Let a training that a signal stops finish its step, and be saved, before it ends."""

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from kindling.callbacks.run_checkpoint import RunCheckpoint
from kindling.distributed import largest
from kindling.trainer.signals import STOP


class StopOnSignal(Callback):
    """Ends the training at the first place where all of it is saved, or can be."""

    supports_chunks = True  # behind any of them

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        agree()
        STOP.raise_if_asked()
        if STOP.heard:
            STOP.listen()  # Lightning has put its own for SIGTERM, which ends a validation midway
            STOP.is_held = True

    def on_train_batch_end(self, trainer: Any, *args: Any) -> None:
        agree()
        # A state behind an epoch's last batch would be one without its validation.
        if STOP.asked is None or trainer.is_last_batch:
            return
        savers = [c for c in trainer.callbacks if isinstance(c, RunCheckpoint)]
        if all(saver.save_within_epoch(trainer) for saver in savers if saver.goes_on(trainer)):
            STOP.raise_if_asked()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        agree()
        STOP.raise_if_asked()  # the epoch before is saved

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        STOP.is_held = False
        agree()
        STOP.raise_if_asked()

    def on_exception(self, *args: Any) -> None:
        STOP.is_held = False


def agree() -> None:
    """Let all processes stop where one of them is asked to."""
    STOP.asked = largest(STOP.asked or 0) or None
