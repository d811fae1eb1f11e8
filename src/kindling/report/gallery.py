"""Test images and their probabilities in; the worst mistakes and what is looked at out."""

import base64
import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from kindling.report.parts import Gallery, Photo
from kindling.report.words import percent
from kindling.task.result import Result
from kindling.types import DataSpec

MAX_PHOTOS, MAX_MAPS = 12, 6
SIDE_PX = 128  # of a picture in the page
BUDGET = 2e10  # multiplications and additions for all maps
PATCHES = 7  # positions of the patch along a side
RED = np.array([214, 40, 40], dtype=np.float32)


def mistakes(spec: DataSpec, x: Tensor, result: Result, names: np.ndarray) -> Gallery:
    """Show the images whose class is wrong, the surest first; without any, the least sure ones."""
    said, sure = result.prediction.argmax(axis=1), result.prediction.max(axis=1)
    wrong = np.flatnonzero(said != result.truth)
    if len(wrong):
        title, chosen = "Most confident mistakes", wrong[np.argsort(-sure[wrong], kind="stable")]
        caption = f"{len(wrong)} of {len(said)} test images are given a wrong class. "
        caption += "The network is surest of the first ones: look for wrong labels among them."
    else:
        title, chosen = "Least sure of", np.argsort(sure, kind="stable")
        caption = "Every test image is given its class; these are the ones that were closest to "
        caption += "another."
    chosen = chosen[:MAX_PHOTOS]
    pixels = np.stack([enlarge(to_rgb(x[place].numpy())) for place in chosen])
    photos = [
        Photo(
            to_uri(picture),
            (
                f"said {spec.classes[said[place]]}, {percent(float(sure[place]))}",
                f"is {spec.classes[result.truth[place]]}",
                str(names[result.row[place]]),
            ),
        )
        for place, picture in zip(chosen, pixels, strict=True)
    ]
    return Gallery("mistakes", title, caption, photos, pixels.transpose(0, 3, 1, 2))


def maps(
    ask: Callable[[Tensor], np.ndarray],
    spec: DataSpec,
    x: Tensor,
    result: Result,
    names: np.ndarray,
    cost: float,
) -> Gallery | None:
    """Show where a grey patch makes the network less sure; None where that costs too much."""
    num_maps = min(MAX_MAPS, len(x), int(BUDGET / (cost * PATCHES**2)))
    if num_maps == 0:
        return None
    said, sure = result.prediction.argmax(axis=1), result.prediction.max(axis=1)
    wrong = said != result.truth
    # Half of them mistakes, then right ones of different classes: the surest of each.
    first_of_class = np.unique(said, return_index=True)[1]
    order = np.concatenate(
        [np.flatnonzero(wrong)[: num_maps // 2], first_of_class, np.arange(len(x))]
    )
    chosen = np.array(list(dict.fromkeys(order.tolist()))[:num_maps])
    falls = [occlusion(ask, spec, x[place], int(said[place])) for place in chosen]
    pixels = np.stack(
        [overlay(x[place].numpy(), fall) for place, fall in zip(chosen, falls, strict=True)]
    )
    photos = [
        Photo(
            to_uri(picture),
            (
                f"said {spec.classes[said[place]]}, {percent(float(sure[place]))}",
                f"falls by up to {percent(max(0.0, float(fall.max())))}",
                str(names[result.row[place]]),
            ),
        )
        for place, picture, fall in zip(chosen, pixels, falls, strict=True)
    ]
    caption = (
        "A patch of a quarter of the side in the mean colour is moved over the image. The redder "
        "a place, the less sure of its class the network is when that place is hidden; each map "
        "is scaled to its own largest fall."
    )
    title = "What the network looks at"
    return Gallery("occlusion", title, caption, photos, pixels.transpose(0, 3, 1, 2))


def occlusion(
    ask: Callable[[Tensor], np.ndarray], spec: DataSpec, image: Tensor, code: int
) -> np.ndarray:
    """Return how much the probability of a class falls when a place is hidden: (H, W).

    Args:
        ask: returns probabilities (N, K) for images (N, channels, H, W).
        spec: holds the mean colour.
        image: uint8 (channels, H, W).
        code: of the class.
    """
    _, height, width = image.shape
    colour = torch.tensor(spec.pixel_mean).round().to(torch.uint8).view(-1, 1, 1)
    places = [
        (slice(top, top + tall), slice(left, left + wide))
        for top, tall in _patches(height)
        for left, wide in _patches(width)
    ]
    hidden = image.repeat(len(places), 1, 1, 1)
    for copy, (rows, columns) in zip(hidden, places, strict=True):
        copy[:, rows, columns] = colour
    probs = ask(torch.cat([image[None], hidden]))[:, code]
    total, covered = np.zeros((height, width)), np.zeros((height, width))
    for (rows, columns), prob in zip(places, probs[1:], strict=True):
        total[rows, columns] += probs[0] - prob
        covered[rows, columns] += 1
    return total / covered


def _patches(side: int) -> list[tuple[int, int]]:
    """Return start and length of patches that cover a side, each overlapping the next by half."""
    length = max(1, -(-side // 4))
    starts = np.unique(np.linspace(0, side - length, PATCHES).round().astype(int))
    return [(int(start), length) for start in starts]


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Turn uint8 (1 or 3, H, W) into (H, W, 3)."""
    return np.broadcast_to(image.transpose(1, 2, 0), (*image.shape[1:], 3))


def enlarge(image: np.ndarray, *, is_smooth: bool = False) -> np.ndarray:
    """Bring uint8 (H, W, 3) to the side of a picture in the page, its shape kept on white."""
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = Image.Resampling.BILINEAR if is_smooth or scale < 1 else Image.Resampling.NEAREST
    square = Image.new("RGB", (SIDE_PX, SIDE_PX), "white")
    place = ((SIDE_PX - size[0]) // 2, (SIDE_PX - size[1]) // 2)
    square.paste(Image.fromarray(np.ascontiguousarray(image)).resize(size, way), place)
    return np.asarray(square)


def overlay(image: np.ndarray, fall: np.ndarray) -> np.ndarray:
    """Paint falls (H, W) in red over the image in grey."""
    grey = to_rgb(image).mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    heat = np.maximum(fall, 0) / max(float(fall.max()), 1e-9)
    shades = (255 * heat).astype(np.uint8)[..., None].repeat(3, axis=2)
    alpha = 0.75 * enlarge(shades, is_smooth=True)[..., :1].astype(np.float32) / 255
    return ((1 - alpha) * enlarge(grey) + alpha * RED).astype(np.uint8)


def to_uri(image: np.ndarray) -> str:
    """Write uint8 (H, W, 3) as PNG into an address that holds it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
