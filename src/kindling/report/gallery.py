"""Test images and what was said of them in; the worst mistakes as pictures out."""

import base64
import io

import numpy as np
from PIL import Image

from kindling.formatting import count, percent, quantity, shorten
from kindling.report.components import Gallery, Photo
from kindling.report.report_data import ReportData

MAX_PHOTOS = 12
SIDE_PX = 128  # of a picture in the page


def mistakes(report_data: ReportData) -> Gallery:
    """Show the images that are most wrong; where all classes are right, the least sure ones."""
    num_images, errors = len(report_data.looked), report_data.errors
    if report_data.spec.is_regression:
        title, chosen = "Largest errors", np.argsort(-errors, kind="stable")
        caption = "The test images whose value is furthest from what was said: is it right?"
    elif errors.any():
        sure = report_data.prediction.max(axis=1)
        title, chosen = "Most confident mistakes", np.lexsort((-sure, -errors))[: int(errors.sum())]
        wrong = count(len(chosen), "is", "are")
        caption = (
            f"Of {count(num_images, 'test image')}, {wrong} given a wrong class. The network is "
            "surest of the first ones: look for wrong labels among them."
        )
    else:
        title, chosen = (
            "Least sure of",
            np.argsort(report_data.prediction.max(axis=1), kind="stable"),
        )
        caption = "Every test image is given its class; these were the closest to another."
    chosen = chosen[:MAX_PHOTOS].tolist()
    pictures = [enlarge(to_rgb(report_data.x[place].numpy())) for place in chosen]
    lines = [
        (said_of(report_data, k), truth_of(report_data, k), name_of(report_data, k)) for k in chosen
    ]
    return to_gallery("mistakes", title, caption, pictures, lines)


def to_gallery(
    name: str,
    title: str,
    caption: str,
    pictures: list[np.ndarray],
    lines: list[tuple[str, str, str]],
) -> Gallery:
    """Put pictures of uint8 (H, W, 3) and the lines below each together."""
    photos = [Photo(to_uri(p), below) for p, below in zip(pictures, lines, strict=True)]
    return Gallery(name, title, caption, photos, np.stack(pictures).transpose(0, 3, 1, 2))


def said_of(report_data: ReportData, place: int) -> str:
    """Write what the network said of an image."""
    said = report_data.prediction[place]
    if report_data.spec.is_regression:
        return f"said {quantity(float(said))}"
    code = int(said.argmax())
    return f"said {shorten(report_data.spec.classes[code], 40)}, {percent(float(said[code]))}"


def truth_of(report_data: ReportData, place: int) -> str:
    """Write what is true of an image."""
    truth = report_data.truth[place]
    if report_data.spec.is_regression:
        return f"is {quantity(float(truth))}"
    return f"is {shorten(report_data.spec.classes[truth], 40)}"


def name_of(report_data: ReportData, place: int) -> str:
    """Call an image by its file, or by its row where it has none."""
    name = report_data.names[place]
    return name if isinstance(name, str) else f"row {name}"


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Turn uint8 (1 or 3, H, W) into (H, W, 3)."""
    return np.broadcast_to(image.transpose(1, 2, 0), (*image.shape[1:], 3))


def enlarge(image: np.ndarray, *, is_smooth: bool = False, background: str = "white") -> np.ndarray:
    """Bring uint8 (H, W, 3) to the side of a picture in the page, its shape kept."""
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
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
