"""Shard a network over several processes where one device can't hold it: torch's FSDP2.

Each process keeps a part of every parameter, of its gradient and of what the optimizer remembers;
a block is put together while it computes. Checkpoints and bundles hold whole tensors: the memory
of the first process's machine has to hold them, no GPU does.
"""

from pathlib import Path
from typing import Any

from lightning.pytorch.strategies import ModelParallelStrategy
from lightning.pytorch.trainer.states import TrainerFn
from torch import nn
from torch.distributed.fsdp import FSDPModule, fully_shard

from kindling.distributed import WORLD
from kindling.trainer.checkpoint_io import refuse_damaged


class ShardedStrategy(ModelParallelStrategy):
    """Shards parameters over all processes; writes and reads whole ones."""

    def __init__(self) -> None:
        super().__init__(
            data_parallel_size=WORLD.count,
            tensor_parallel_size=1,
            save_distributed_checkpoint=False,
        )

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> Any:
        refuse_damaged(Path(checkpoint_path))
        assert self.lightning_module is not None
        is_test = self.lightning_module.trainer.state.fn != TrainerFn.FITTING
        if is_test:
            self.optimizers = []  # the best weights come without their states
        return super().load_checkpoint(checkpoint_path, weights_only=weights_only)


def shard(task: Any) -> None:
    """Shard the network of a task, block by block, where the strategy asks for it."""
    strategy, network = task.trainer.strategy, task.network
    if not isinstance(strategy, ShardedStrategy) or isinstance(network, FSDPModule):
        return
    mesh = strategy.device_mesh["data_parallel"]
    lists = [m for m in network.modules() if isinstance(m, nn.ModuleList | nn.Sequential)]
    for block in (block for blocks in lists for block in blocks):
        # A block of a block is a part of it: what is small is sent together.
        if any(True for _ in block.parameters()) and not isinstance(block, FSDPModule):
            fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


def put_together(task: Any, network: nn.Module) -> None:
    """Let the first process have the whole network again: all that comes behind the test needs it.

    Args:
        task: of which the network is sharded.
        network: built as its own was.
    """
    # Late: every run would pay for it.
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    whole = get_model_state_dict(task.network, options=options)
    if WORLD.is_first:
        network.load_state_dict(whole)
        task.network = network.eval()
