"""What is read from Lightning's own state of a run, or put right in it, so that it goes on exactly.

Its place in an epoch, learning rates that are set late, early stopping, the names of files.
"""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor

from kindling.contract import DATA_HOOKS, TASK_HOOKS, CountsBatches, StartsMidEpoch, takes_chunks
from kindling.distributed import gather


def goes_on_mid_epoch(trainer: Any) -> bool:
    """Say whether a run can go on within an epoch with the same bits."""
    task, data = trainer.lightning_module, trainer.datamodule
    is_counted = isinstance(task, CountsBatches) and isinstance(data, StartsMidEpoch)
    both = takes_chunks(task, TASK_HOOKS) and takes_chunks(data, DATA_HOOKS)
    validates_at_end = type(trainer.val_check_interval) is float and trainer.val_check_interval == 1
    return is_counted and both and validates_at_end


def position(trainer: Any) -> dict[str, Any]:
    """Return the epoch, how many of its batches are learnt, and what each process counted in them.

    At an epoch's end these are none of the next one.
    """
    epochs, task = trainer.fit_loop.epoch_progress.current, trainer.lightning_module
    is_within = epochs.started > epochs.processed and not trainer.is_last_batch
    if not is_within or not isinstance(task, CountsBatches):
        return {"epoch": epochs.started, "batch": 0}
    counted = gather(copied(task.train_metrics.state_dict()))
    return {"epoch": epochs.processed, "batch": task.batches_done, "counted": counted}


def take_rates(trainer: Any, state: dict[str, Any]) -> None:
    """Take the learning rates once more: Lightning steps a ReduceLROnPlateau behind the hook."""
    schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
    state["lr_schedulers"] = [copied(scheduler.state_dict()) for scheduler in schedulers]
    for saved, optimizer in zip(state["optimizer_states"], trainer.optimizers, strict=True):
        for group, now in zip(saved["param_groups"], optimizer.param_groups, strict=True):
            group["lr"] = copied(now["lr"])


def has_stopped_early(trainer: Any) -> bool:
    """Say whether early stopping has ended the training; Lightning would go on for an epoch."""
    return any(
        callback.stopped_epoch or callback.wait_count >= max(1, callback.patience)
        for callback in trainer.callbacks
        if isinstance(callback, EarlyStopping)
    )


def move_in_epoch(checkpoint: dict[str, Any], calls: int) -> None:
    """Let Lightning have made so many calls in this epoch: chunks may have had another size.

    A state is taken in the hook behind a call, which Lightning counts as completed only later.
    """
    progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
    progress.update(ready=calls, started=calls, processed=calls, completed=calls - 1)


def let_files_be_of(folder: Path, checkpoint: dict[str, Any]) -> None:
    """Let what Lightning's ModelCheckpoint knows of files be of this folder: a run may be moved."""
    for state in checkpoint.get("callbacks", {}).values():
        if isinstance(state, dict) and isinstance(state.get("best_model_path"), str):
            state["dirpath"] = str(folder)
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = str(folder / Path(state[key]).name) if state.get(key) else ""
            best = state.get("best_k_models", {})
            state["best_k_models"] = {str(folder / Path(k).name): v for k, v in best.items()}


def copied(value: Any) -> Any:
    """Copy dicts, lists and tensors, these to the CPU, so that no later step changes them."""
    if isinstance(value, Tensor):
        return value.detach().clone() if value.device.type == "cpu" else value.detach().cpu()
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(inner) for inner in value)
    return value
