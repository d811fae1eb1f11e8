"""End a trial that is worse than others were by then: asked at rungs, epochs 1, 2, 4, 8, ..."""

import math
import os
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.trainer.states import TrainerFn

from kindling.search.study import PRUNED, TRIAL, load_trial


class Pruning(Callback):
    """Reports the monitored value to the search that has started this run, and asks whether to end.

    Started by anybody else, for instance by `resume=`, the run goes on to its end.

    Args:
        monitor: what the search goes by.
    """

    supports_chunks = True

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor
        self.folder = Path(os.environ[TRIAL]) if TRIAL in os.environ else None
        self.rung = 0  # the last one that was reported
        self.trial: Any = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.folder is None or trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:
            return
        value = float(trainer.callback_metrics.get(self.monitor, math.nan))
        # Of several processes one speaks to the study, and all do what it is told.
        epoch = trainer.current_epoch + 1
        is_worse = trainer.is_global_zero and self.is_worse(value, epoch)
        if trainer.strategy.broadcast(is_worse) and epoch != trainer.max_epochs:
            raise SystemExit(PRUNED)

    def is_worse(self, value: float, epoch: int) -> bool:
        """Report the value if a rung is reached; say whether the trial is to end here."""
        assert self.folder is not None
        rung = 1 << (epoch.bit_length() - 1)  # not each epoch need be validated
        if rung == self.rung or not math.isfinite(value):
            return False
        self.rung = rung
        self.trial = self.trial or load_trial(self.folder)
        if rung in self.trial.study.trials[self.trial.number].intermediate_values:
            return False  # before it was killed, and taken up again
        self.trial.report(value, rung)
        return bool(self.trial.should_prune())
