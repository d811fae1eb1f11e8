"""Several batches in one call, and less of Lightning's overhead around it.

Measured with Lightning 2.6 on one laptop core: 0.2 to 0.4 ms around each call of training_step,
2 us for each of some twenty profiler contexts a step, whether or not a profiler is there, and 60 us
a step for asking every callback three times whether it wants to look at gradients. A small
network's step takes no longer than that.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lightning import LightningModule, Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.precision import Precision
from lightning.pytorch.profilers import PassThroughProfiler
from torch import Tensor

from kindling.contract import CALLBACK_HOOKS, DATA_HOOKS, TASK_HOOKS, TakesChunks, takes_chunks
from kindling.trainer.checkpoint_io import CheckedCheckpointIO

# Numbers in a chunk. On a CPU 4 MB, which its last cache holds; a GPU has room for more.
MAX_VALUES, MAX_VALUES_GPU = 2**20, 2**23
GRADIENT_HOOKS = ("on_before_backward", "on_after_backward", "on_before_optimizer_step")


def reduce_overhead(data: Any, task: Any, trainer: Any) -> None:
    """Let calls learn from several batches, skip hooks that nobody has."""
    if isinstance(task, TakesChunks):
        both = takes_chunks(task, TASK_HOOKS) and takes_chunks(data, DATA_HOOKS)
        most = task.steps_per_call if both else 1
        task.steps_per_call = choose_batches_per_chunk(data, trainer, most)
        data.batches_per_chunk = task.steps_per_call
    if type(trainer.profiler) is PassThroughProfiler:
        trainer.profiler = NoProfiler()
    if type(trainer.precision_plugin) is Precision:
        trainer.strategy.precision_plugin = UnwatchedPrecision(trainer)
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
        trainer.strategy.checkpoint_io = CheckedCheckpointIO()


class NoProfiler(PassThroughProfiler):
    """Measures nothing, as Lightning's default, but does not even make a generator for it."""

    context = nullcontext("")

    def profile(self, action_name: str) -> AbstractContextManager[object]:  # type: ignore[override]
        return self.context


class UnwatchedPrecision(Precision):
    """float32 without the rounds through all callbacks, where none of them has a gradient hook."""

    def __init__(self, trainer: Any) -> None:
        super().__init__()
        self.trainer = trainer

    def connect(self, model: Any, *others: Any) -> Any:
        # Late: callbacks may be added.
        self.is_watched = watches_gradients(self.trainer.lightning_module, self.trainer)
        return super().connect(model, *others)

    def pre_backward(self, tensor: Tensor, module: LightningModule) -> Tensor:  # type: ignore[override]
        return super().pre_backward(tensor, module) if self.is_watched else tensor

    def post_backward(self, tensor: Tensor, module: LightningModule) -> Tensor:  # type: ignore[override]
        return super().post_backward(tensor, module) if self.is_watched else tensor.detach()

    def optimizer_step(  # type: ignore[override]
        self, optimizer: Any, model: LightningModule, closure: Callable[[], Any], **others: Any
    ) -> Any:
        if self.is_watched or model.automatic_optimization:  # there Lightning clips, behind closure
            return super().optimizer_step(optimizer, model, closure, **others)
        closure()
        return optimizer.step(**others)


def choose_batches_per_chunk(data: Any, trainer: Trainer, most: int) -> int:
    """Return 1 where batches are counted one by one, else as many as are worth it."""
    if most == 1 or counts_batches(trainer):
        return 1
    is_cpu = trainer.strategy.root_device.type == "cpu"
    values = data.x[0].numel() * data.batch_size
    return max(1, min(most, (MAX_VALUES if is_cpu else MAX_VALUES_GPU) // values))


def counts_batches(trainer: Any) -> bool:
    """Say whether a limit or a callback needs every batch in a call of its own."""
    shares = (trainer.limit_train_batches, trainer.val_check_interval)
    is_limited = (
        any(share != 1.0 or isinstance(share, int) for share in shares)  # 1 is one batch
        or trainer.max_steps != -1
        or trainer.fast_dev_run
        or trainer.overfit_batches
        or trainer.precision != "32-true"  # autocast keeps a copy of the weights for a whole call
    )
    return bool(is_limited) or any(works_per_step(callback) for callback in trainer.callbacks)


def works_per_step(callback: Callback) -> bool:
    """Say whether a callback does something at single batches, and has not declared otherwise."""
    if isinstance(callback, ModelCheckpoint):
        return bool(callback._every_n_train_steps or callback._train_time_interval)
    has_hook = overrides(callback, Callback, CALLBACK_HOOKS)
    return has_hook and not takes_chunks(callback, CALLBACK_HOOKS)


def watches_gradients(task: LightningModule, trainer: Any) -> bool:
    """Say whether the task or a callback has a hook around backward or the optimizer's step."""
    return overrides(task, LightningModule, GRADIENT_HOOKS) or any(
        overrides(callback, Callback, GRADIENT_HOOKS) for callback in trainer.callbacks
    )


def overrides(part: object, parent: type, hooks: tuple[str, ...]) -> bool:
    """Say whether a part has its own version of one of the parent's hooks."""
    return any(getattr(type(part), hook) is not getattr(parent, hook) for hook in hooks)
