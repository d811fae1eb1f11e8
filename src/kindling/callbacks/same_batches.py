"""Let every epoch have the batches of the first one, to see whether they can be learnt by heart."""

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.utils.data import SequentialSampler

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting

LEFT = 0.1  # of the first loss, at most: then the batches are learnt


class SameBatches(Callback):
    """Draws the same order of rows in every epoch; notes how the loss on them goes.

    With `trainer.limit_train_batches=1` a single batch is learnt.
    """

    supports_chunks = True

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        sampler: Any = getattr(trainer.train_dataloader, "sampler", None)
        if isinstance(sampler, SequentialSampler):
            return
        if not hasattr(sampler, "set_epoch"):
            rule = "callbacks.same_batches needs train rows in an order that set_epoch draws"
            got = f"a loader with {type(sampler).__name__}"
            fix = "make the loader with shuffle=False"
            ways = (fix, Setting("~callbacks.same_batches", words="to take it out"))
            raise ConfigError(Problem(rule, got, ways))
        sampler.set_epoch(0)  # Lightning has set the epoch just before

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if "train/loss" in trainer.callback_metrics:
            self.losses.append(float(trainer.callback_metrics["train/loss"]))


def learnt_line(trainer: Trainer) -> dict[str, str]:
    """Say whether the same batches were learnt; nothing where they were not the same."""
    losses = [c.losses for c in trainer.callbacks if isinstance(c, SameBatches)]  # type: ignore[attr-defined]
    if not losses or len(losses[0]) < 2:
        return {}
    first, last = losses[0][0], losses[0][-1]
    told = "learnt by heart" if last <= LEFT * first else f"NOT learnt: over {LEFT:.0%} is left"
    return {"batches": f"loss {first:.4g} -> {last:.4g} in {len(losses[0])} epochs: {told}"}
