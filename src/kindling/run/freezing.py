"""Freeze layers: what `freeze` names is neither learnt nor moved, running statistics included."""

import difflib
import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from kindling.errors import ConfigError, Problem
from kindling.fixes import Fix, Setting
from kindling.formatting import first_few

NEAREST = 3  # names that a message offers


def freeze(network: nn.Module, patterns: Sequence[str]) -> None:
    """Freeze the parameters whose names match, and the statistics of layers such as BatchNorm.

    A layer that keeps buffers (running means) stays in eval mode, where it does not move them:
    Lightning gives each layer the mode back that it had before a validation.

    Raises:
        ConfigError: a pattern matches nothing, or nothing is left to learn.
    """
    names = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    names += [name for name, _ in network.named_buffers(remove_duplicate=False)]
    problems = [
        _no_match(pattern, names)
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    if problems:
        raise ConfigError(*problems)
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if _matches(name, patterns):
            parameter.requires_grad_(False)
    if patterns and not any(parameter.requires_grad for parameter in network.parameters()):
        got = f"freeze={','.join(patterns)}, which matches all {len(names)}"
        layers = list(dict.fromkeys(f"{name.partition('.')[0]}.*" for name in names))
        rest = Setting("freeze", layers[:-1], "to learn the last layer")
        fix = rest if layers[1:] else "name fewer of them"
        raise ConfigError(Problem("freeze must leave parameters to learn", got, fix))
    for path, module in network.named_modules() if patterns else ():
        if _keeps_statistics(module) and _is_frozen(path, module, patterns):
            module.eval()
            # Lightning would ask at the start of the training whether that is meant.
            warnings.filterwarnings("ignore", r"Found \d+ module\(s\) in eval mode")


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _keeps_statistics(module: nn.Module) -> bool:
    """Say whether it is a layer, with none inside, that may move buffers while it is trained."""
    has_layers = next(module.children(), None) is not None
    return not has_layers and next(module.buffers(recurse=False), None) is not None


def _is_frozen(path: str, module: nn.Module, patterns: Sequence[str]) -> bool:
    """Say whether none of a layer's own parameters is learnt; without any its buffers decide."""
    own = list(module.parameters(recurse=False))
    if own:
        return not any(parameter.requires_grad for parameter in own)
    buffers = (f"{path}.{name}".lstrip(".") for name, _ in module.named_buffers(recurse=False))
    return any(_matches(name, patterns) for name in buffers)


def _no_match(pattern: str, names: Sequence[str]) -> Problem:
    """Offer the layer that was meant, or the names that are most alike."""
    rule, got = "a pattern of freeze must match names of parameters", pattern
    if any(name.startswith(f"{pattern}.") for name in names):
        return Problem(rule, got, Setting("freeze", [f"{pattern}.*"], "for all of that layer"))
    near = difflib.get_close_matches(pattern, names, n=NEAREST, cutoff=0.3)
    fix: Fix = f"there are {first_few(near or names, NEAREST, total=len(names))}"
    return Problem(rule, got, fix)


def describe_trained(network: nn.Module) -> str:
    """Count what a network can learn, and what of it is learnt."""
    counts = [(p.numel(), p.requires_grad) for p in network.parameters()]
    learnt, whole = sum(n for n, learns in counts if learns), sum(n for n, _ in counts)
    if learnt == whole:
        return f"{whole:,} parameters"
    return f"{learnt:,} of {whole:,} parameters are trained"
