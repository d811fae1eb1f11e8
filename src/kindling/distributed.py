"""The processes that share one run: which of them this one is, and what they tell each other.

torchrun's agent starts them (`run/launch.py`, or a user's own `torchrun`). Where there is only one,
nothing here does anything. What is told goes over gloo, from CPU to CPU: no GPU is waited for.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

# Long: one process may read and decode the data while the others wait. One that has died is seen
# by the agent at once.
TIMEOUT = timedelta(hours=4)


class World:
    """Which of the processes of this run this one is, and the store that they share.

    WORLD is the one of this process.
    """

    def __init__(self) -> None:
        self.rank, self.count = 0, 1
        self.local_rank, self.local_count = 0, 1
        self.store: dist.Store | None = None

    def join(self) -> None:
        """Meet the others that an agent has started; its environment tells who they are."""
        self.rank, self.count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", 0))
        self.local_count = int(os.environ.get("LOCAL_WORLD_SIZE", self.count))
        self.store, *_ = next(dist.rendezvous("env://", timeout=TIMEOUT))
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        own = dist.PrefixStore("group", self.store)
        dist.init_process_group(
            backend, store=own, rank=self.rank, world_size=self.count, timeout=TIMEOUT
        )

    @property
    def is_first(self) -> bool:
        """Say whether this process is the one that writes and shows."""
        return self.rank == 0

    def is_first_to_fail(self) -> bool:
        """Say whether nobody else has failed before: what follows from that is not shown."""
        return self.store is None or self.store.add("failed", 1) == 1


WORLD = World()


def is_lost_peer(error: BaseException | None) -> bool:
    """Say whether an error comes from a connection to a process that has ended."""
    while error is not None:
        if isinstance(error, dist.DistError) or (
            isinstance(error, RuntimeError) and "/gloo/" in str(error)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def gather(value: Any) -> list[Any]:
    """Return each process's value, in the order of their ranks, to all of them."""
    if WORLD.count == 1:
        return [value]
    values: list[Any] = [None] * WORLD.count
    dist.all_gather_object(values, value)
    return values


def of_first(value: Any) -> Any:
    """Return the first process's value."""
    if WORLD.count == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]


def largest(number: int) -> int:
    """Return the largest number that any of the processes has."""
    if WORLD.count == 1:
        return number
    tensor = torch.tensor(number)
    dist.all_reduce(tensor, dist.ReduceOp.MAX)
    return int(tensor)


def sums(numbers: Sequence[float]) -> list[float]:
    """Add float64 numbers over all processes, in the order of ranks: the same bits everywhere."""
    if WORLD.count == 1:
        return list(numbers)
    own = torch.tensor(numbers, dtype=torch.float64)
    parts = [torch.empty_like(own) for _ in range(WORLD.count)]
    dist.all_gather(parts, own)
    total = torch.zeros_like(own)
    for part in parts:
        total += part
    return total.tolist()


@contextmanager
def after_first_here(*, is_wanted: bool) -> Iterator[None]:
    """Let the first process of each machine be through before the others begin, to use its files.

    Args:
        is_wanted: whether to wait at all; the same in all of them.
    """
    if is_wanted and WORLD.local_rank > 0:
        gather(None)
    yield
    if is_wanted and WORLD.local_rank == 0:
        gather(None)


def own_part(parts: list[Any]) -> Any:
    """Return what this process has gathered before; None where they were another number."""
    return parts[WORLD.rank] if len(parts) == WORLD.count else None


def first_of_joined(parts: list[Any]) -> Any:
    """Return all that was gathered as one, to the first process, and None to the others."""
    return _joined(parts) if WORLD.is_first else None


def _joined(parts: list[Any]) -> Any:
    """Put lists behind one another, add numbers, and do so within dicts."""
    if isinstance(parts[0], dict):
        return {key: _joined([part[key] for part in parts]) for key in parts[0]}
    if isinstance(parts[0], list):
        return [item for part in parts for item in part]
    return sum(parts)


def own_rows(rows: Any) -> Any:
    """Return this process's share of an array or a tensor of rows: every nth of them."""
    return rows[WORLD.rank :: WORLD.count]


def num_own(num_rows: int) -> int:
    """Count the rows of a batch that are this process's; the first ones have one more."""
    return -(-(num_rows - WORLD.rank) // WORLD.count)


def all_rows(own: np.ndarray) -> np.ndarray:
    """Put the shares of all processes together: what `own_rows` has taken apart."""
    if WORLD.count == 1:
        return own
    sizes = gather(len(own))
    # Of one size, so that they travel as tensors: pickled, they would be in memory three times.
    padded = torch.zeros((max(sizes), *own.shape[1:]), dtype=torch.from_numpy(own[:0]).dtype)
    padded[: len(own)] = torch.from_numpy(own)
    parts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(parts, padded)
    whole = np.empty((sum(sizes), *own.shape[1:]), own.dtype)
    for rank, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        whole[rank :: WORLD.count] = part[:size].numpy()
    return whole


def all_batches(own: Sequence[tuple[np.ndarray, ...]]) -> list[tuple[np.ndarray, ...]]:
    """Return batches of arrays that hold the rows of all processes, in the split's order.

    Args:
        own: of this process: those of the rows that `own_rows` has given it.
    """
    if WORLD.count == 1:
        return list(own)
    return [tuple(all_rows(np.concatenate(arrays)) for arrays in zip(*own, strict=True))]


def average(tensors: Sequence[Tensor]) -> None:
    """Let tensors, on whatever device, be their mean over all processes."""
    if WORLD.count == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= WORLD.count
    for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def shares(weights: Tensor) -> Tensor:
    """Return what part of each batch's weight is this process's, times their number: (batches,).

    Multiplied by it, the mean over the processes, which DDP takes, is the mean over all rows.
    """
    total = weights.clone()
    dist.all_reduce(total)
    return weights / total * WORLD.count
