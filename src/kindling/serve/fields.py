"""Describe what a model takes: /schema, OpenAPI, and the pydantic model that checks a JSON body.

All of it is made from the schema in the bundle, so a field has the column's own name and type.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, WithJsonSchema, create_model

from kindling.formatting import first_few
from kindling.images.image_schema import ImageSchema
from kindling.serve.middleware import Limits
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

MAX_LISTED = 50  # categories of a column in the description of a field

# A cell may come as any value, as it may stand as any text in a file: reading a table, here as
# everywhere, decides what it means. OpenAPI names the types that a client should send.
Cell = bool | int | float | str | None
TYPES: dict[str, tuple[str, ...]] = {
    "number": ("number", "string"),
    "boolean": ("boolean", "number", "string"),
    "category": ("string", "number", "boolean"),
    "date": ("string", "number"),
}
WORDS = {
    "number": "a number",
    "boolean": "true or false",
    "category": "text",
    "date": "a date as text",
}


def example(column: Column) -> Any:
    """Return a value that the column may hold: amid the numbers seen, or the first category."""
    if column.column_type == "boolean":
        return True
    if column.column_type == "category":
        return column.categories[0] if column.categories else ""
    middle = ((column.low or 0.0) + (column.high or 0.0)) / 2
    if column.column_type == "date":
        return date_text(middle, column.pattern)
    return round(middle) if column.is_whole else float(f"{middle:.3g}")


def date_text(days: float, pattern: str) -> str:
    """Write days since 1970 as the column's dates are written."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return moment.strftime(pattern if "%" in pattern else "%Y-%m-%d")


def seen(column: Column) -> str:
    """Say what the train rows held, or nothing where there is nothing to say."""
    if column.column_type == "category":
        return first_few(column.categories, MAX_LISTED)
    if column.low is None or column.high is None or column.column_type == "boolean":
        return ""
    if column.column_type == "date":
        return " to ".join(date_text(days, column.pattern) for days in (column.low, column.high))
    return f"{column.low:.6g} to {column.high:.6g}"


def make_body(schema: TableSchema, limits: Limits) -> type[BaseModel]:
    """Make the model of a JSON body: rows under the user's own column names.

    Null is a missing value; a column that is left out altogether is a mistake, since a misspelt
    name would else be a missing value without a word. Columns that are not used are passed over.
    """
    fields: dict[str, Any] = {}
    for number, column in enumerate(schema.used):
        about = f"{WORDS[column.column_type]}, or null where it is unknown"
        in_training = seen(column)
        field = Field(
            alias=column.name,
            title=column.name,
            description=f"{about}; in training: {in_training}" if in_training else about,
            examples=[example(column)],
        )
        types = [{"type": name} for name in (*TYPES[column.column_type], "null")]
        fields[f"column_{number}"] = (Annotated[Cell, WithJsonSchema({"anyOf": types})], field)
    config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")
    row = create_model("Row", __config__=config, __doc__="One row, by column.", **fields)
    bounds = Field(min_length=1, max_length=limits.rows)
    # Stops at the first bad row: thousands of bad cells are not worth the time.
    rows = Annotated[list[row], bounds, FailFast()]  # type: ignore[valid-type]
    return create_model("Rows", rows=(rows, ...))


def body_schema(body: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body in one piece, as it stands in OpenAPI beside its path."""
    schema = body.model_json_schema()
    row = schema.pop("$defs")["Row"]
    schema["properties"]["rows"]["items"] = row
    schema["examples"] = [{"rows": [example_row(row)]}]
    return schema


def example_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row that the columns' examples make."""
    return {name: column["examples"][0] for name, column in row["properties"].items()}


def describe_model(
    spec: DataSpec, schema: TableSchema | ImageSchema, limits: Limits
) -> dict[str, Any]:
    """Return what a client must know to ask; the page makes its form from it.

    The files of images are "image/*", or ".npy" where no image file holds such an array.
    """
    about: dict[str, Any] = {
        "target": spec.target,
        "problem_type": spec.problem_type,
        "classes": spec.classes,
        "limits": {"bytes": limits.body_bytes, "rows": limits.rows, "images": limits.images},
    }
    if isinstance(schema, ImageSchema):
        size = {"channels": schema.channels, "height": schema.height, "width": schema.width}
        files = "image/*" if schema.takes_image_files else ".npy"
        return about | {"image": {**size, "dtype": schema.dtype, "files": files}}
    return about | {"columns": [describe_column(column) for column in schema.used]}


def describe_column(column: Column) -> dict[str, Any]:
    """Return what one field of the form is made from."""
    return {
        "name": column.name,
        "column_type": column.column_type,
        "seen": seen(column),
        "low": column.low,
        "high": column.high,
        "categories": column.categories,
        "example": example(column),
    }
