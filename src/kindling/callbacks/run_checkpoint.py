"""Save a run so that it goes on with the same bits: between steps, at epoch ends, when it stops."""

import math
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.trainer.states import TrainerFn

from kindling.callbacks.finite_loss import FiniteLoss
from kindling.checkpoints import clean_up, remove_checkpoints, remove_left_over, write_checkpoint
from kindling.config.ranges import Range
from kindling.contract import PlansSteps, StartsMidEpoch
from kindling.disk import disk_error
from kindling.distributed import WORLD, first_of_joined, gather, of_first, own_part
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.trainer.lightning_state import (
    copied,
    goes_on_mid_epoch,
    has_stopped_early,
    let_files_be_of,
    move_in_epoch,
    position,
    take_rates,
)
from kindling.trainer.log_position import log_positions
from kindling.trainer.random_state import random_state, set_random_state

STATE = "kindling"  # a checkpoint's key for all that is ours
EPOCH_ENDS_S = 5.0  # epochs of 10 ms have no time for files
SHARE = 0.02  # of the time may be spent on writing
WEIGHTS = ("epoch", "global_step", "pytorch-lightning_version", "state_dict")


class RunCheckpoint(Checkpoint):
    """Keeps the newest states of a run in its folder, and the best weights.

    After each epoch a copy of the state is taken into memory. It is written at once where the last
    file is some seconds old; else at the end of the training, in an error, or when the process is
    told to stop: then it waits no longer. Within a long epoch a state is taken and written every
    `every_s` seconds, where data module and task can go on there. Where writing is slow, it is done
    less often: it takes 2 % of the time at most. Of several processes the first one writes, and its
    clock decides; any number of them goes on from it.

    Args:
        dirpath: the folder.
        monitor: what the best weights are chosen by, after each validation.
        mode: whether a good one is small or large.
        keep: states that stay; more than one, since the newest may be damaged.
        every_s: seconds between two states within an epoch; None: at its end only.
        every_n_steps: optimizer steps between two of them; None: by the clock only.
        full_disk: whether a disk that is full stops the training, or is only told, once: then it
            goes on with older files, and must have room again when the training ends.
    """

    supports_chunks = True  # behind any of them

    def __init__(
        self,
        dirpath: str,
        monitor: str,
        mode: Literal["min", "max"],
        keep: Annotated[int, Range(1)] = 2,
        every_s: Annotated[float | None, Range(0)] = 30.0,
        every_n_steps: Annotated[int | None, Range(1)] = None,
        full_disk: Literal["stop", "go_on"] = "stop",
    ) -> None:
        self.folder, self.monitor, self.mode, self.keep = Path(dirpath), monitor, mode, keep
        self.every_s, self.every_n_steps = every_s, every_n_steps
        self.full_disk, self.is_told = full_disk, False
        self.supports_chunks = every_n_steps is None  # else a chunk might hide a step
        self.best_model_path = ""
        self.best_model_score: float | None = None
        self.notes: dict[str, Any] = {}  # plain values that every checkpoint gets
        self.state: dict[str, Any] | None = None  # the newest; None: it is on the disk
        self.best: dict[str, Any] | None = None  # likewise
        self.is_settled = self.has_validated = self.has_written = False
        self.can_go_on: bool | None = None  # not looked at yet
        self.seconds = 0.0  # of training, in earlier parts of the run and in those that have ended
        self.began_s = self.written_s = 0.0
        self.take_s = self.cost_s = 0.0  # that the last state took, and its file with it
        self.saved_step = 0
        self.logs: dict[str, int] = {}  # how far they go, also those of earlier parts of the run
        self.planned_epochs: int | None = None  # of the training that a resumed run began as

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.began_s = time.monotonic()
        if WORLD.is_first:
            remove_left_over(self.folder)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.saved_step, self.written_s = trainer.global_step, time.monotonic()
        self.can_go_on = None
        if trainer.global_step == 0 and WORLD.is_first:
            remove_checkpoints(self.folder)  # of another run, which was started in this folder

    def on_train_batch_end(self, trainer: Trainer, *args: Any) -> None:
        if of_first(self.is_due(self.every_s) or self.is_due_by_steps(trainer)):
            self.save_within_epoch(trainer)

    def is_due(self, every_s: float | None) -> bool:
        """Say whether it is so long ago that a file was written, or that the training began."""
        if every_s is None:
            return False
        return time.monotonic() - self.written_s >= max(every_s, self.cost_s / SHARE)

    def is_due_by_steps(self, trainer: Trainer) -> bool:
        n = self.every_n_steps
        return n is not None and trainer.global_step // n > self.saved_step // n

    def goes_on(self, trainer: Trainer) -> bool:
        """Say whether a run can go on within an epoch, see `goes_on_mid_epoch`."""
        if self.can_go_on is None:
            self.can_go_on = goes_on_mid_epoch(trainer)
        return self.can_go_on

    def save_within_epoch(self, trainer: Trainer) -> bool:
        """Take and write the state, if the run can go on from here: between two steps of an epoch.

        Behind the last of an epoch it can't: Lightning would leave out the validation.
        """
        task: Any = trainer.lightning_module
        if (
            not self.goes_on(trainer)
            or trainer.is_last_batch
            or trainer.global_step == trainer.max_steps
            or task.batches_done % task.accumulate
        ):
            return False
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # mypy does not see it
            if isinstance(callback, FiniteLoss):
                callback.check(trainer)
        self.take(trainer)
        self.settle(trainer)
        self.try_to_write()
        return True

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.has_validated = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        is_better = self.is_better(trainer)
        self.take(trainer)
        if is_better and self.state is not None:
            names = (*WEIGHTS, *self.notes)
            self.best = {name: self.state[name] for name in names}

    def is_better(self, trainer: Trainer) -> bool:
        """Compare the monitored value with the best one so far, and remember it if it is better."""
        if self.monitor not in trainer.callback_metrics:
            if not self.has_validated:
                return False  # trainer.check_val_every_n_epoch
            names = ", ".join(sorted(map(str, trainer.callback_metrics))) or "nothing"
            got = f"monitor={self.monitor}; what is logged: {names}"
            fix = Setting("monitor", ..., "one of these")
            raise ConfigError(Problem("monitor must be something that is logged", got, fix))
        value = float(trainer.callback_metrics[self.monitor])
        sign = 1 if self.mode == "min" else -1
        value = sign * math.inf if math.isnan(value) else value
        if self.best_model_score is not None and sign * value >= sign * self.best_model_score:
            return False
        self.best_model_score = value
        return True

    def take(self, trainer: Trainer) -> None:
        """Copy the state of the run into memory: its own place in it is complete with `settle`."""
        began_s = time.monotonic()
        state = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
        # The others are made anew each time.
        if WORLD.is_first:
            later = {name: copied(state[name]) for name in state if name not in ("loops", STATE)}
            self.state, self.is_settled = state | later, False
        self.saved_step, self.take_s = trainer.global_step, time.monotonic() - began_s

    def settle(self, trainer: Any) -> None:
        """Add what comes behind the end of an epoch: Lightning's last numbers, other callbacks."""
        if self.state is None or self.is_settled:
            return
        self.is_settled = True
        self.logs = self.logs | log_positions(trainer.loggers)
        self.state[STATE]["logs"] = self.logs
        for callback in trainer.checkpoint_callbacks:
            if callback is not self and callback.state_dict():
                self.state["callbacks"][callback.state_key] = copied(callback.state_dict())
        if trainer.lightning_module.automatic_optimization:
            take_rates(trainer, self.state)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.settle(trainer)
        if self.is_due(EPOCH_ENDS_S) or not self.has_written:
            self.try_to_write()

    def try_to_write(self) -> None:
        """Write what waits; what a full disk does not take waits on, if that is asked for."""
        try:
            self.write()
        except Exception as error:
            refusal = disk_error(error)
            if refusal is None or self.full_disk == "stop":
                raise
            if not self.is_told:
                sys.stderr.write(f"\nno checkpoint could be written: {refusal}; goes on\n")
            self.is_told, self.has_written, self.written_s = True, True, time.monotonic()

    def write(self) -> None:
        """Write what waits, the best weights before the state that counts on them."""
        if self.state is None:
            return
        began_s = time.monotonic()
        if self.best is not None:
            place = {"epoch": self.best["epoch"] + 1, "step": self.best["global_step"]}
            best = write_checkpoint(self.folder, self.best, **place, best=True)
            self.best_model_path, self.best = str(best), None
        self.state[STATE]["best_file"] = Path(self.best_model_path).name
        place = {"epoch": self.state["epoch"] + 1, "step": self.state["global_step"]}
        written = write_checkpoint(self.folder, self.state, **place)
        self.state = None
        in_use = [Path(self.best_model_path)] if self.best_model_path else []
        clean_up(self.folder, newest=written, keep=self.keep, in_use=in_use)
        self.has_written, self.written_s = True, time.monotonic()
        self.cost_s = self.take_s + self.written_s - began_s

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.settle(trainer)
        self.write()
        self.best_model_path = of_first(self.best_model_path)

    def on_exception(self, trainer: Trainer, *args: Any) -> None:
        if trainer.state.fn == TrainerFn.FITTING:
            self.settle(trainer)
            self.write()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.seconds += time.monotonic() - self.began_s

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint |= self.notes
        checkpoint[STATE] = position(trainer) | {
            "seconds": self.seconds + time.monotonic() - self.began_s,
            "is_stopped": has_stopped_early(trainer),
            "best_score": self.best_model_score,
            "best_file": Path(self.best_model_path).name,
            "random": gather(random_state()),
            "planned_steps": pl_module.most_steps if isinstance(pl_module, PlansSteps) else 0,
            "planned_epochs": self.planned_epochs or trainer.max_epochs,
        }

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        let_files_be_of(self.folder, checkpoint)
        state = checkpoint.get(STATE)
        if state is None or trainer.state.fn != TrainerFn.FITTING:
            return
        self.seconds, self.best_model_score = state["seconds"], state["best_score"]
        self.logs = dict(state["logs"])
        best = Path(state["best_file"]).name
        self.best_model_path = str(self.folder / best) if best else ""
        trainer.should_stop = state["is_stopped"]
        # Here, before Lightning makes the loaders, which draw the order of their rows at once.
        set_random_state(own_part(state["random"]) or state["random"][0])
        data = trainer.datamodule  # type: ignore[attr-defined]  # mypy does not see it
        if isinstance(pl_module, PlansSteps):
            pl_module.planned_steps = state["planned_steps"]
        self.planned_epochs = state["planned_epochs"]
        if isinstance(data, StartsMidEpoch):
            data.begins_at = state["epoch"], state["batch"]
        if state["batch"]:
            task: Any = pl_module
            move_in_epoch(checkpoint, state["batch"] // task.steps_per_call)
            task.on_train_epoch_start()  # which Lightning leaves out in an epoch that goes on
            task.batches_done = state["batch"]
            if counted := own_part(state["counted"]) or first_of_joined(state["counted"]):
                task.train_metrics.load_state_dict(counted)
