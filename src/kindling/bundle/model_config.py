"""A network of the `model` room in, its name and plain arguments out; and the way back."""

import functools
import importlib
import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

import project.models
from kindling.bundle.json_codec import InvalidFile
from kindling.errors import ConfigError, Problem
from kindling.types import DataSpec

ROOM = project.models.__name__
MAX_MODULES = 100_000  # layers of a network


@dataclass(frozen=True)
class ModelConfig:
    """How a network is built again: a class of the `model` room and what its constructor takes.

    Args:
        module: such as "mlp" for project.models.mlp.
        name: of the class.
        arguments: plain values: numbers, text, booleans, None, and lists of them.
    """

    module: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How many tensors a network has, and how many numbers in all."""

    tensors: int
    numbers: int


MORE = Extent(1000, 2**24)  # that a network may have beside what is saved, such as tables


def plain_network(network: nn.Module) -> nn.Module:
    """Return the network itself where torch.compile has wrapped it."""
    return getattr(network, "_orig_mod", network)


def model_config_of(
    make: Callable[..., nn.Module], network: nn.Module, spec: DataSpec
) -> ModelConfig | None:
    """Write down how `make(spec)` built a network, and prove that it can be built again so.

    Args:
        make: a class or a factory, as a `functools.partial` with the keywords of conf/model;
            a keyword of None is the class's own default.
        network: what it built; its weights and torch's randomness stay as they are.
        spec: what it was built for.

    Returns:
        None for a network that the `model` room does not define: a bundle may not name it.

    Raises:
        ConfigError: the keywords are no plain values, or another network comes of them.
    """
    network = plain_network(network)
    kind, given = type(network), make.keywords if isinstance(make, functools.partial) else {}
    if not kind.__module__.startswith(f"{ROOM}."):
        return None
    module = kind.__module__.removeprefix(f"{ROOM}.")
    model_config = ModelConfig(module, kind.__qualname__, _arguments(kind, given))
    there = shapes_of(network)
    extent = Extent(len(there), sum(math.prod(shape) for shape, _ in there.values()))
    try:
        again = shapes_of(sketch(find_class(model_config), model_config, spec, extent))
        reason = None if again == there else "tensors of other names or shapes"
    except InvalidFile as error:
        reason = str(error)
    if reason is None:
        return model_config
    rule = f"{kind.__qualname__} must be the same network when it is built again from its keywords"
    fix = (
        "let its constructor take the spec and plain keyword arguments only; where it looks at "
        'the value of a tensor, make that tensor with device="cpu"; or type bundle=false'
    )
    raise ConfigError(Problem(rule, reason, fix))


def _arguments(kind: type[nn.Module], given: dict[str, Any]) -> dict[str, Any]:
    """Complete the keywords that the class takes with its plain defaults."""
    arguments: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(kind).parameters.items())[1:]:  # spec is first
        if parameter.kind is parameter.VAR_KEYWORD:
            return arguments | {key: value for key, value in given.items() if value is not None}
        value = given.get(name)
        value = list(value) if isinstance(value, tuple) else value  # JSON has lists only
        if value is None and is_plain(parameter.default):
            value = parameter.default
        if value is not None:
            arguments[name] = value
    return arguments


def is_plain(value: Any) -> bool:
    """Say whether JSON keeps a value as it is."""
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def shapes_of(network: nn.Module) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Name every tensor that is saved, with its shape and dtype."""
    return {name: (tuple(t.shape), t.dtype) for name, t in network.state_dict().items()}


def find_class(model_config: ModelConfig) -> type[nn.Module]:
    """Find the class in the `model` room; nothing outside it is looked at, or imported."""
    for module in _modules():
        if module == model_config.module:  # so what is imported is a name of ours, not the file's
            found = vars(importlib.import_module(f"{ROOM}.{module}")).get(model_config.name)
            if _is_network_of(found, f"{ROOM}.{module}"):
                return found
    known = f"a network that {ROOM} defines"
    raise InvalidFile(
        f"network {model_config.module[:60]!r}, {model_config.name[:60]!r}, which is not {known}"
    )


def _is_network_of(found: Any, module: str) -> TypeGuard[type[nn.Module]]:
    is_network = isinstance(found, type) and issubclass(found, nn.Module)
    return is_network and found.__module__ == module


def _modules() -> Iterator[str]:
    root = Path(project.models.__path__[0])
    for file in sorted(root.rglob("[!_]*.py")):
        yield ".".join(file.relative_to(root).with_suffix("").parts)


def sketch(
    kind: type[nn.Module], model_config: ModelConfig, spec: DataSpec, most: Extent
) -> nn.Module:
    """Build the network without memory for its numbers; stop where it grows beyond `most`."""
    with torch.device("meta"), _no_larger_than(most):
        return _construct(kind, model_config, spec)


def build(kind: type[nn.Module], model_config: ModelConfig, spec: DataSpec) -> nn.Module:
    """Build the network on the CPU, in eval mode; its numbers are still to be loaded."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return _construct(kind, model_config, spec).eval()


def _construct(kind: type[nn.Module], model_config: ModelConfig, spec: DataSpec) -> nn.Module:
    if not is_plain(list(model_config.arguments.values())):
        raise InvalidFile(f"arguments of {model_config.name} that are no plain values")
    try:
        with warnings.catch_warnings(action="ignore"):  # the training has shown them
            return kind(spec, **model_config.arguments)
    except InvalidFile:
        raise
    except Exception as error:  # a constructor of the room's, given whatever a file holds
        reason = str(error).splitlines()[:1]
        raise InvalidFile(
            f"{model_config.name} cannot be built: {type(error).__name__}: {reason}"
        ) from error


@contextmanager
def _no_larger_than(most: Extent) -> Iterator[None]:
    """Count what is registered while a network is built, and stop it where that is too much."""
    tensors, numbers, modules = most.tensors + MORE.tensors, most.numbers + MORE.numbers, 0

    def count_tensor(_: nn.Module, __: str, tensor: Tensor | None) -> None:
        nonlocal tensors, numbers
        if tensor is not None:
            tensors, numbers = tensors - 1, numbers - tensor.numel()
        if min(tensors, numbers) < 0:
            raise InvalidFile(
                f"a network of more than {most.tensors} tensors, {most.numbers:,} numbers"
            )

    def count_module(_: nn.Module, __: str, ___: nn.Module | None) -> None:
        nonlocal modules
        modules += 1
        if modules > MAX_MODULES:
            raise InvalidFile(f"a network of more than {MAX_MODULES:,} layers")

    hooks = [
        torch_module.register_module_parameter_registration_hook(count_tensor),
        torch_module.register_module_buffer_registration_hook(count_tensor),
        torch_module.register_module_module_registration_hook(count_module),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
