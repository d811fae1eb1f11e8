"""Watch what each layer of a network gives on a few rows, and leave the network as it was."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor, nn

from kindling.errors import ConfigError, Problem

Saved = tuple[str, Tensor, int]


@dataclass(frozen=True)
class LayerOutput:
    """What one layer gave; its sum shows nan and inf, and that two passes differ."""

    layer: str
    dtype: torch.dtype
    device: torch.device
    total: Tensor


class LayerWatch:
    """Notes what every layer of a network gives, and where a pass breaks off."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.labels = {module: label(name, module) for name, module in network.named_modules()}
        self.seen: list[LayerOutput] = []
        self.open: list[str] = []  # layers that were entered and not left, the innermost last
        self.edited: list[str] = []

    def __enter__(self) -> "LayerWatch":
        self.handles = [m.register_forward_pre_hook(self._enter, prepend=True) for m in self.labels]
        self.handles += [module.register_forward_hook(self._leave) for module in self.labels]
        return self

    def __exit__(self, *args: Any) -> None:
        for handle in self.handles:
            handle.remove()

    def run(self, x: Tensor) -> Any:
        """Pass rows through the network; whatever it raises becomes a problem with a name."""
        self.seen, self.open = [], []
        try:
            return self.network(x.clone())  # it may edit its input in place
        except Exception as error:
            got = f"in {self.open[-1]}: {first_line(error)}"
            fix = "mend that layer, or the sizes it is given (debug=true shows its line)"
            raise ConfigError(
                Problem("every layer must take what it is given", got, fix)
            ) from error

    def _enter(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.open:  # what a layer is given is the work of the one around it
            self._note(self.open[-1], inputs)
        self.open.append(self.labels[module])

    def _leave(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        layer = self.labels[module]
        while self.open.pop() != layer:
            pass  # an inner layer raised, and an outer one caught it
        self._note(layer, output if isinstance(output, tuple | list) else (output,))

    def _note(self, layer: str, values: Iterable[Any]) -> None:
        for tensor in values:
            if isinstance(tensor, Tensor) and not tensor.is_nested:
                numbers = tensor.detach()
                total = (numbers.abs() if numbers.is_complex() else numbers).float().sum()
                self.seen.append(LayerOutput(layer, tensor.dtype, tensor.device, total))

    @contextmanager
    def watch_edits(self) -> Iterator[None]:
        """Note whose tensors are edited between forward and backward: torch names no layer."""
        with torch.autograd.graph.saved_tensors_hooks(self._save, self._give_back):
            yield

    def _save(self, tensor: Tensor) -> Saved:
        return self.open[-1] if self.open else "the loss", tensor, tensor._version

    def _give_back(self, saved: Saved) -> Tensor:
        layer, tensor, version = saved
        if tensor._version != version:  # torch's own check, which these hooks stand in for
            self.edited.append(layer)
        return tensor


def label(name: str, module: nn.Module) -> str:
    """Name a layer as its author does: path and class."""
    return f"{name or 'network'} ({type(module).__name__})"


def first_line(error: Exception) -> str:
    """Say what was raised, without torch's advice that spans many lines."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


@contextmanager
def untouched(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Put everything back: weights, buffers, modes, plain attributes and random states.

    Attributes too: a layer that starts itself on its first batch keeps a flag of its own.
    """
    parts = [
        (module, module.training, dict(vars(module)), *_contents(module))
        for module in network.modules()
    ]
    tensors = [(t, t.detach().clone()) for t in (*network.parameters(), *network.buffers())]
    with isolate_rng(include_cuda=device.type == "cuda"):
        try:
            yield
        finally:
            for module, training, attributes, parameters, buffers in parts:
                _refill(vars(module), attributes)
                _refill(module._parameters, parameters)
                _refill(module._buffers, buffers)
                module.training = training
            with torch.no_grad():
                for tensor, before in tensors:
                    tensor.copy_(before)


def _contents(module: nn.Module) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(module._parameters), dict(module._buffers)


def _refill(target: dict[str, Any], before: dict[str, Any]) -> None:
    target.clear()
    target.update(before)
