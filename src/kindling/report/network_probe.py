"""Rows in, what the trained network says of them out: the report's only way to the network."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kindling.images.scaling import PixelScaler
from kindling.predictions import read_outputs, to_numpy
from kindling.types import DataSpec

CHUNK = 2**18  # numbers in the rows that are asked for at once


class NetworkProbe:
    """A network that is asked, never trained.

    Args:
        network: stays as it is; it is asked on the device where its weights are.
        spec: describes the rows: float32 (N, F + C), or uint8 images (N, channels, H, W).
    """

    def __init__(self, network: nn.Module, spec: DataSpec) -> None:
        self.network, self.spec = network.eval(), spec
        self.device = next(network.parameters()).device
        self.scaler: nn.Module = nn.Identity()
        if spec.image_shape is not None:
            self.scaler = PixelScaler(spec.pixel_mean, spec.pixel_scale).to(self.device)

    def __call__(self, x: Tensor) -> np.ndarray:
        """Return probabilities (N, K), or values (N,) in the target's unit."""
        return read_outputs(self.spec, np.concatenate([to_numpy(y) for y in self._outputs(x)]))

    def _outputs(self, x: Tensor) -> list[Tensor]:
        rows = max(1, CHUNK // x[0].numel())
        with torch.no_grad():
            return [
                self.network(self.scaler(part.to(self.device))).float() for part in x.split(rows)
            ]

    def cost(self, x: Tensor) -> float:
        """Count the multiplications and additions for one row."""
        with FlopCounterMode(display=False) as counter:
            self._outputs(x[:1])
        return max(float(counter.get_total_flops()), x[0].numel())

    def last_input(self, x: Tensor) -> np.ndarray | None:
        """Return what the last linear layer is given, (N, D): how the network sees the rows."""
        layers = [layer for layer in self.network.modules() if isinstance(layer, nn.Linear)]
        if not layers:
            return None
        seen: list[Tensor] = []
        handle = layers[-1].register_forward_hook(lambda _, given, __: seen.append(given[0]))
        try:
            self._outputs(x)
        finally:
            handle.remove()
        fits = seen and all(part.ndim == 2 for part in seen)
        return np.concatenate([to_numpy(part.float()) for part in seen]) if fits else None
