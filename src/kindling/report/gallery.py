"""Galleries of test images: the worst mistakes, and any images as thumbnails for the page."""

import base64
import io

import numpy as np
from PIL import Image

from kindling.formatting import count, percent, quantity, shorten
from kindling.report.components import Gallery, Thumbnail
from kindling.report.report_data import ReportData

MAX_IMAGES = 12
SIDE_PX = 128  # of a thumbnail


def worst_images(data: ReportData) -> Gallery:
    """Show the images that are most wrong; where all classes are right, the least sure ones."""
    errors = data.errors
    if data.spec.is_regression:
        title, order = "Largest errors", np.argsort(-errors, kind="stable")
        caption = "The test images whose value is furthest from the prediction: is it right?"
    elif errors.any():
        sure = data.prediction.max(axis=1)  # a sure mistake is often a wrong label
        title, order = "Most confident mistakes", np.lexsort((-sure, -errors))[: int(errors.sum())]
        caption = (
            f"Of {count(len(errors), 'test image')}, {count(len(order), 'is', 'are')} given a "
            "wrong class. The network is surest of the first ones: look for wrong labels among "
            "them."
        )
    else:
        title, order = "Least sure of", np.argsort(data.prediction.max(axis=1), kind="stable")
        caption = "Every test image is given its class; these were the closest to another."
    chosen = order[:MAX_IMAGES].tolist()
    images = [enlarge(to_rgb(image)) for image in data.pictures(chosen)]
    lines = [(write_prediction(data, k), write_truth(data, k), name_of(data, k)) for k in chosen]
    return make_gallery("mistakes", title, caption, images, lines)


def make_gallery(
    name: str, title: str, caption: str, images: list[np.ndarray], lines: list[tuple[str, str, str]]
) -> Gallery:
    """Put images of uint8 (H, W, 3) and the lines below each together."""
    thumbnails = [Thumbnail(to_uri(i), below) for i, below in zip(images, lines, strict=True)]
    return Gallery(name, title, caption, thumbnails, np.stack(images).transpose(0, 3, 1, 2))


def write_prediction(data: ReportData, k: int) -> str:
    """Write the prediction for an image, on one line of a thumbnail where it can be."""
    prediction = data.prediction[k]
    if data.spec.is_regression:
        return f"said {quantity(float(prediction))}"
    code = int(data.code[k])
    return f"said {shorten(data.spec.classes[code], 40)}, {percent(float(prediction[code]))}"


def write_truth(data: ReportData, k: int) -> str:
    """Write what is true of an image."""
    truth = data.truth[k]
    if data.spec.is_regression:
        return f"is {quantity(float(truth))}"
    return f"is {shorten(data.spec.classes[truth], 40)}"


def name_of(data: ReportData, k: int) -> str:
    """Call an image by its file, or by its row where it has none."""
    name = data.sample_ids[k]
    return name if isinstance(name, str) else f"row {name}"


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Turn uint8 (1 or 3, H, W) into (H, W, 3)."""
    return np.broadcast_to(image.transpose(1, 2, 0), (*image.shape[1:], 3))


def enlarge(image: np.ndarray, *, is_smooth: bool = False, background: str = "white") -> np.ndarray:
    """Bring uint8 (H, W, 3) to the side of a thumbnail, its shape kept."""
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # A small image keeps its pixels as squares: what the network sees is what is shown.
    way = Image.Resampling.BILINEAR if is_smooth or scale < 1 else Image.Resampling.NEAREST
    square = Image.new("RGB", (SIDE_PX, SIDE_PX), background)
    place = ((SIDE_PX - size[0]) // 2, (SIDE_PX - size[1]) // 2)
    square.paste(Image.fromarray(np.ascontiguousarray(image)).resize(size, way), place)
    return np.asarray(square)


def to_uri(image: np.ndarray) -> str:
    """Write uint8 (H, W, 3) as PNG into an address that holds it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
