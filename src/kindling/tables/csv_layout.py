"""How a CSV file was found to be written: what its start tells where the options say "auto"."""

import codecs
import csv
import gzip
import io
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kindling.errors import DataError, Problem
from kindling.tables.csv_dialect import Dialect

GZIP = b"\x1f\x8b"
NOT_CSV = {b"PK\x03\x04": "a zip or Excel file", b"\x89PNG": "an image", b"%PDF": "a PDF file"}
SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 200
NOT_UNICODE = ("cp1252", "latin-1")
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Layout:
    """A CSV file as it was found: nothing "auto" any more, and what its header says."""

    dialect: Dialect
    names: list[str]
    header_lines: int
    is_gzip: bool
    unnamed: tuple[str, ...]  # those of the names that were made up


def sniff(path: Path, asked: Dialect) -> Layout:
    """Find out from the start of a CSV file how it is written.

    Raises:
        DataError: the file is empty, or holds bytes that are no text.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    is_gzip = sample.startswith(GZIP)
    if is_gzip:
        with gzip.open(path) as unpacked:
            sample = unpacked.read(SAMPLE_BYTES)
    encoding = guess_encoding(sample) if asked.encoding == "auto" else asked.encoding
    _refuse_binary(sample, encoding, path)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample).lstrip("\ufeff")
    separator = asked.separator
    if separator == "auto":
        separator = guess_separator(text, asked.quote)
    header, header_lines = _header(text, separator, asked.quote)
    if not header:
        fix = "give a CSV file with a header"
        problem = Problem(f"{path} must be a table", "an empty file", fix, "D002", file=str(path))
        raise DataError(problem)
    made_up = {number: f"unnamed {number + 1}" for number, name in enumerate(header) if not name}
    names = [made_up.get(number, name) for number, name in enumerate(header)]
    dialect = replace(asked, separator=separator, encoding=encoding)
    return Layout(dialect, names, header_lines, is_gzip, tuple(made_up.values()))


def _refuse_binary(sample: bytes, encoding: str, path: Path) -> None:
    what = next((word for magic, word in NOT_CSV.items() if sample.startswith(magic)), None)
    if what is None and b"\0" in sample and "16" not in encoding and "32" not in encoding:
        what = "bytes that are no text"
    if what is not None:
        rule, fix = f"{path} must be a table", "save it as CSV or Parquet"
        raise DataError(Problem(rule, what, fix, "D003", file=str(path)))


def guess_encoding(sample: bytes) -> str:
    """Return UTF-16 where a mark says so, UTF-8 where it can be, else what spreadsheets write.

    Windows-1252 is Latin-1 with a euro sign, and lacks five bytes: with these it is Latin-1.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", *NOT_UNICODE):
        with suppress(UnicodeDecodeError):
            # Not final: the sample may end within a character.
            codecs.getincrementaldecoder(encoding)().decode(sample)
            break
    return encoding  # every byte is a character of latin-1, the last one


def guess_separator(text: str, quote: str) -> str:
    """Return the sign that cuts most lines into the same number of cells, two at least."""
    lines = text.splitlines(keepends=True)
    head = "".join(lines[: min(SAMPLE_LINES, max(1, len(lines) - 1))])

    def score(separator: str) -> tuple[float, int]:
        rows = _rows(head, separator, quote)
        widths = Counter(len(row) for row in rows if row)
        if not widths:
            return 0.0, 0
        width, count = widths.most_common(1)[0]
        return (count / widths.total() if width > 1 else 0.0), width

    return max(SEPARATORS, key=score)


def _header(text: str, separator: str, quote: str) -> tuple[list[str], int]:
    """Return the names of the columns, "" where there is none, and the lines that they take."""
    rows = _rows(text, separator, quote)
    names: list[str] = next((row for row in rows if row), [])
    return [name.strip() for name in names], rows.line_num


def _rows(text: str, separator: str, quote: str) -> Any:
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # all of it may be one cell
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, quotechar=quote)
