"""Write and read a bundle's schema.json: the DataSpec and the schema, if they fit each other."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kindling.images.image_schema import ImageSchema
from kindling.json_codec import InvalidFile, decode
from kindling.tables.column import Column
from kindling.tables.column_types import DATE_PARTS
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

Schema = TableSchema | ImageSchema
MAX_VALUES = 2**28  # of one image, all channels together
# Features that a column becomes: a number may say where it is missing, a date has up to five parts.
MOST_FEATURES = {"number": 2, "boolean": 1, "category": 1, "date": len(DATE_PARTS)}
BOOLEANS = {"false": False, "true": True}


@dataclass(frozen=True)
class _TableFile:
    spec: DataSpec
    schema: TableSchema


@dataclass(frozen=True)
class _ImageFile:
    spec: DataSpec
    schema: ImageSchema


def to_json(spec: DataSpec, schema: Schema) -> dict[str, Any]:
    """Return what schema.json holds."""
    return {"spec": asdict(spec), "schema": asdict(schema)}


def from_json(content: Any) -> tuple[DataSpec, Schema]:
    """Read what `to_json` made; refuse what no data can be."""
    given = content.get("schema") if isinstance(content, dict) else None
    is_table = isinstance(given, dict) and "columns" in given
    found = decode(_TableFile if is_table else _ImageFile, content, "schema.json")
    for wrong in contradictions(found.spec, found.schema):
        raise InvalidFile(wrong)
    return found.spec, found.schema


def contradictions(spec: DataSpec, schema: Schema) -> Iterator[str]:
    """Say what does not go together."""
    yield from _of_target(spec)
    if isinstance(schema, TableSchema):
        yield from _of_table(spec, schema)
    else:
        yield from _of_images(spec, schema)


def _of_target(spec: DataSpec) -> Iterator[str]:
    few = {"binary": 2, "multiclass": 3, "regression": 0}[spec.problem_type]
    if len(spec.classes) < few or (few < 3 and len(spec.classes) > few):
        yield f"{len(spec.classes)} classes of a {spec.problem_type} problem"
    if _repeated(spec.classes):
        yield "classes of the same name"
    if len(spec.class_counts) != len(spec.classes):
        yield f"{len(spec.class_counts)} counts of {len(spec.classes)} classes"
    if not 0 <= spec.num_rows < 2**48:
        yield f"num_rows={spec.num_rows}"
    if spec.is_regression and spec.target_scale <= 0:
        yield f"target_scale={spec.target_scale}"
    try:
        class_labels(spec)
    except (ValueError, KeyError, OverflowError):
        yield f"classes that are no {spec.label_kind} labels"


def _of_table(spec: DataSpec, schema: TableSchema) -> Iterator[str]:
    names = [name for column in schema.used for name in column.features]
    if _repeated([column.name for column in schema.columns]) or _repeated(names):
        yield "columns of the same name"
    if not names or sorted((*spec.numbers, *spec.categories)) != sorted(names):
        yield "a spec of other columns than the schema's"
    if not all(0 < len(c.features) <= MOST_FEATURES[c.column_type] for c in schema.used):
        yield "a column of more features than its type has, or of none"
    if spec.image_shape is not None or spec.pixel_mean or spec.pixel_scale:
        yield "a table with pixels"
    for name in schema.dialect.faults():
        yield f"the dialect's {name} that no file can have"
    yield from _of_categories(spec, [c for c in schema.used if c.column_type == "category"])


def _of_categories(spec: DataSpec, columns: list[Column]) -> Iterator[str]:
    if any(column.features != (column.name,) for column in columns):
        yield "a category that is not the column of its name"
    if spec.categories != tuple(column.name for column in columns):
        yield "a spec of other categories than the schema's"
    # An embedding has a row for each code: a wrong count would be read beyond its end.
    if spec.cardinalities != tuple(len(column.categories) + 2 for column in columns):
        yield "cardinalities that are not two more than the categories"
    if len(spec.edges) not in (0, len(spec.numbers)):
        yield f"edges of {len(spec.edges)} of {len(spec.numbers)} numbers"
    if any(len(edges) < 2 or sorted({*edges}) != [*edges] for edges in spec.edges):
        yield "edges that do not ascend"
    for column in columns:
        if _repeated(("", *column.categories)):
            yield f"categories of {column.name!r} that are empty or of the same name"


def _of_images(spec: DataSpec, schema: ImageSchema) -> Iterator[str]:
    shape = schema.shape
    if spec.image_shape != shape or spec.numbers or spec.categories or spec.cardinalities:
        yield f"a spec that is not of images of {shape}"
    if min(shape) < 1 or math.prod(shape) > MAX_VALUES:
        yield f"images of {shape}"
    if not all(0 <= value <= 255 for value in schema.background):
        yield f"a background of {schema.background}"
    if len(spec.pixel_mean) != schema.channels or len(spec.pixel_scale) != schema.channels:
        yield f"{len(spec.pixel_mean)} pixel means of {schema.channels} channels"
    if min(spec.pixel_scale, default=1.0) <= 0:
        yield f"pixel_scale={spec.pixel_scale}"
    yield from _of_numbers(schema)


def _of_numbers(schema: ImageSchema) -> Iterator[str]:
    low, high = schema.value_range
    if not low < high:
        yield f"a value_range of {schema.value_range}"
    if schema.bands and (len(schema.bands) != schema.channels or min(schema.bands) < 1):
        yield f"the bands {schema.bands} for {schema.channels} channels"
    if schema.scale != "format" and (schema.scale == "none") != (schema.dtype == "float32"):
        yield f"scale={schema.scale} of {schema.dtype}"
    if min(schema.page, schema.max_pixels, schema.num_bands + 1) < 1:
        yield f"page={schema.page}, max_pixels={schema.max_pixels}, num_bands={schema.num_bands}"


def _repeated(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)


def class_labels(spec: DataSpec) -> np.ndarray:
    """Return the K classes as what they were in the user's data: text, int64, float64 or bool."""
    if spec.label_kind == "integer":
        return np.array([int(name) for name in spec.classes], dtype=np.int64)
    if spec.label_kind == "number":
        return np.array([float(name) for name in spec.classes], dtype=np.float64)
    if spec.label_kind == "boolean":
        return np.array([BOOLEANS[name.lower()] for name in spec.classes], dtype=bool)
    return np.array(spec.classes, dtype=object)
