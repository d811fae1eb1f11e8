"""Write down how a network is built, as a registered class and plain arguments, and build it.

A bundle's file may ask for any class with any arguments, so a class is only ever looked for in
what installed projects register, and a network is first built on torch's meta device, where its
size is bounded and costs no memory.
"""

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from kindling.errors import ConfigError, Problem
from kindling.json_codec import InvalidFile
from kindling.registry import INSTALL, NETWORKS, import_networks, project_of, registered
from kindling.types import DataSpec

MAX_MODULES = 100_000  # layers of a network


@dataclass(frozen=True)
class ModelConfig:
    """A class of a registered package, and what its constructor takes behind the spec.

    Args:
        project: name of the entry point under kindling.networks, such as "project".
        module: inside the package that it registers, such as "mlp" for project.models.mlp.
        name: of the class.
        arguments: plain values: numbers, text, booleans, None, and lists of them.
    """

    project: str
    module: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How many tensors a network has, and how many numbers in all."""

    tensors: int
    numbers: int


MORE = Extent(1000, 2**24)  # that a network may have beside what is saved, such as tables


def uncompiled(network: nn.Module) -> nn.Module:
    """Return the network itself where torch.compile has wrapped it."""
    return getattr(network, "_orig_mod", network)


def unregistered(network: nn.Module) -> Problem | None:
    """Say what is in the way where a bundle may not name the network's class."""
    network_class = type(uncompiled(network))
    rule = "a bundle names a network of an installed project that registers it"
    got = f"{network_class.__name__} of {network_class.__module__}"
    project = project_of(network_class.__module__)
    if project is None:
        point = f'[project.entry-points."{NETWORKS}"]'
        fix = f"name its package in pyproject.toml under {point}, then {INSTALL}"
        return Problem(rule, f"{got}, which none registers", fix)
    if import_networks(project, _module_inside(network_class, project)) is None:
        fix = "move it into a file of the package whose name does not begin with _"
        return Problem(rule, f"{got}, which is private", fix)
    return None


def _module_inside(network_class: type[nn.Module], project: str) -> str:
    """Return the module of a class as it is called inside the package that a project registers."""
    package = registered(NETWORKS)[project].value
    return network_class.__module__.removeprefix(package).removeprefix(".")


def model_config_of(
    make: Callable[..., nn.Module], network: nn.Module, spec: DataSpec
) -> ModelConfig:
    """Write down how `make(spec)` built a network, and prove that it can be built again so.

    Args:
        make: a class or a factory, as a `functools.partial` with the keywords of conf/model;
            a keyword of None is the class's own default.
        network: what it built, of a registered class, see `unregistered`; its
            weights and torch's randomness stay as they are.
        spec: what it was built for.

    Raises:
        ConfigError: the keywords are no plain values, or another network comes of them.
    """
    network = uncompiled(network)
    network_class = type(network)
    given = make.keywords if isinstance(make, functools.partial) else {}
    project = project_of(network_class.__module__)
    assert project is not None
    module, arguments = _module_inside(network_class, project), _arguments(network_class, given)
    config = ModelConfig(project, module, network_class.__qualname__, arguments)
    there = shapes_of(network)
    extent = Extent(len(there), sum(math.prod(shape) for shape, _ in there.values()))
    try:
        again = shapes_of(build_on_meta(find_class(config), config, spec, extent))
        reason = None if again == there else "tensors of other names or shapes"
    except InvalidFile as error:
        reason = str(error)
    if reason is None:
        return config
    name = network_class.__qualname__
    rule = f"{name} must be the same network when it is built again from its keywords"
    fix = (
        "let its constructor take the spec and plain keyword arguments only; where it looks at "
        'the value of a tensor, make that tensor with device="cpu"; or type bundle=false'
    )
    raise ConfigError(Problem(rule, reason, fix))


def _arguments(network_class: type[nn.Module], given: dict[str, Any]) -> dict[str, Any]:
    """Complete the keywords that the class takes with its plain defaults."""
    arguments: dict[str, Any] = {}
    parameters = inspect.signature(network_class).parameters
    for name, parameter in list(parameters.items())[1:]:  # spec is first
        if parameter.kind is parameter.VAR_KEYWORD:
            return arguments | {key: value for key, value in given.items() if value is not None}
        value = given.get(name)
        value = list(value) if isinstance(value, tuple) else value  # JSON has lists only
        if value is None and is_json_value(parameter.default):
            value = parameter.default
        if value is not None:
            arguments[name] = value
    return arguments


def is_json_value(value: Any) -> bool:
    """Say whether JSON keeps a value as it is."""
    if isinstance(value, list):
        return all(map(is_json_value, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def shapes_of(network: nn.Module) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Name every tensor that is saved, with its shape and dtype."""
    return {name: (tuple(t.shape), t.dtype) for name, t in network.state_dict().items()}


def find_class(config: ModelConfig) -> type[nn.Module]:
    """Find the class in what its project registers; nothing else is looked at, or imported."""
    project = ascii(config.project)[:60]  # a file can hold what a terminal would obey
    points = registered(NETWORKS)
    if config.project not in points:
        got = f"a network of {project}, which no installed project registers: {sorted(points)}"
        raise InvalidFile(got, f"install the project that made it: {INSTALL}")
    module = import_networks(config.project, config.module)
    if module is not None:
        found = vars(module).get(config.name)
        if _is_network_of(found, module.__name__):
            return found
    name = f"{config.module[:60]!r}, {config.name[:60]!r}"
    package = points[config.project].value
    raise InvalidFile(f"network {name}, which is not a network that {package} defines")


def _is_network_of(found: Any, module: str) -> TypeGuard[type[nn.Module]]:
    """Leave out what the module has only imported: torch's own classes, for instance."""
    is_network = isinstance(found, type) and issubclass(found, nn.Module)
    return is_network and found.__module__ == module


def build_on_meta(
    network_class: type[nn.Module], config: ModelConfig, spec: DataSpec, most: Extent
) -> nn.Module:
    """Build the network without memory for its numbers; stop where it grows beyond `most`."""
    with torch.device("meta"), _no_larger_than(most):
        return _construct(network_class, config, spec)


def build_on_cpu(network_class: type[nn.Module], config: ModelConfig, spec: DataSpec) -> nn.Module:
    """Build the network on the CPU, in eval mode; its numbers are still to be loaded."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return _construct(network_class, config, spec).eval()


def _construct(network_class: type[nn.Module], config: ModelConfig, spec: DataSpec) -> nn.Module:
    if not is_json_value(list(config.arguments.values())):
        raise InvalidFile(f"arguments of {config.name} that are no plain values")
    try:
        with warnings.catch_warnings(action="ignore"):  # the training has shown them
            return network_class(spec, **config.arguments)
    except InvalidFile:
        raise
    except Exception as error:  # a constructor of somebody's, given whatever a file holds
        reason = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        raise InvalidFile(f"{config.name} cannot be built: {reason}") from error


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
