"""Give Arrow the text of a CSV file without comments and with one blank for each run of them.

Arrow knows neither. So such a file is decoded, mended and handed over some megabytes at a time.
"""

import io
import re
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from typing import Any

from kindling.tables.csv_dialect import BLANKS, Dialect

BLOCK_CHARS = 1 << 22  # that are mended at once
MOST_CHARS = 1 << 25  # of a quoted cell; one that is longer is not closed


def needs_cleaning(dialect: Dialect) -> bool:
    """Say whether a file is written in a way that Arrow cannot read."""
    return dialect.separator == BLANKS or dialect.comment != "none"


def clean_blocks(file: Any, dialect: Dialect) -> Iterator[str]:
    """Give the text of a file in blocks of whole rows; all lines keep their numbers.

    Args:
        file: of bytes.
        dialect: nothing of it is "auto".

    Raises:
        UnicodeError: a byte is no text in the file's encoding.
    """
    clean = cleaner(dialect)
    rest = ""
    # Line ends of all sorts become one, so that none is cut in two.
    with TextIOWrapper(file, encoding=dialect.encoding, newline=None) as text:
        is_first = True
        while block := text.read(BLOCK_CHARS):
            rest += block.removeprefix("\ufeff") if is_first else block
            is_first = False
            end = rest.rfind("\n") + 1
            whole = clean(rest[:end])
            if whole.count(dialect.quote) % 2 and len(rest) < MOST_CHARS:
                continue  # it ends within a cell
            rest = rest[end:]
            yield whole
    if rest:
        yield clean(rest)


def cleaner(dialect: Dialect) -> Callable[[str], str]:
    """Make the function that mends a text of whole lines, each of which ends in a line feed."""
    sign, quote = dialect.comment, re.escape(dialect.quote)
    separator = r"[ \t]" if dialect.separator == BLANKS else re.escape(dialect.separator)
    # A quoted cell is passed over: a line within it is no comment, whatever it begins with.
    cell = rf"(?:(?<={separator})|(?<=\n)|\A){quote}(?:[^{quote}]|{quote}{quote})*{quote}"
    pattern = re.compile(rf"(?P<comment>(?:(?<=\n)|\A){re.escape(sign)}[^\n]*)|{cell}")

    def clean(text: str) -> str:
        if sign != "none" and (text.startswith(sign) or f"\n{sign}" in text):
            text = pattern.sub(lambda found: "" if found["comment"] else found[0], text)
        return squeeze(text, dialect.quote) if dialect.separator == BLANKS else text

    return clean


def squeeze(text: str, quote: str) -> str:
    """Make one blank of each run of blanks and tabs outside quotes; none around a line."""
    parts = text.split(quote)
    parts[::2] = [re.sub(r"[ \t]+", " ", part) for part in parts[::2]]
    parts[::2] = [re.sub(r"(?<=[\r\n]) | (?=[\r\n])", "", part) for part in parts[::2]]
    parts[0] = parts[0].removeprefix(" ")
    parts[-1] = parts[-1].removesuffix(" ")
    return quote.join(parts)


def split_lines(text: str) -> list[str]:
    """Cut text into lines as Arrow does, each with its end."""
    return list(io.StringIO(text, newline=""))
