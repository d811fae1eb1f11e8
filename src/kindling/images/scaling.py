"""RawData pixels in, standardised float32 out: the same in training and in an exported network."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn


class PixelScaler(nn.Module):
    """Standardise each channel with a mean and a scale in grey levels (0 to 255)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: tuple[float, ...], scale: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))  # (channels, 1, 1)
        self.register_buffer("scale", torch.tensor(scale).view(-1, 1, 1))

    def forward(
        self, pixels: UInt8[Tensor, "batch channels height width"]
    ) -> Float32[Tensor, "batch channels height width"]:
        return (pixels.float() - self.mean) / self.scale
