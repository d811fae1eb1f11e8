"""Several processes learn from one batch: its rows are shared out, the gradients averaged.

`data.batch_size` counts the rows of all of them: N processes take the steps that one would take.
What they learn is the same but for rounding, for what is drawn while training (dropout), and for
BatchNorm, whose means are those of each process's own rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import Sampler

from kindling.contract import DATA_SPLIT_HOOKS, TASK_SCORE_HOOKS, declares
from kindling.distributed import WORLD, average, num_own, shares
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.rng import derive_seed
from kindling.trainer.sharded import ShardedStrategy

ALONE = Setting("trainer.devices", 1)


def strategy_settings(name: str) -> dict[str, Any]:
    """Return what the Trainer takes to be one of several processes, or to be alone.

    Alone it must not look around: inside of a SLURM job Lightning would take over its signals and
    load checkpoints of its own.

    Args:
        name: "ddp": each process has the whole network; "fsdp": a part of each parameter.
    """
    if WORLD.count == 1:
        return {"strategy": "auto", "plugins": [LightningEnvironment()]}
    # Buffers are averaged, below: to be sent from the first process in each forward pass, also
    # in evaluation, would need as many batches in all of them.
    strategy: Strategy = DDPStrategy(forward_sync_buffers=False, gradient_as_bucket_view=True)
    if name == "fsdp":
        strategy = ShardedStrategy()
    return {"strategy": strategy, "plugins": [TorchElasticEnvironment()]}


def count_problems(num_devices: int) -> list[Problem]:
    """Refuse more devices than there are processes to use them."""
    if num_devices == WORLD.local_count:
        return []
    rule = "several processes are started from the command line, not in a notebook"
    return [Problem(rule, f"trainer.devices={num_devices}", ALONE)]


def share_out(data: Any, task: Any, trainer: Any) -> None:
    """Let the task learn from this process's part of each batch, and draw for itself.

    Raises:
        ConfigError: data module or task can't be shared out.
    """
    if WORLD.count == 1:
        return
    refuse_unshared(data, task)
    # It would wait for the device in each call, and STOP does what it is for:
    # github.com/Lightning-AI/pytorch-lightning/issues/21487
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = lambda: None
    task.batch_size = num_own(task.batch_size)
    if not WORLD.is_first:
        task.seed = derive_seed(task.seed, "rank", WORLD.rank)
    if any(isinstance(module, _BatchNorm) for module in task.modules()):
        trainer.callbacks.insert(0, AverageBuffers())


def refuse_unshared(data: Any, task: Any) -> None:
    """Raise a ConfigError where each process would learn from all rows, or score only its own."""
    problems = [
        Problem(
            "several processes need parts that declare supports_processes (kindling/contract.py)",
            f"a {type(part).__name__}, which does not",
            (ALONE, "see docs/scale.md"),
        )
        for part, hooks in ((data, DATA_SPLIT_HOOKS), (task, TASK_SCORE_HOOKS))
        if not declares("supports_processes", part, hooks)
    ]
    if problems:
        raise ConfigError(*problems)


def share_problems(data: Any, network: nn.Module) -> list[Problem]:
    """List what can't be divided among the processes: too few rows in a batch or a split."""
    count, size = WORLD.count, data.batch_size
    if count == 1:
        return []
    problems, fewest = [], count
    if any(isinstance(module, _BatchNorm) and module.training for module in network.modules()):
        fewest = 2 * count  # of one row there is no variance
    last = len(data.split["train"]) % size if not getattr(data, "drop_last", False) else 0
    if size < fewest or 0 < last < fewest:
        rule = f"a train batch must have {fewest} rows or more for {count} processes"
        got = f"data.batch_size={size}, {last or size} rows in the last batch"
        ways = (Setting("data.drop_last", True), Setting("data.batch_size", ..., "another"), ALONE)
        problems.append(Problem(rule, got, ways[1:] if size < fewest else ways))
    for split, rows in data.split.items():
        if split != "train" and len(rows) < count:
            rule = f"each of {count} processes needs a {split} row"
            problems.append(Problem(rule, f"{len(rows)} {split} rows", ALONE))
    return problems


class OwnShare(Sampler[Tensor]):
    """Takes this process's rows out of each batch that another sampler hands out.

    Args:
        sampler: yields the positions of one or more batches at a time, the same in all processes.
        batch_size: positions of a batch, for all processes.
    """

    def __init__(self, sampler: Any, batch_size: int) -> None:
        self.sampler, self.batch_size = sampler, batch_size

    def set_epoch(self, epoch: int) -> None:
        self.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Tensor]:
        rank, count = WORLD.rank, WORLD.count
        if count == 1:
            yield from self.sampler
            return
        for chunk in self.sampler:
            yield torch.cat([batch[rank::count] for batch in chunk.split(self.batch_size)])


class AverageBuffers(Callback):
    """Lets the running means of BatchNorm be those over all processes, before they are looked at.

    Once a chunk will do: they are sums of what each step has added.
    """

    supports_chunks = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        with torch.no_grad():
            average([buffer for buffer in pl_module.buffers() if buffer.is_floating_point()])


def batch_weights(loss: nn.Module, targets: Sequence[Tensor]) -> Tensor:
    """Return what each batch counts for in a mean over batches: (batches,); else its rows do."""
    weigh = getattr(loss, "batch_weights", None)
    return torch.tensor([len(y) for y in targets]) if weigh is None else weigh(targets)


def loss_divisors(task: Any, numbers: range, targets: Sequence[Tensor]) -> list[Any]:
    """Return what each batch's loss is divided by before its backward pass; None: by nothing.

    That is the batches of its optimizer step, of which the last one of an epoch may have fewer,
    over the share that this process's rows have in the batch.
    """
    firsts = (number - number % task.accumulate for number in numbers)
    groups = [min(task.accumulate, task.batches_per_epoch - first) for first in firsts]
    if WORLD.count == 1:
        return [None if group == 1 else group for group in groups]
    weights = batch_weights(task.loss, targets).to(task.device, torch.float32)
    return list(torch.tensor(groups, device=task.device) / shares(weights))


def gradient_sync(task: Any, is_due: bool) -> AbstractContextManager[Any]:
    """Let the processes exchange gradients in a backward pass only where a step follows."""
    if WORLD.count == 1:
        return nullcontext()
    if isinstance(task.network, FSDPModule):
        task.network.set_requires_gradient_sync(is_due)
        return nullcontext()
    return nullcontext() if is_due else task.trainer.strategy.block_backward_sync()
