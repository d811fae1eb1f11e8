"""Bring decoded images to the channels, the range and the size of a schema."""

import numpy as np
from PIL import Image, ImageOps

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.images.bit_depth import Samples, format_bytes
from kindling.images.image_schema import ImageSchema

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue, as Pillow weighs them


def resize(image: Image.Image, schema: ImageSchema, fill: float | None = None) -> Image.Image:
    """Pad, crop or stretch an image to the schema's size.

    Args:
        image: of any mode.
        schema: says which size, and how.
        fill: what stands in the padding of a mode F; of other modes the background does.
    """
    size, method = (schema.width, schema.height), Image.Resampling.BILINEAR
    if image.size == size:
        return image
    if schema.fit == "stretch":
        return image.resize(size, method)
    if schema.fit == "crop":
        return ImageOps.fit(image, size, method)
    scale = min(schema.width / image.width, schema.height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if fill is None:
        canvas = Image.new("RGB", (1, 1), schema.background).convert(image.mode).resize(size)
    else:
        canvas = Image.new("F", size, fill)
    corner = ((schema.width - inner[0]) // 2, (schema.height - inner[1]) // 2)
    canvas.paste(image.resize(inner, method), corner)
    return canvas


def numbers_to_pixels(
    numbers: np.ndarray,
    alpha: np.ndarray | None,
    schema: ImageSchema,
    samples: Samples,
    turn: Image.Transpose | None,
    name: str,
) -> np.ndarray:
    """Bring numbers of any range to the schema.

    Args:
        numbers: (H, W, bands) in the unit of the file.
        alpha: float32 (H, W), opacity from 0 to 1, or None.
        schema: what they are brought to.
        samples: what the file says of them.
        turn: what sets the image upright.
        name: what to call the image in a message.

    Returns:
        (channels, height, width) in the schema's data type.
    """
    if not schema.bands:
        numbers = _to_seen(numbers, schema.channels)
    elif max(schema.bands) > numbers.shape[2]:
        raise DataError(_other_bands(numbers.shape[2], schema, name))
    else:
        numbers = numbers[..., [band - 1 for band in schema.bands]]
    low, high = schema.value_range if schema.keeps_numbers else (0.0, 255.0)
    numbers = _scale(numbers, schema, samples, name)
    if not np.isfinite(numbers).all():
        rule, fix = "every number of an image must be finite", "replace NaN and infinity in it"
        raise DataError(Problem(rule, f"NaN or infinity in {name}", fix, "D404", file=name))
    fill = low + (high - low) / 255 * _background(schema)
    if alpha is not None:
        numbers = alpha[..., np.newaxis] * (numbers - fill) + fill
    planes = []
    for plane, value in zip(np.moveaxis(numbers, 2, 0), fill, strict=True):
        image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
        upright = image if turn is None else image.transpose(turn)
        planes.append(np.asarray(resize(upright, schema, float(value))))
    pixels = np.stack(planes)
    return pixels if schema.dtype == "float32" else np.rint(pixels).clip(0, 255).astype(np.uint8)


def _to_seen(numbers: np.ndarray, channels: int) -> np.ndarray:
    """Turn grey into colour, or colour into grey, where the schema asks for it."""
    if numbers.shape[2] == channels:
        return numbers
    return np.repeat(numbers, 3, axis=2) if channels == 3 else (numbers @ LUMA)[..., np.newaxis]


def _scale(numbers: np.ndarray, schema: ImageSchema, samples: Samples, name: str) -> np.ndarray:
    if schema.scale == "format":
        numbers = format_bytes(numbers, samples, name) if samples.is_deep else numbers
    elif schema.scale == "range":
        low, high = schema.value_range
        numbers = ((numbers - low) * (255 / (high - low))).clip(0, 255)
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused
        return numbers.astype(np.float32)


def _background(schema: ImageSchema) -> np.ndarray:
    """Return the background of each channel, 0 to 255; bands that are no colours have its grey."""
    colour = np.array(schema.background, np.float32)
    is_colour = schema.channels == 3 and not schema.bands
    return colour if is_colour else np.full(schema.channels, colour @ LUMA, np.float32)


def _other_bands(count: int, schema: ImageSchema, name: str) -> Problem:
    rule = f"an image must have the bands {', '.join(map(str, schema.bands))}"
    got = f"{name}: {count} bands"
    fix = ("take it out", Setting("data.channels", ..., "a list of bands that it has"))
    for_rows = "give it with the bands of the train images"
    return Problem(rule, got, fix, "D441", for_rows, file=name)
