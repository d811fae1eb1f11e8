"""Dataset and sampler: a batch is one indexing operation on tensors that hold all rows."""

from collections.abc import Iterator

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from kindling.rng import make_generator
from kindling.types import Batch

CPU = torch.device("cpu")
BLOCK_ROWS, BLOCK_BYTES = 1024, 1 << 20  # what lies together at most: rows of a table, images
WINDOW = 256  # blocks whose rows are mixed


class IndexedDataset(Dataset[Batch]):
    """The rows of one split, taken from tensors that all splits share.

    Args:
        x: N rows, float32 (N, F + C), or images (N, channels, H, W) of uint8 or float32.
        y: N targets, int64 or float32.
        rows: which of the N rows belong to the split.
    """

    def __init__(
        self,
        x: Shaped[Tensor, "rows ..."],
        y: Shaped[Tensor, " rows"],
        rows: Int64[Tensor, " split"],
    ) -> None:
        self.x, self.y, self.rows = x, y, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, positions: Tensor) -> Batch:
        row = self.rows.index_select(0, positions)
        return Batch(self.x.index_select(0, row), self.y.index_select(0, row), row)


class PositionSampler(Sampler[Tensor]):
    """Yields the positions of one chunk of batches at a time, in an order drawn by (seed, epoch).

    Args:
        num_rows: rows of the split.
        batch_size: positions per batch.
        shuffle_seed: None keeps the split's own order.
        drop_last: leave out a last batch that is not full.
        batches_per_chunk: batches that are handed out together; their rows stay the same.
        begins_at: the epoch, and the batch of it, to begin with.
        block_rows: shuffle so that a file is read in pieces of so many rows, see `block_order`;
            None shuffles all rows together.
        device: where the split's tensors lie: positions are copied there once an epoch.
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int,
        *,
        shuffle_seed: int | None,
        drop_last: bool = False,
        batches_per_chunk: int = 1,
        begins_at: tuple[int, int] = (0, 0),
        block_rows: int | None = None,
        device: torch.device = CPU,
    ) -> None:
        self.num_rows, self.block_rows = num_rows, block_rows or num_rows
        self.device = device
        self.num_used = num_rows - num_rows % batch_size if drop_last else num_rows
        self.chunk_size, self.shuffle_seed = batch_size * batches_per_chunk, shuffle_seed
        self.epoch, self.begins_at = begins_at[0], (begins_at[0], begins_at[1] * batch_size)

    def set_epoch(self, epoch: int) -> None:  # called by Lightning before each epoch
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.num_used // self.chunk_size)

    def __iter__(self) -> Iterator[Tensor]:
        # Derived from (seed, epoch) alone: a resumed run has the order of one that never stopped.
        order = torch.arange(self.num_rows)
        if self.shuffle_seed is not None:
            draws = make_generator(self.shuffle_seed, "order", self.epoch)
            order = block_order(self.num_rows, self.block_rows, generator=draws)
        # Drawn on the CPU wherever the rows lie: the same order on every device.
        order = order.pin_memory() if self.device.type == "cuda" else order
        order = send(order[: self.num_used], self.device)
        done = self.begins_at[1] if self.epoch == self.begins_at[0] else 0
        end = done + -done % self.chunk_size  # where a chunk ends in any epoch
        yield from (c for c in (order[done:end], *order[end:].split(self.chunk_size)) if len(c))


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy to a device; from pinned memory the CPU need not wait until it is done.

    A Mac's GPU has to be waited for: it might read what has been freed (pytorch issue 139550).
    """
    return tensor.to(device, non_blocking=device.type != "mps")


def rows_of_block(x: Tensor) -> int:
    """Return how many rows make a block, so that a window of them is 256 MB at most."""
    return min(BLOCK_ROWS, max(1, BLOCK_BYTES // max(1, x[:1].nbytes)))


def block_order(num_rows: int, block_rows: int, *, generator: torch.Generator) -> Tensor:
    """Shuffle the blocks, then the rows of WINDOW blocks together: int64 (num_rows,).

    Neighbours in the file stay within a window, which fits into memory where the file does not.
    Rows that are a single window have the same order from a file as from memory.
    """
    if num_rows <= block_rows * WINDOW:
        return torch.randperm(num_rows, generator=generator)
    blocks = torch.arange(num_rows).split(block_rows)
    shuffled = [blocks[k] for k in torch.randperm(len(blocks), generator=generator).tolist()]
    windows = [torch.cat(shuffled[k : k + WINDOW]) for k in range(0, len(shuffled), WINDOW)]
    return torch.cat([w[torch.randperm(len(w), generator=generator)] for w in windows])


def make_loader(
    dataset: IndexedDataset, sampler: Sampler[Tensor], *, num_workers: int, pin_memory: bool
) -> DataLoader[Batch]:
    """Make a loader that hands whole batches through: no sample is collated on its own."""
    return DataLoader(
        dataset,
        sampler=sampler,
        batch_size=None,
        collate_fn=_as_it_is,  # type: ignore[arg-type]  # torch expects lists of samples
        num_workers=num_workers,
        pin_memory=pin_memory,
        persistent_workers=num_workers > 0,
    )


def _as_it_is(batch: Batch) -> Batch:
    return batch
