"""Read the body of a request: rows as JSON or CSV become a table of raw columns.

Whatever does not fit is refused in a client's words, by column, file and row. A client has no
command line and no configuration, so no key of these is named.
"""

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from kindling.bundle.inputs import read_rows, written_as
from kindling.errors import Problem, UserError
from kindling.fixes import WORDS as WORDS_ONLY
from kindling.formatting import shown
from kindling.serve.answer import Refusal, RequestProblem, refuse
from kindling.serve.fields import WORDS
from kindling.serve.middleware import Limits
from kindling.tables.csv_dialect import BLANKS
from kindling.tables.csv_findings import layout_findings
from kindling.tables.csv_layout import SAMPLE_BYTES, sniff
from kindling.tables.csv_shape import SEPARATORS
from kindling.tables.formats import CSV, MAGIC_BYTES, find_format
from kindling.tables.schema import TableSchema

PACKED = (b"\x1f\x8b", b"PK\x03\x04")  # gzip, zip: small files that grow
FEW_NAMES = 16  # among which one that was misspelt is looked for
UPLOAD = "the file"  # what an uploaded file is called in a message

# Rule and fix by the code of what a CSV file has wrong: the readers' own name the path of the
# temporary copy, and options of training.
NO_TABLE = ("the file must be a table", "give a CSV file with a header")
UNREADABLE = {
    "D004": ("all of the file must be text in one encoding", "save it as UTF-8"),
    "D005": ("every row must have as many cells as the header", "correct them"),
    "D006": ("every quote must be closed", "close it"),
    "D007": ("every column must have a name of its own", "rename them in the file"),
    "D015": ("no row may be that long", "close a quote there, or shorten the row"),
}


def read_json(content: bytes, body: type[BaseModel], schema: TableSchema) -> dict[str, list[Any]]:
    """Return the columns of a JSON body, or refuse what is no cell, by row and field."""
    try:
        rows = body.model_validate_json(content).rows  # type: ignore[attr-defined]
    except ValidationError as error:
        details = error.errors(include_url=False)
        status = 413 if details[0]["type"] == "too_long" else 422
        problems = [problem_of_json(detail, schema) for detail in details]
        raise Refusal(status, *dict.fromkeys(problems)) from error
    return {
        column.name: [getattr(row, f"column_{number}") for row in rows]
        for number, column in enumerate(schema.used)
    }


def problem_of_json(detail: Any, schema: TableSchema) -> RequestProblem:
    """Say in plain words what pydantic found: its place is ("rows", row, column)."""
    place = (*detail["loc"], None, None, None)
    row, name = place[1], place[2]
    column_types = {column.name: column.column_type for column in schema.used}
    if name not in column_types:
        message = 'the body must be JSON such as {"rows": [{"column": value, ...}, ...]}'
        return RequestProblem(f"{message}; {detail['msg']}", row=row)
    if detail["type"] == "missing":
        others = sorted(detail["input"].keys() - column_types.keys())  # passed over, or misspelt
        # Of few: a client may send any number, and each is compared with each that is missing.
        near = difflib.get_close_matches(name, others, n=1) if len(others) <= FEW_NAMES else []
        message = "is missing: give a value, or null where it is unknown"
        if near:
            message = f"is missing: {shown(near[0])} was sent, which is no column of the model"
    else:
        message = f"must be {WORDS[column_types[name]]}; got {shown(detail['input'])}"
    return RequestProblem(message, name, row)


def read_upload(
    content: bytes, schema: TableSchema, limits: Limits, warnings: list[str] | None = None
) -> pa.Table:
    """Read an uploaded table as training reads its own: its first bytes tell the format.

    Args:
        content: the file.
        schema: of the model.
        limits: of a request.
        warnings: takes up what of the file is no row.
    """
    known = find_format(content[:MAGIC_BYTES])
    if content.startswith(PACKED) or known.is_compressed:
        raise refuse(415, "a table must be plain CSV; got a packed or binary file")
    if known is CSV:  # its columns are counted before they are read: each one costs memory
        _refuse_wide_lines(content, schema, limits)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "upload"
        file.write_bytes(content)
        try:
            table = read_rows(file, schema)
            if known is CSV and warnings is not None:
                layout = sniff(file, dialect := written_as(file, schema))
                found = layout_findings(layout, UPLOAD, dialect)
                warnings += [f"{problem.rule}; got {problem.got}" for problem in found]
        except UserError as error:
            raise refuse_data([reword_upload(problem) for problem in error.problems]) from error
    refuse_columns(table.num_columns, limits)
    if table.num_rows > limits.rows:
        raise refuse(413, f"a table must have at most {limits.rows:,} rows; got {table.num_rows:,}")
    if table.num_rows == 0:
        raise refuse(422, "a table must have rows; got a header only")
    return table


def _refuse_wide_lines(content: bytes, schema: TableSchema, limits: Limits) -> None:
    """Refuse a file with too many separators in any line that may be its header."""
    separators = {*SEPARATORS, BLANKS, schema.dialect.separator}
    for line in content[:SAMPLE_BYTES].splitlines():
        refuse_columns(1 + max(line.count(sign.encode()) for sign in separators), limits)


def refuse_columns(num_columns: int, limits: Limits) -> None:
    """Refuse a table of too many columns."""
    if num_columns > limits.columns:
        raise refuse(413, f"a table must have at most {limits.columns:,} columns")


def reword_upload(problem: Problem) -> Problem:
    """Word what is wrong with an uploaded table for a client."""
    rule, fix = UNREADABLE.get(problem.code, NO_TABLE)
    return replace(problem, rule=rule, fix=fix, fix_for_rows="", file=UPLOAD)


def reword_cell(problem: Problem, schema: TableSchema) -> Problem:
    """Say of a cell that is not what its column holds what it must be."""
    of = {column.name: column.column_type for column in schema.used}
    if problem.code != "D103" or problem.column not in of:
        return problem
    return replace(problem, rule=f"must be {WORDS[of[problem.column]]}")


def refuse_data(problems: Sequence[Problem], file: str | None = None) -> Refusal:
    """Tell a client what is wrong with its data.

    Args:
        problems: as the readers of tables and images found them.
        file: the name under which an image was sent; of a table the column is told instead.
    """
    told = []
    for problem in problems:
        fix = WORDS_ONLY.say(problem.fix_for_rows or problem.fix)
        message = f"{problem.rule}; got {problem.got}; {fix}"
        told.append(RequestProblem(message, file or problem.column or None, problem.row))
    return Refusal(422, *told)
