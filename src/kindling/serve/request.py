"""The body of a request in; what the model takes out: a table of raw columns, or pixels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from kindling.bundle.inputs import read_rows
from kindling.errors import UserError
from kindling.serve.fields import WORDS
from kindling.serve.limits import Limits, Mistake, Refusal, refuse
from kindling.tables.csv_dialect import SEPARATORS
from kindling.tables.formats import MAGIC_BYTES, find_format
from kindling.tables.schema import TableSchema

PACKED = (b"\x1f\x8b", b"PK\x03\x04")  # gzip, zip: small files that grow
ARROW = {"number": pa.float64(), "boolean": pa.bool_()}  # text for the others
UPLOAD = "the file"  # what an uploaded file is called in a message


def read_json(content: bytes, body: type[BaseModel], schema: TableSchema) -> pa.Table:
    """Return the rows of a JSON body, or refuse what does not fit, by row and field."""
    try:
        rows = body.model_validate_json(content).rows  # type: ignore[attr-defined]
    except ValidationError as error:
        details = error.errors(include_url=False)
        status = 413 if details[0]["type"] == "too_long" else 422
        raise Refusal(status, *[as_mistake(detail, schema) for detail in details]) from error
    return pa.table(
        {
            column.name: pa.array(
                [getattr(row, f"column_{number}") for row in rows],
                ARROW.get(column.column_type, pa.string()),
            )
            for number, column in enumerate(schema.used)
        }
    )


def as_mistake(detail: Any, schema: TableSchema) -> Mistake:
    """Say in plain words what pydantic found: its place is ("rows", row, column)."""
    place = (*detail["loc"], None, None, None)
    row, name = place[1], place[2]
    kinds = {column.name: column.column_type for column in schema.used}
    if name in kinds and detail["type"] == "missing":
        return Mistake("is missing: give a value, or null where it is unknown", name, row)
    if name in kinds:
        return Mistake(f"must be {WORDS[kinds[name]]}; got {short(detail['input'])}", name, row)
    message = 'the body must be JSON such as {"rows": [{"column": value, ...}, ...]}'
    return Mistake(f"{message}; {detail['msg']}", row=row)


def short(value: Any) -> str:
    """Show what was got, in a few words."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def read_csv(content: bytes, schema: TableSchema, limits: Limits) -> pa.Table:
    """Read an uploaded CSV file as training reads its own."""
    if content.startswith(PACKED) or find_format(content[:MAGIC_BYTES]).is_compressed:
        raise refuse(415, "a table must be plain CSV; got a packed or binary file")
    header = content.partition(b"\n")[0]
    separators = {*SEPARATORS, schema.dialect.separator}
    if max(header.count(separator.encode()) for separator in separators) >= limits.columns:
        raise refuse(413, f"a table must have at most {limits.columns:,} columns")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload.csv"
        file.write_bytes(content)
        try:
            table = read_rows(file, schema)
        except UserError as error:
            names = [column.name for column in schema.used]
            hidden = {str(file): UPLOAD, " or Parquet": ""}  # which can unpack to any size
            raise as_refusal(error, names, hidden) from error
    if table.num_rows > limits.rows:
        raise refuse(413, f"a table must have at most {limits.rows:,} rows; got {table.num_rows:,}")
    if table.num_rows == 0:
        raise refuse(422, "a table must have rows; got a header only")
    return table


def as_refusal(
    error: UserError, names: Sequence[str] = (), hidden: Mapping[str, str] = {}
) -> Refusal:
    """Tell a client what is wrong with its data.

    Args:
        error: as the readers of tables and images raise it.
        names: of columns or files; the one that is quoted in a problem is what it is about.
        hidden: texts that mean nothing to a client, such as a path, and what to say instead.
    """
    mistakes = []
    for problem in error.problems:
        message = f"{problem.rule}; got {problem.got}"
        fix = problem.fix.partition(", or type ")[0]  # a client has no command line
        if "data." not in fix and "chmod" not in fix:  # a matter of training
            message += f"; {fix}"
        for text, shown in hidden.items():
            message = message.replace(text, shown)
        about = [name for name in names if repr(name) in message]
        mistakes.append(Mistake(message, max(about, key=len, default=None)))
    return Refusal(422, *mistakes)
