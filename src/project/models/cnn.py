"""A small convolutional network for images of any size from 8x8 pixels, with any channels."""

from typing import Annotated

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.types import DataSpec

MIN_SIZE_PX = 8


class CNN(nn.Module):
    """Stages of two convolutions that halve the image and double the channels, then an average.

    Args:
        spec: describes the images and the number of outputs.
        width: channels of the first stage.
        depth: stages, at least 1; an image too small to be halved again keeps its size.
        dropout: share of features dropped before the last layer while training.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int, Range(1, 65536)] = 16,
        depth: Annotated[int, Range(1, 1024)] = 4,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.1,
    ) -> None:
        super().__init__()
        channels, side = image_size(spec, "cnn")
        stages: list[nn.Module] = []
        for stage in range(depth):
            wider = width * 2**stage
            stages += [_convolution(channels, wider), _convolution(wider, wider)]
            channels = wider
            # Below 4 pixels nothing is left to halve.
            if side >= 4:
                stages.append(nn.MaxPool2d(2))  # (B, D, H, W) -> (B, D, H/2, W/2)
                side //= 2
        self.body = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch channels height width"]) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)  # a CPU is 1.4 times as fast so
        features = self.body(x).mean(dim=(2, 3))  # (B, D, H, W) -> (B, D)
        return self.head(self.dropout(features))  # (B, K) logits or (B, 1) values


def _convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def image_size(spec: DataSpec, model: str) -> tuple[int, int]:
    """Return channels and the shorter side in pixels, or say what to type instead of a model."""
    if spec.image_shape is None:
        got = f"a table of {len(spec.numbers)} numbers and {len(spec.categories)} categories"
        raise ConfigError(Problem(f"model={model} takes images", got, Setting("model", "mlp")))
    channels, height, width = spec.image_shape
    if min(height, width) < MIN_SIZE_PX:
        ways = (Setting("model", "mlp"), Setting("data.size", [MIN_SIZE_PX, MIN_SIZE_PX]))
        rule = f"model={model} takes images of {MIN_SIZE_PX}x{MIN_SIZE_PX} pixels or more"
        raise ConfigError(Problem(rule, f"{height}x{width}", ways))
    return channels, min(height, width)
