"""Find what a network keeps to itself: state that no checkpoint holds, such as its own generator.

A run that is resumed with it ends in other bits than one that was not stopped.
"""

import copy
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kindling.callbacks.layer_watch import label
from kindling.rng import seed_device

ITS_OWN = frozenset(vars(nn.Module()))  # what torch keeps in any layer
PLAIN = (bool, int, float, str, type(None))


def kept_to_itself(network: nn.Module, first: Tensor, second: Tensor) -> list[str]:
    """Take a step in training, load what a checkpoint holds into a copy, and compare the next.

    The copy is as the network was before the step, so as one that is built anew. Returns what
    differs by name; nothing where both give the same.

    Args:
        network: is changed as by a step in training.
        first: rows of the step.
        second: rows of the next one.
    """
    built = copy.deepcopy(network)
    device = first.device
    for each in (network, built):
        each.train()
    with torch.no_grad():
        seed_device(device, 0)
        network(first)
        built.load_state_dict(network.state_dict())
        names = changed_attributes(network, built)
        outputs = []
        for each in (network, built):
            seed_device(device, 1)
            outputs.append(each(second))
    if torch.equal(outputs[0].nan_to_num(), outputs[1].nan_to_num()):
        return []  # what has changed may be a cache
    return names or ["something outside its layers"]


def changed_attributes(network: nn.Module, other: nn.Module) -> list[str]:
    """Name the plain attributes of layers that differ; parameters and buffers are none."""
    pairs = zip(network.named_modules(), other.modules(), strict=True)
    return [
        f"{attribute} of {label(name, module)}"
        for (name, module), same in pairs
        for attribute, value in vars(module).items()
        if attribute not in ITS_OWN and content(value) != content(vars(same).get(attribute))
    ]


def content(value: Any) -> Any:
    """Return what can be compared of a value that draws, counts or remembers."""
    if isinstance(value, Tensor):
        return value.detach().float().cpu().numpy().tobytes()
    if isinstance(value, torch.Generator):
        return content(value.get_state())
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return repr(value.get_state())
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, dict):
        return {repr(key): content(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [content(inner) for inner in value]
    return value if isinstance(value, PLAIN) else type(value)
