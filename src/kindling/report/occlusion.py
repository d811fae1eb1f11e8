"""Occlusion maps: where in an image the network looks.

A place is hidden, and the network predicts again: where that is something else, it looked
(Zeiler and Fergus, 2013). That works for any network.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from kindling.formatting import percent, quantity
from kindling.report.components import Block, Gallery, PageSection
from kindling.report.gallery import (
    enlarge,
    make_gallery,
    name_of,
    to_rgb,
    worst_images,
    write_prediction,
)
from kindling.report.report_data import ReportData, TrainedNetwork
from kindling.types import DataSpec

MAX_MAPS = 6
LEAST = 0.05  # a smaller change, as a share, is not painted in full red
BUDGET = 4e10  # multiplications and additions for all maps
PATCHES = 7  # positions of the patch along a side
RED = np.array([214, 40, 40], dtype=np.float32)


def image_section(data: ReportData, network: TrainedNetwork) -> PageSection:
    """Show the worst mistakes, and what the network looks at."""
    title = "Images it is wrong about, and what it looks at"
    if data.why_no_images:
        return PageSection("images", title, data.why_no_images, [])
    blocks: list[Block] = [worst_images(data)]
    num_maps = min(MAX_MAPS, len(data.x), int(BUDGET / (network.cost(data.x) * (1 + PATCHES**2))))
    if num_maps:
        blocks.append(occlusion_maps(network.predict, data, num_maps))
    return PageSection("images", title, "", blocks)


def occlusion_maps(
    predict: Callable[[Tensor], np.ndarray], data: ReportData, num_maps: int
) -> Gallery:
    """Show where hiding a place changes the answer.

    Args:
        predict: returns probabilities (N, K), or values (N,), for images.
        data: the test images.
        num_maps: how many of them are shown.
    """
    is_regression = data.spec.is_regression
    chosen = choose(data, num_maps)
    least = LEAST * (data.spec.target_scale if is_regression else 1)
    changes = [occlusion(predict, data.spec, data.x[k]) for k in chosen]
    pairs = list(zip(chosen, changes, strict=True))
    shown = zip(data.pictures(chosen), changes, strict=True)
    images = [overlay(image, c / max(float(c.max()), least)) for image, c in shown]
    lines = [
        (write_prediction(data, k), write_hidden(data, k, c), name_of(data, k)) for k, c in pairs
    ]
    effect = "more the value changes" if is_regression else "less sure of its class the network is"
    caption = (
        "A patch of a quarter of the side in the mean colour is moved over the image. The redder "
        f"a place, the {effect} when that place is hidden. Below each image: the prediction, "
        "and what becomes of it when the reddest place is hidden."
    )
    return make_gallery("occlusion", "What the network looks at", caption, images, lines)


def choose(data: ReportData, num_maps: int) -> list[int]:
    """Choose half of the images among the most wrong, then one of each class, then any."""
    worst = np.argsort(-data.errors, kind="stable")[: num_maps // 2]
    worst = worst[data.errors[worst] > 0]
    order = [*worst.tolist(), *range(len(data.x))]
    if not data.spec.is_regression:
        order[len(worst) : len(worst)] = np.unique(data.truth, return_index=True)[1].tolist()
    return list(dict.fromkeys(order))[:num_maps]


def write_hidden(data: ReportData, k: int, change: np.ndarray) -> str:
    """Write what the network says when the place that matters most is hidden."""
    if data.spec.is_regression:
        return f"changes by {quantity(float(change.max()))}"
    left = data.prediction[k].max() - change.max()
    return f"{percent(float(np.clip(left, 0, 1)))} when hidden"


def occlusion(predict: Callable[[Tensor], np.ndarray], spec: DataSpec, image: Tensor) -> np.ndarray:
    """Return how much the answer changes when a place is hidden: (H, W).

    Of classes it is the fall of the probability of the predicted class; of values the size of
    the change. A place that several patches cover has their mean.
    """
    _, height, width = image.shape
    mean = torch.tensor(spec.pixel_mean).view(-1, 1, 1)
    colour = mean.round().to(torch.uint8) if image.dtype == torch.uint8 else mean
    places = [
        (slice(top, top + tall), slice(left, left + wide))
        for top, tall in patches(height)
        for left, wide in patches(width)
    ]
    copies = image.repeat(1 + len(places), 1, 1, 1)
    for copy, (rows, columns) in zip(copies[1:], places, strict=True):
        copy[:, rows, columns] = colour
    answers = predict(copies)
    changes = (
        np.abs(answers - answers[0])
        if spec.is_regression
        else answers[0].max() - answers[:, answers[0].argmax()]
    )
    total, covered = np.zeros((height, width)), np.zeros((height, width))
    for (rows, columns), change in zip(places, changes[1:], strict=True):
        total[rows, columns] += change
        covered[rows, columns] += 1
    return total / covered


def patches(side: int) -> list[tuple[int, int]]:
    """Return start and length of patches that cover a side, each overlapping the next by half."""
    length = max(1, -(-side // 4))
    starts = np.unique(np.linspace(0, side - length, PATCHES).round().astype(int))
    return [(int(start), length) for start in starts]


def overlay(image: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Paint changes (H, W), from 0 to 1, in red over the image in grey."""
    grey = to_rgb(image).mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    shades = (255 * np.maximum(change, 0)).astype(np.uint8)[..., None].repeat(3, axis=2)
    mask = enlarge(shades, is_smooth=True, background="black")  # nothing beside the image
    alpha = 0.75 * mask[..., :1].astype(np.float32) / 255
    return ((1 - alpha) * enlarge(grey) + alpha * RED).astype(np.uint8)
