"""Derive seeds from a purpose and a few integers: the same on every machine, in any order."""

import zlib
from collections.abc import Iterable
from typing import Any

MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """Scramble 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def derive_seed(seed: int, purpose: str, *counters: int) -> int:
    """Derive a seed in [0, 2^63) for one purpose, such as "order", and its counters."""
    return mix(_absorb(seed, purpose, counters)) >> 1


def derive_seeds(seed: int, purpose: str, *counters: int, numbers: Iterable[int]) -> list[int]:
    """Derive `derive_seed(seed, purpose, *counters, number)` for every number, and quickly."""
    state = _absorb(seed, purpose, counters)
    return [mix(mix(state ^ number)) >> 1 for number in numbers]


def _absorb(seed: int, purpose: str, counters: Iterable[int]) -> int:
    state = mix(seed & MASK) ^ zlib.crc32(purpose.encode())
    for counter in counters:
        state = mix(state ^ counter)
    return state


def make_generator(seed: int, purpose: str, *counters: int) -> Any:
    """Make a CPU generator that draws the same numbers for the same purpose and counters."""
    import torch  # here: a search derives seeds without it

    return torch.Generator().manual_seed(derive_seed(seed, purpose, *counters))


def seed_device(device: Any, seed: int) -> None:
    """Seed what draws on this device, and on the CPU, for instance dropout.

    `torch.manual_seed` asks for absent devices as well: 65 us and a growing queue, not 1 us.
    """
    import torch

    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)
