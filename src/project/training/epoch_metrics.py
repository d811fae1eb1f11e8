"""The loss and the metrics of one epoch as running sums; the device is asked at its end only."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from kindling.distributed import all_rows, sums
from kindling.outputs import read_outputs, read_targets, to_numpy
from kindling.scoring import Metric
from kindling.trainer.several import batch_weights
from kindling.types import DataSpec
from project.models.members import average_members


class EpochMetrics:
    """Losses and metrics of one epoch of one split; what the device computes stays there.

    Args:
        spec: describes the data.
        metrics: those of them with `every_epoch` are computed.
        loss: may say what a batch counts for by `batch_weights(targets)`; else its rows do.
    """

    def __init__(self, spec: DataSpec, metrics: Iterable[Metric], loss: nn.Module) -> None:
        self.spec, self.loss = spec, loss
        self.summed = [m for m in metrics if m.every_epoch and m.per_row is not None]
        self.whole = [m for m in metrics if m.every_epoch and m.per_row is None]
        self.losses: list[Tensor] = []
        self.weights: list[Tensor] = []
        self.sums: dict[str, list[Tensor]] = {metric.name: [] for metric in self.summed}
        self.seen: list[tuple[Tensor, Tensor]] = []  # outputs and targets, where all are needed
        self.num_rows, self.is_computed = 0, False

    @property
    def is_open(self) -> bool:
        """Say whether rows were counted whose numbers nobody has taken out yet."""
        return self.num_rows > 0 and not self.is_computed

    def state_dict(self) -> dict[str, Any]:
        """Return what was counted, for a run that goes on in the middle of an epoch."""
        names = ("losses", "weights", "sums", "seen", "num_rows")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def add(self, losses: list[Tensor], outputs: list[Tensor], targets: list[Tensor]) -> None:
        """Count batches by their mean losses, outputs (B, K), (B, 1) or (B, M, K), targets (B,)."""
        self.losses.append(torch.stack(losses))
        self.weights.append(batch_weights(self.loss, targets))
        # Metrics without sums are exact on all rows only: their outputs are kept until the end.
        out, y = torch.cat(outputs), torch.cat(targets)
        if out.ndim == 3:
            out = average_members(out)
        self.num_rows += len(y)
        for metric in self.summed:
            assert metric.per_row is not None
            self.sums[metric.name].append(metric.per_row(out, y, self.spec).sum()[None])
        if self.whole:
            self.seen.append((out.float(), y))

    def compute(self, split: str) -> dict[str, float]:
        """Take the numbers of all processes out: only here the CPU waits for the device."""
        self.is_computed = True
        losses = join(self.losses).cpu().double()
        weights = join(self.weights).cpu().double()
        own = [losses @ weights, weights.sum(), *(join(p).sum() for p in self.sums.values())]
        num_rows, loss, weight, *totals = sums([self.num_rows, *map(float, own)])
        found = {f"{split}/loss": loss / weight}
        for metric, total in zip(self.summed, totals, strict=True):
            found[f"{split}/{metric.name}"] = metric.of_mean(total / num_rows)
        if self.whole:
            parts = (to_numpy(join(each)) for each in zip(*self.seen, strict=True))
            outputs, targets = map(all_rows, parts)
            truth, prediction = read_targets(self.spec, targets), read_outputs(self.spec, outputs)
            for metric in self.whole:
                found[f"{split}/{metric.name}"] = float(metric.function(truth, prediction))
        return found


def join(parts: Sequence[Tensor]) -> Tensor:
    """Put parts together where the last one lies; a checkpoint brings its own on the CPU."""
    return torch.cat([part.to(parts[-1].device) for part in parts])
