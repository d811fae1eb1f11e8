"""What a training step costs a GPU at the least, counted from shapes; nothing is measured.

python benchmarks/gpu_floor.py            # a second, on any machine

Every operation that computes is one kernel (some are more), reads its inputs and writes its outputs
once. Kindling's loop is the same step and what it counts for the curves, BATCHES in one call.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from kindling.images.pixel_scaling import PixelScaler
from kindling.scoring import metrics_for
from kindling.types import DataSpec
from project.models.cnn import CNN
from project.models.mlp import MLP
from project.training.epoch_metrics import EpochMetrics
from project.training.losses import CrossEntropy
from project.training.metrics import METRICS

# NVIDIA A100 40 GB, from its data sheet; the launch is what a CPU needs to hand over a kernel.
BYTES_PER_S, FLOPS, FLOPS_TF32, LAUNCH_S = 1.555e12, 19.5e12, 156e12, 5e-6
NO_KERNEL = ("detach", "empty", "empty_like")
NO_KERNEL += ("_record_function_enter_new", "_record_function_exit")
BATCHES = 64
CLASSES = {"problem_type": "multiclass", "target": "y", "classes": tuple("abcdefghij")}
TABLE = DataSpec(**CLASSES, numbers=tuple(f"x{i}" for i in range(32)))
IMAGES = DataSpec(**CLASSES, image_shape=(1, 28, 28), pixel_mean=(1,), pixel_scale=(2,))
WORKS = [
    ("MLP 128-128, 32 numbers, batch 256", TABLE, 256),
    ("MLP 128-128, 32 numbers, batch 1024", TABLE, 1024),
    ("CNN, 28x28 grey, batch 128", IMAGES, 128),
]


@dataclass
class Count(TorchDispatchMode):
    """Counts kernels, bytes and floating-point operations while it is on."""

    kernels: float = 0
    bytes: float = 0
    flops: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        is_view = any(r.alias_info and not r.alias_info.is_write for r in func._schema.returns)
        name = func.overloadpacket.__name__
        if is_view or name in NO_KERNEL:
            return out
        read = size((args, kwargs)) if name != "index_select" else size(out) + size(args[2])
        self.kernels += 1
        in_place = size(args[0]) * (3 if name == "_fused_adamw_" else 1)  # and the two moments
        self.bytes += read + (size(out) if func._schema.returns else in_place)
        formula = flop_registry.get(func.overloadpacket)
        self.flops += formula(*args, **(kwargs or {}), out_val=out) if formula else 0
        return out


def size(values: object) -> int:
    """Add up the bytes of all tensors in there."""
    return sum(t.nbytes for t in tree_leaves(values) if isinstance(t, Tensor))


def count(spec: DataSpec, batch_size: int) -> tuple[Count, Count]:
    """Count one step by hand, and what Kindling adds to it."""
    network = CNN(spec) if spec.image_shape else MLP(spec, width=128, depth=2, dropout=0.0)
    x = torch.zeros(2 * batch_size, *(spec.image_shape or (len(spec.numbers),)))
    x, y = x.to(torch.uint8) if spec.image_shape else x, torch.zeros(2 * batch_size).long()
    scaler = PixelScaler(spec.pixel_mean, spec.pixel_scale) if spec.image_shape else None
    rows, loss_of = torch.arange(BATCHES * batch_size), CrossEntropy(spec)
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)
    metrics = EpochMetrics(spec, metrics_for(METRICS, spec.problem_type), loss_of)
    positions = torch.arange(batch_size)
    for _ in range(2):  # the first makes the optimizer's state
        with Count() as step:
            x_batch, y_batch = x.index_select(0, positions), y.index_select(0, positions)
            optimizer.zero_grad()
            outputs = network(x_batch if scaler is None else scaler(x_batch))
            loss = loss_of(outputs, y_batch)
            loss.backward()
            optimizer.step()
        with Count() as added:
            rows.index_select(0, rows)  # which row of the source each one is
            rows.index_select(0, rows)  # of the split, whose rows lie among all
            metrics.add(
                *([tensor] * BATCHES for tensor in (loss.detach(), outputs.detach(), y_batch))
            )
    added.kernels, added.bytes = added.kernels / BATCHES, added.bytes / BATCHES
    return step, added


def main() -> None:
    """Print a line for each work, by hand and added."""
    heads = ("MB", "MFLOP", "memory us", "fp32 us", "TF32 us", "launches us")
    print(f"{'':46}" + "".join(f"{head:>12}" for head in ("kernels", *heads)))
    for name, spec, batch_size in WORKS:
        for part, c in zip(("by hand", "added"), count(spec, batch_size), strict=True):
            seconds = (c.bytes / BYTES_PER_S, c.flops / FLOPS, c.flops / FLOPS_TF32)
            millionths = [1e6 * s for s in (*seconds, c.kernels * LAUNCH_S)]
            cells = (c.bytes / 1e6, c.flops / 1e6, *millionths)
            numbers = f"{c.kernels:>12.1f}" + "".join(f"{cell:>12.2f}" for cell in cells)
            print(f"{name + ', ' + part:46}{numbers}")


if __name__ == "__main__":
    main()
