"""Augment train images on the device: shift, turn, zoom, mirror, change brightness, cut out.

What happens to an image is a function of (seed, epoch, row) alone, by integer arithmetic that is
the same on every device: neither batches nor workers nor a resumed run change it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from kindling.rng import derive_seed


@dataclass(frozen=True)
class Strength:
    """How far an image is changed at most.

    Args:
        shift: share of the side that it is moved by, up to this.
        turn_deg: angle that it is turned by, in degrees, up to this either way.
        zoom: share that it grows or shrinks by, up to this.
        light: share that brightness and contrast change by; of uint8 images with three channels,
            which are taken for red, green and blue, also each colour.
        cutout: side of a blank square, as a share of the image's.
    """

    shift: float
    turn_deg: float
    zoom: float
    light: float
    cutout: float


STRENGTHS = {
    "light": Strength(shift=0.08, turn_deg=8.0, zoom=0.08, light=0.1, cutout=0.0),
    "strong": Strength(shift=0.15, turn_deg=15.0, zoom=0.2, light=0.3, cutout=0.3),
}
DRAWS = 12  # random numbers that an image may use


class Augment:
    """Changes a batch of images on whatever device they are.

    uint8 images are rounded and stay within 0 to 255. float32 images keep a range of their own:
    nothing is rounded or clamped, and their channels are no colours.

    Args:
        strength: "light" or "strong".
        flip: whether half of the images are mirrored left to right.
        seed: everything that is drawn derives from it.
    """

    def __init__(self, strength: str, *, flip: bool, seed: int) -> None:
        self.strength, self.flip, self.seed = STRENGTHS[strength], flip, seed

    def __call__(self, pixels: Tensor, row: Tensor, epoch: int) -> Tensor:
        """Return images (B, channels, H, W) of the data type of `pixels`; `row` is int64 (B,)."""
        is_uint8 = pixels.dtype == torch.uint8
        draws = draw(derive_seed(self.seed, "augment", epoch), row, DRAWS)  # (B, DRAWS)
        moved = self._move(pixels.float(), draws[:, :5])
        lit = self._light(moved, draws[:, 5:10], has_colour=is_uint8 and pixels.shape[1] == 3)
        # Cut out last: the blank is to have the mean of what the network sees.
        changed = self._cut(lit, draws[:, 10:12])
        return changed.round().clamp(0, 255).to(torch.uint8) if is_uint8 else changed

    def _move(self, x: Tensor, draws: Tensor) -> Tensor:
        """Turn, zoom, mirror and shift, all at once; the border repeats what is at the edge."""
        strength, (_, _, height, width) = self.strength, x.shape
        signed = 2 * draws - 1  # (B, 5) in [-1, 1)
        angle = signed[:, 0] * (strength.turn_deg * torch.pi / 180)
        scale = 1 + signed[:, 1] * strength.zoom
        mirror = torch.where(draws[:, 4] < 0.5, -1.0, 1.0) if self.flip else torch.ones_like(angle)
        cosine, sine = angle.cos() * scale, angle.sin() * scale
        aspect = height / width
        top = torch.stack([cosine * mirror, -sine * aspect, 2 * strength.shift * signed[:, 2]], 1)
        left = torch.stack([sine / aspect * mirror, cosine, 2 * strength.shift * signed[:, 3]], 1)
        grid = F.affine_grid(torch.stack([top, left], 1), list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, padding_mode="border", align_corners=False)

    def _light(self, x: Tensor, draws: Tensor, *, has_colour: bool) -> Tensor:
        """Scale contrast around the image's mean, then brightness, then each colour."""
        change = 1 + (2 * draws - 1) * self.strength.light  # (B, 5)
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        x = (x - mean) * change[:, 0].view(-1, 1, 1, 1) + mean
        x = x * change[:, 1].view(-1, 1, 1, 1)
        return x * change[:, 2:5].view(-1, 3, 1, 1) if has_colour else x

    def _cut(self, x: Tensor, draws: Tensor) -> Tensor:
        """Blank a square with the image's mean."""
        if self.strength.cutout == 0:
            return x
        height, width = x.shape[2:]
        rows = torch.arange(height, device=x.device) / height - draws[:, :1]  # (B, H)
        columns = torch.arange(width, device=x.device) / width - draws[:, 1:]  # (B, W)
        half = self.strength.cutout / 2
        blank = (rows.abs() < half)[:, None, :, None] & (columns.abs() < half)[:, None, None, :]
        return torch.where(blank, x.mean(dim=(1, 2, 3), keepdim=True), x)


def draw(state: int, row: Tensor, count: int) -> Tensor:
    """Return float32 (B, count) in [0, 1), the same on every device.

    Integers of 64 bits wrap around; the finaliser is that of `rng.mix`, with the shifts kept
    free of the sign.
    """
    counter = torch.arange(count, device=row.device)
    x = row[:, None] * count + counter + _signed(state)
    for multiplier, shift in (
        (0x9E3779B97F4A7C15, 30),
        (0xBF58476D1CE4E5B9, 27),
        (0x94D049BB133111EB, 31),
    ):
        x = (x ^ _shift(x, shift)) * _signed(multiplier)
    return _shift(x ^ _shift(x, 29), 40).float() / 2**24


def _shift(x: Tensor, bits: int) -> Tensor:
    """Shift right and fill with zeros; the operator of int64 fills with the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    """Write 64 bits as the int64 that holds them."""
    return value - (1 << 64) if value >= 1 << 63 else value
