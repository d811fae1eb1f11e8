"""Describe an exported file for those who do not know Kindling: columns, codes, inputs, outputs."""

import inspect
from dataclasses import asdict
from typing import Any

from kindling.bundle.predictor import Predictor
from kindling.export import raw_cells
from kindling.export.cell_rules import READING, describe_column
from kindling.images.image_schema import ImageSchema
from kindling.tables.schema import TableSchema
from kindling.version import __version__

# Of one tensor in and one out, with everything around the network or without; of ANSWER and RAW
# the keys are: is it a regression?
COLUMNS = "float64 (rows, columns): each column as described, but text as its code"
PREPARED_COLUMNS = "float32 (rows, numbers, then codes of categories): as preprocessed"
PREPARED_PIXELS = "float32 (rows, channels, height, width): (value - pixel_mean) / pixel_scale"
# In the order in which `decode` goes; `images` holds the values that the words name.
READING_IMAGES = (
    "Open `page` of a file, counted from 1; more than `max_pixels` are refused. A JPEG of a larger "
    "size is decoded at a half, a quarter or an eighth, so that each side keeps twice its length "
    "(Pillow's draft). Numbers: of scale `format`, the range of more than 8 bits, and 0 to 1 of "
    "floats, become 0 to 255, whole numbers by their upper 8 bits; of `range`, `value_range` "
    "becomes 0 to 255; of `none` they stay. Transparent pixels are put before `background`. Then "
    "grey or RGB by `channels` (Pillow's convert), or the `bands`. Then set upright by EXIF's "
    "orientation. Then another size is resized by Pillow's BILINEAR: `stretch` to the size, `crop` "
    "as ImageOps.fit; `pad` by the least scale, sides rounded, in the middle (half the rest, "
    "rounded down) of `background`. Then (height, width, channels) to (channels, height, width). "
    "A .npy file holds the array itself."
)
ANSWER = {
    True: "float64 (rows,): the predicted value in the unit of the target",
    False: "float64 (rows, classes): the probability of each class",
}
DECISION = "the second class where its probability is above {!r}, else the first"
RAW = {
    True: "float32 (rows, 1): standardised by target_mean and target_scale, after target_transform",
    False: "float32 (rows, classes): logits, whose softmax is the probability of each class",
}


def notes_of(model: Predictor, *, network_only: bool, is_program: bool) -> dict[str, Any]:
    """Describe the data, the columns, and what goes in and comes out.

    Args:
        model: from `load`.
        network_only: what stands around the network is left out.
        is_program: one tensor `x` goes in and one, `y`, comes out.
    """
    spec = model.spec
    notes: dict[str, Any] = {
        "kindling": __version__,
        "problem_type": spec.problem_type,
        "target": spec.target,
        "classes": list(spec.classes),
    }
    if model.threshold is not None:
        notes["decision"] = DECISION.format(model.threshold)
    if isinstance(model.schema, TableSchema):
        notes["columns"] = [describe_column(column) for column in model.schema.used]
        notes |= {"reading": READING, "reading in Python": inspect.getsource(raw_cells)}
        x, prepared = COLUMNS, PREPARED_COLUMNS
    else:
        notes["image_shape"] = list(model.schema.shape)  # channels, height, width
        notes |= {"images": asdict(model.schema), "reading": READING_IMAGES}
        x, prepared = describe_pixels(model.schema), PREPARED_PIXELS
    if network_only:
        return notes | _around(model) | {"x": prepared, "y": RAW[spec.is_regression]}
    return notes | ({"x": x, "y": ANSWER[spec.is_regression]} if is_program else {})


def describe_pixels(schema: ImageSchema) -> str:
    """Say what one tensor of images holds."""
    values = "0 to 255" if schema.dtype == "uint8" else "in the unit of the train images"
    if schema.keeps_numbers:
        low, high = (f"{end:.6g}" for end in schema.value_range)
        values = f"the {schema.samples or 'numbers'} of the files as they are, {low} to {high}"
    elif schema.scale == "range":
        low, high = (f"{end:.6g}" for end in schema.value_range)
        values = f"{low} to {high} of the files scaled to 0 to 255, cut beyond"
    if schema.bands:
        values += f"; bands {', '.join(map(str, schema.bands))} of a file, counted from 1"
    return f"{schema.dtype} (rows, channels, height, width): {values}"


def _around(model: Predictor) -> dict[str, Any]:
    """Return what a network alone leaves to others."""
    spec = model.spec
    names = ["numbers", "categories"] if spec.image_shape is None else ["pixel_mean", "pixel_scale"]
    names += ["target_transform", "target_mean", "target_scale"] if spec.is_regression else []
    return {name: getattr(spec, name) for name in names}
