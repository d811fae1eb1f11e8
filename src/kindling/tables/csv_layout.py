"""How a CSV file was found to be written: what its start tells where the options say "auto"."""

import codecs
import gzip
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from kindling.errors import DataError, Problem
from kindling.tables.csv_cleaning import split_lines
from kindling.tables.csv_dialect import Dialect
from kindling.tables.csv_shape import SEPARATORS, Shape, find_shape, split_rows

GZIP = b"\x1f\x8b"
NOT_CSV = {b"PK\x03\x04": "a zip or Excel file", b"\x89PNG": "an image", b"%PDF": "a PDF file"}
SAMPLE_BYTES = 1 << 18
MOST_BYTES = 1 << 24  # of a sample, where lines are long
SAMPLE_LINES, FEW_LINES = 200, 10
NOT_UNICODE = ("cp1252", "latin-1")
MANY_ZEROS = re.compile(rb"\0{2,}")
KEPT = 16  # layouts: a file is read several times


@dataclass(frozen=True)
class Layout:
    """A CSV file as it was found: nothing "auto" any more.

    Args:
        dialect: separator and encoding as they are.
        names: of all columns, made up where there are none.
        header_lines: lines above the first row.
        is_gzip: whether it is packed.
        unnamed: those of the names that were made up, beside a header.
        shape: what else was found in its first lines.
        num_comments: lines of the sample that begin with the sign of comments.
    """

    dialect: Dialect
    names: list[str]
    header_lines: int
    is_gzip: bool
    unnamed: tuple[str, ...]
    shape: Shape
    num_comments: int


def sniff(path: Path, asked: Dialect) -> Layout:
    """Find out from the start of a CSV file how it is written.

    Raises:
        DataError: the file is empty, holds bytes that are no text, or has no header and rows of
            another length than those that names were given to.
    """
    state = path.stat()
    return _sniff(path, asked, state.st_mtime_ns, state.st_size)


@lru_cache(KEPT)
def _sniff(path: Path, asked: Dialect, _time: int, _size: int) -> Layout:
    lines, encoding, is_gzip = _first_lines(path, asked)
    lines, num_comments = without_comments(lines, asked.comment)
    shape = find_shape(lines, asked)
    if shape is None:
        fix = "give a CSV file with a header"
        problem = Problem(f"{path} must be a table", "an empty file", fix, "D002", file=str(path))
        raise DataError(problem)
    _refuse_width(shape, asked, path)
    made_up = {n: f"unnamed {n + 1}" for n, name in enumerate(shape.names) if not name}
    names = [made_up.get(number, name) for number, name in enumerate(shape.names)]
    return Layout(
        replace(asked, separator=shape.separator, encoding=encoding),
        names,
        shape.first_line,
        is_gzip,
        tuple(made_up.values()),
        shape,
        num_comments,
    )


def find_header(path: Path, names: Collection[str], asked: Dialect) -> Dialect | None:
    """Find the line that has all of these names, by whatever separator; None where there is none.

    So a file of few rows is read whose lines above the header are more than its rows.
    """
    lines = without_comments(_first_lines(path, asked)[0], asked.comment)[0]
    for separator in SEPARATORS if asked.separator == "auto" else (asked.separator, *SEPARATORS):
        for row in split_rows(lines, separator, asked.quote):
            if {*names} <= {*row.cells}:
                return replace(asked, separator=separator, skip=row.first, header=True)
    return None


def _first_lines(path: Path, asked: Dialect) -> tuple[list[str], str, bool]:
    """Return the lines that are looked at, their encoding, and whether the file is packed."""
    sample, is_gzip, is_whole = read_sample(path)
    encoding = guess_encoding(sample) if asked.encoding == "auto" else asked.encoding
    _refuse_binary(sample, encoding, path)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample).lstrip("\ufeff")
    lines = split_lines(text)
    if not is_whole and len(lines) > 1:
        lines.pop()  # it may end within a cell
    return lines[:SAMPLE_LINES], encoding, is_gzip


def read_sample(path: Path) -> tuple[bytes, bool, bool]:
    """Return the first lines of a file, whether it is packed, and whether these are all of it."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
    with open_bytes(path, is_gzip=is_gzip) as file:
        sample = file.read(SAMPLE_BYTES)
        # Thousands of columns fill a sample with their names alone.
        while len(sample) < MOST_BYTES and sample.count(b"\n") + sample.count(b"\r") < FEW_LINES:
            more = file.read(len(sample))
            sample += more
            if not more:
                break
        return sample, is_gzip, not file.read(1)


def open_bytes(path: Path, *, is_gzip: bool) -> Any:
    """Open a file, which may be packed, to read its bytes."""
    return gzip.open(path) if is_gzip else path.open("rb")


def without_comments(lines: list[str], sign: str) -> tuple[list[str], int]:
    """Empty the lines that begin with the sign, so that all keep their numbers; count them."""
    if sign == "none":
        return lines, 0
    kept = ["\n" if line.startswith(sign) else line for line in lines]
    return kept, sum(line.startswith(sign) for line in lines)


def _refuse_width(shape: Shape, asked: Dialect, path: Path) -> None:
    """Refuse rows without a header of which nobody can say which cell is which."""
    if shape.has_header or asked.width in (0, len(shape.names)):
        return
    rule = f"a file without a header must have {asked.width} columns, as the training file has"
    got = f"{len(shape.names)} in {path}"
    fix = "give it all columns, or a header with the names column_1, column_2, ..."
    raise DataError(Problem(rule, got, fix, "D005", file=str(path)))


def _refuse_binary(sample: bytes, encoding: str, path: Path) -> None:
    what = next((word for magic, word in NOT_CSV.items() if sample.startswith(magic)), None)
    if what is None and b"\0" in sample and "16" not in encoding and "32" not in encoding:
        what = "bytes that are no text"
    if what is not None:
        rule, fix = f"{path} must be a table", "save it as CSV or Parquet"
        raise DataError(Problem(rule, what, fix, "D003", file=str(path)))


def guess_encoding(sample: bytes) -> str:
    """Return UTF-16 where a mark or zeros say so, UTF-8 where it can be, else what Windows has.

    Windows-1252 is Latin-1 with a euro sign, and lacks five bytes: with these it is Latin-1.
    """
    if sample.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Latin letters in UTF-16 without a mark: every second byte is nothing.
    for encoding, zeros, others in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        if MANY_ZEROS.fullmatch(sample[zeros:1000:2]) and b"\0" not in sample[others:1000:2]:
            return encoding
    for encoding in ("utf-8", *NOT_UNICODE):
        with suppress(UnicodeDecodeError):
            # Not final: the sample may end within a character.
            codecs.getincrementaldecoder(encoding)().decode(sample)
            break
    return encoding  # every byte is a character of latin-1, the last one
