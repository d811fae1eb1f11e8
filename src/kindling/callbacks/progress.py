"""One bar for the whole training, redrawn a few times a second at most."""

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm


class Progress(Callback):
    """Shows epochs, losses and the rest of the time on a terminal; nothing elsewhere.

    Args:
        refresh_s: seconds between two redraws.
    """

    supports_chunks = True  # any part of an epoch will do

    def __init__(self, refresh_s: float) -> None:
        self.refresh_s = refresh_s

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        calls, task = int(trainer.num_training_batches), pl_module
        # Behind these begins a run that goes on within an epoch.
        done = getattr(task, "batches_done", 0) // getattr(task, "steps_per_call", 1)
        self.bar = tqdm(
            total=calls * (trainer.max_epochs or 1),
            initial=trainer.current_epoch * calls + done,
            disable=None if trainer.is_global_zero else True,  # None: only where a person looks
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            dynamic_ncols=True,
            leave=False,
            mininterval=self.refresh_s,
        )

    def on_train_batch_end(self, *args: Any, **kwargs: Any) -> None:
        self.bar.update()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Here, because the numbers of the last epoch are complete only now.
        shown = {k: f"{v:.4g}" for k, v in trainer.callback_metrics.items() if "/" in k}
        self.bar.set_description(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}", False)
        self.bar.set_postfix(shown, refresh=False)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.bar.close()

    def on_exception(self, *args: Any) -> None:
        if hasattr(self, "bar"):
            self.bar.close()
