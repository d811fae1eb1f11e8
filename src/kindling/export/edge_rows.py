"""Make rows at and beyond the edges of the train rows: gaps, unknown categories, extremes."""

from datetime import datetime

import numpy as np
import pyarrow as pa

from kindling.export.features import MAX_DAYS
from kindling.images.image_schema import ImageSchema
from kindling.rng import derive_seed
from kindling.tables.categories import other_spellings
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

NUM_ROWS = 256
MS_PER_DAY = 86_400_000


def edge_rows(schema: TableSchema | ImageSchema, spec: DataSpec) -> pa.Table | np.ndarray:
    """Make raw rows, as a model takes them."""
    return edge_table(schema) if isinstance(schema, TableSchema) else edge_images(schema, spec)


def edge_table(schema: TableSchema, *, as_text: bool = False) -> pa.Table:
    """Make raw columns: each draws from its own edges, independently of the others.

    Args:
        schema: of the columns.
        as_text: cells as they may stand in a CSV file, rather than typed.
    """
    draw = np.random.default_rng(derive_seed(0, "edge rows"))
    make = text_edges if as_text else edges
    cells = {column.name: make(column) for column in schema.used}
    rows = max(NUM_ROWS, *map(len, cells.values()))
    return pa.table(
        {name: edge.take(draw.permutation(rows) % len(edge)) for name, edge in cells.items()}
    )


def edges(column: Column) -> pa.Array:
    """List the cells of one column that are likely to go wrong, ordinary ones among them."""
    if column.column_type == "category":
        unknown = max(column.categories, key=len, default="") + "?"
        return pa.array([None, unknown, "\N{BLACK SUN WITH RAYS}", *column.categories])
    if column.column_type == "boolean":
        return pa.array([None, False, True])
    low, high = column.low or 0.0, column.high or 0.0
    width = high - low or 1.0
    # From one range below the train rows' to three above, and fractions that no float32 holds.
    numbers = low + width * np.array([-1, 0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1, 4])
    if column.column_type == "date":
        moments = (
            np.rint(np.clip(numbers, -MAX_DAYS, MAX_DAYS) * MS_PER_DAY)
            .astype("int64")
            .astype("datetime64[ms]")
        )
        return pa.array([None, *moments])
    return pa.array([None, *numbers])


def text_edges(column: Column) -> pa.Array:
    """List the same as text: with spaces, as gaps and in other spellings, as files have it."""
    names = [*column.categories, *other_spellings(column.categories), "no such category"]
    texts = {"category": names, "boolean": ["TRUE", "0", "yes", "1.0", "f", "NA"]}
    if column.column_type not in texts:
        known = [cell for cell in edges(column).to_pylist() if cell is not None]
        is_date = column.column_type == "date"
        texts = {
            column.column_type: [(_date if is_date else _number)(cell, column) for cell in known]
        }
        texts[column.column_type] += ["NA"] if is_date else ["NA", "-", "inf", "7", "+1"]
    cells = texts[column.column_type]
    return pa.array([None, "", " ", *cells, *(f" {cell} " for cell in cells)], pa.string())


def _number(number: float, column: Column) -> str:
    # With an exponent it has one reading, whatever the decimal sign.
    text = repr(number) if "e" in repr(number) else f"{number!r}e0"
    return text.replace(".", column.decimal or ".") + column.unit


def _date(moment: datetime, column: Column) -> str:
    return f"{moment:{column.pattern if '%' in column.pattern else '%Y-%m-%d %H:%M:%S'}}"


def edge_images(schema: ImageSchema, spec: DataSpec) -> np.ndarray:
    """Make images (N, channels, H, W) in the schema's data type: plain ones, slopes, and noise."""
    shape = schema.shape
    draw = np.random.default_rng(derive_seed(0, "edge rows"))
    flat = np.stack([np.full(shape, value) for value in (0, 1, 127, 254, 255)])
    slope = np.broadcast_to(np.linspace(0, 255, schema.width), shape)[np.newaxis]
    noise = draw.integers(0, 256, (26, *shape))
    images = np.concatenate([flat, slope, slope[..., ::-1], noise])
    if schema.dtype == "uint8":
        return images.astype(np.uint8)
    # Floats have any unit: three standard deviations to either side of each channel's mean.
    mean, scale = (np.reshape(of, (-1, 1, 1)) for of in (spec.pixel_mean, spec.pixel_scale))
    return ((images / 127.5 - 1) * 3 * scale + mean).astype(np.float32)
