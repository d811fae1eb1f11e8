"""A small residual network for images of any size from 8x8 pixels, with any channels."""

from typing import Annotated

import torch
from jaxtyping import Float32
from torch import Tensor, nn

from kindling.config.ranges import Range
from kindling.types import DataSpec
from project.models.cnn import image_size
from project.models.members import average_members

WIDTHS = (32, 24, 16)  # fewer cost more of the score than fewer epochs do
PRODUCTS_PER_S = 23e9  # of forward passes while training, on two cores of a laptop
EPOCHS = 30  # that the budget is for


class ResNet(nn.Module):
    """Groups that halve the image, each with a convolution around a shortcut; then the maximum.

    After Jordan, "94% on CIFAR-10 in 3.29 seconds" (2024, arxiv.org/abs/2404.00498), whose groups
    these are, and He et al., "Deep residual learning" (2015, arxiv.org/abs/1512.03385).

    Args:
        spec: describes the images and the number of outputs.
        width: channels of the first group; the second has twice as many, the rest four times. None
            takes 32, or fewer where these would take too long.
        budget_s: seconds that 30 epochs may take on a CPU of two cores, where width is None.
        depth: groups, at least 1; an image too small to be halved again keeps its size.
        dropout: share of features dropped before the last layer while training.
        mirror: while not training, also look at each image from left to right, and take the mean.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        width: Annotated[int | None, Range(1, 65536)] = None,
        depth: Annotated[int, Range(1, 1024)] = 3,
        dropout: Annotated[float, Range(0, 1, "[)")] = 0.1,
        budget_s: Annotated[float, Range(0, ends="()")] = 600,
        mirror: bool = False,
    ) -> None:
        super().__init__()
        self.mirror = mirror
        channels, side = image_size(spec, "resnet")
        stride = 4 if side >= 96 else 2 if side > 32 else 1  # groups work on 32 pixels or fewer
        if width is None:
            most = budget_s * PRODUCTS_PER_S / max(1, EPOCHS * spec.num_rows)
            fitting = (w for w in WIDTHS if count_products(w, depth, side // stride) <= most)
            width = next(fitting, WIDTHS[-1])
            if width < WIDTHS[0]:
                self.note = f"width {width} for model.budget_s={budget_s:g}"
        stem = nn.Conv2d(channels, width, stride + 2, stride=stride, padding=1, bias=False)
        groups: list[nn.Module] = [stem, nn.BatchNorm2d(width), nn.GELU()]
        side //= stride
        channels = width
        for group in range(depth):
            wider = width * min(2**group, 4)
            groups.append(ConvolutionGroup(channels, wider, halve=side >= 4))
            channels, side = wider, side // 2 if side >= 4 else side
        self.body = nn.Sequential(*groups)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, spec.num_outputs)

    def forward(self, x: Float32[Tensor, "batch channels height width"]) -> Tensor:
        if self.training or not self.mirror:
            return self.look(x)
        return average_members(torch.stack([self.look(x), self.look(x.flip(3))], dim=1))

    def look(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)  # a CPU is 1.3 times as fast so
        features = self.body(x).amax(dim=(2, 3))  # (B, D, H, W) -> (B, D)
        return self.head(self.dropout(features))  # (B, K) logits or (B, 1) values


def count_products(width: int, depth: int, side: int) -> int:
    """Count those of an image's way through the groups."""
    products, channels = 0, width
    for group in range(depth):
        wider, smaller = width * min(2**group, 4), side // 2 if side >= 4 else side
        products += 9 * wider * (channels * side**2 + wider * smaller**2)
        channels, side = wider, smaller
    return products


class ConvolutionGroup(nn.Module):
    """A convolution that halves the image, then one whose output is added to its input."""

    def __init__(self, channels_in: int, channels_out: int, *, halve: bool) -> None:
        super().__init__()
        self.halve = nn.Sequential(
            convolution(channels_in, channels_out),
            nn.MaxPool2d(2) if halve else nn.Identity(),
            nn.BatchNorm2d(channels_out),
            nn.GELU(),
        )
        self.residual = nn.Sequential(
            convolution(channels_out, channels_out), nn.BatchNorm2d(channels_out), nn.GELU()
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.halve(x)  # (B, C, H, W) -> (B, D, H/2, W/2)
        return x + self.residual(x)


def convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Make a 3x3 convolution."""
    return nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
