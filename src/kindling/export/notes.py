"""A loaded model in; what a stranger must know of its exported file, as plain values, out."""

from typing import Any

from kindling import __version__
from kindling.bundle.predictor import Predictor
from kindling.tables.column_types import MISSING
from kindling.tables.schema import Column, TableSchema

# What the cell of an ONNX input holds, by the kind of its column.
MEANING = {
    "number": "float64 number; NaN is missing",
    "boolean": "float64 0 or 1; NaN is missing",
    "date": "float64 days since 1970-01-01 UTC; NaN is missing",
    "category": f"text; {MISSING!r} is missing; a level that was not learnt from is unknown",
}
# Of one tensor in and one out; the keys are: is it a table, is it a regression?
TYPED = {
    True: "float64 (rows, columns): each column as described, but text as its code",
    False: "uint8 (rows, channels, height, width): grey levels",
}
PREPARED = {
    True: "float32 (rows, numbers, then codes of categories): imputed and standardised",
    False: "float32 (rows, channels, height, width): (grey level - pixel_mean) / pixel_scale",
}
ANSWER = {
    True: "float64 (rows,): the predicted value in the unit of the target",
    False: "float64 (rows, classes): the probability of each class",
}
RAW = {
    True: "float32 (rows, 1): standardised by target_mean and target_scale, after target_transform",
    False: "float32 (rows, classes): logits",
}
CODE = "the code of a level: 0 unknown, 1 missing, then those in `levels` from 2 on"


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
        "task": spec.problem_type,
        "target": spec.target,
        "classes": list(spec.classes),
    }
    is_table = isinstance(model.schema, TableSchema)
    if isinstance(model.schema, TableSchema):
        notes["columns"] = [_column(column) for column in model.schema.used]
    else:
        notes["image_shape"] = list(spec.image_shape or ())  # channels, height, width
    if network_only:
        return notes | _around(model) | {"x": PREPARED[is_table], "y": RAW[spec.is_regression]}
    if is_program:
        return notes | {"x": TYPED[is_table], "y": ANSWER[spec.is_regression]}
    return notes


def _column(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "kind": column.column_type,
        "meaning": MEANING[column.column_type],
    }
    if column.column_type == "category":
        described |= {"code": CODE, "levels": list(column.categories)}
    return described


def _around(model: Predictor) -> dict[str, Any]:
    """Return what a network alone leaves to others."""
    spec = model.spec
    names = ["numbers", "categories"] if spec.image_shape is None else ["pixel_mean", "pixel_scale"]
    names += ["target_transform", "target_mean", "target_scale"] if spec.is_regression else []
    return {name: getattr(spec, name) for name in names}
