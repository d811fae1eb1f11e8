"""Write a network's weights as safetensors, and load them into a network after checking them all.

The header of a file of unknown origin is held against the network before anything is allocated.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from safetensors.torch import load, save
from torch import nn

from kindling.bundle.model_config import (
    Extent,
    ModelConfig,
    build_on_cpu,
    build_on_meta,
    shapes_of,
)
from kindling.json_codec import InvalidFile, decode, parse
from kindling.types import DataSpec

MAX_HEADER, MAX_DIMENSIONS = 16 * 2**20, 8  # bytes; axes of a tensor
DTYPES = {
    "F32": torch.float32,
    "F64": torch.float64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
Layout = dict[str, tuple[tuple[int, ...], torch.dtype]]  # name -> shape and dtype


@dataclass(frozen=True)
class HeaderEntry:
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def to_bytes(network: nn.Module) -> bytes:
    """Write every tensor down; each has its own memory, as safetensors wants it."""
    return save({name: t.detach().cpu().clone() for name, t in network.state_dict().items()})


def check_layout(
    network_class: type[nn.Module],
    config: ModelConfig,
    spec: DataSpec,
    read: Callable[[int], bytes],
    size: int,
) -> None:
    """Refuse a file whose header is not that of the network, before the numbers are read.

    Args:
        network_class: from `find_class`.
        config: says how it is built.
        spec: what it is built for.
        read: gives the next bytes of the file, from its start.
        size: of the file, in bytes.
    """
    found = read_header(read, size)
    most = Extent(len(found), sum(math.prod(shape) for shape, _ in found.values()))
    wanted = shapes_of(build_on_meta(network_class, config, spec, most))
    for name in sorted(set(wanted) | set(found)):
        if found.get(name) != wanted.get(name):
            got, need = found.get(name, "no such tensor"), wanted.get(name, "none")
            raise InvalidFile(f"{name[:60]!r}: {str(got)[:60]}, where the network has {need}")


def to_network(
    content: bytes, network_class: type[nn.Module], config: ModelConfig, spec: DataSpec
) -> nn.Module:
    """Build the network and give it the numbers of a file that `check_layout` has passed."""
    network, tensors = build_on_cpu(network_class, config, spec), load(content)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InvalidFile(f"{name!r} with numbers that are not finite")
    network.load_state_dict(tensors)
    return network.requires_grad_(False)


def read_header(read: Callable[[int], bytes], size: int) -> Layout:
    """Return shape and dtype of each tensor, after checking that the bytes are laid out for them.

    The format: 8 bytes little-endian for the header's length, the header in JSON, then the
    tensors, one behind the other without a gap.

    Args:
        read: gives the next bytes of a file, from its start.
        size: of the whole file, in bytes; nothing behind the header is read.
    """
    length = int.from_bytes(read(8), "little")
    if size < 8 or length > min(MAX_HEADER, size - 8):
        raise InvalidFile(f"a header of {length:,} bytes in a file of {size:,}")
    header = decode(dict[str, HeaderEntry], parse(read(length)), "header")
    found: Layout = {}
    for name, slot in header.items():
        dtype, (start, end) = DTYPES.get(slot.dtype), slot.data_offsets
        if dtype is None or len(slot.shape) > MAX_DIMENSIONS or min(slot.shape, default=0) < 0:
            raise InvalidFile(f"{name[:60]!r} of an unknown dtype or shape")
        if math.prod(slot.shape) * dtype.itemsize != end - start:
            raise InvalidFile(f"{name[:60]!r} of a dtype, a shape and bytes that do not agree")
        found[name] = (slot.shape, dtype)
    _no_gap([slot.data_offsets for slot in header.values()], size - 8 - length)
    return found


def _no_gap(spans: list[tuple[int, int]], total: int) -> None:
    reached = 0
    for start, end in sorted(spans):
        if start != reached:
            raise InvalidFile("tensors that overlap or leave a gap")
        reached = end
    if reached != total:
        raise InvalidFile(f"{total:,} bytes of numbers, where the header has {reached:,}")
