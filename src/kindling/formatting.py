"""Format numbers, cells, paths and lists for a person: percent, counts, "a, b, c and 4 more".

Start-up uses this before torch or matplotlib are imported, so neither is imported here.
"""

import difflib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

JOINERS = "\u200c\u200d"
MAX_SHOWN = 80  # characters of a cell
FORMULA_SIGNS = "=+-@\t\r"  # what a formula begins with in one spreadsheet or another
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def first_few(
    items: Iterable[object],
    limit: int = 5,
    *,
    total: int | None = None,
    noun: str = "",
    separator: str = ", ",
) -> str:
    """Join the first items and say how many more there are: "a, b, c and 4 more".

    Args:
        items: written as str() writes them; wrap them in `map(repr, ...)` or `map(shown, ...)`
            where quotes are wanted.
        limit: how many are written at most.
        total: how many there are, where `items` are not all of them or have no length.
        noun: what they are, in the plural: "and 4 more columns".
        separator: between two items; "; " between whole sentences.
    """
    if total is None:
        items = list(items)
        total = len(items)
    written = [str(item) for item in islice(items, limit)]
    more = total - len(written)
    text = separator.join(written)
    return f"{text} and {more:,} more{f' {noun}' if noun else ''}" if more > 0 else text


def shown(cell: object) -> str:
    """Write a cell of the user's as it would be typed in Python, cut where it is long."""
    text = repr(cell)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def printable(text: str, keep: str = "") -> str:
    """Escape what could steer a terminal, turn the order of text round, or hide it.

    Args:
        text: such as a name from a file.
        keep: signs that stay, such as the end of a line.
    """
    if text.isprintable():
        return text
    return "".join(char if char in keep or _is_harmless(char) else _escape(char) for char in text)


def _is_harmless(char: str) -> bool:
    # Spaces of other widths, and the two joiners without which some scripts cannot be written.
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()  # as Python writes it


def inert(text: str) -> str:
    """Put a ' before text that a spreadsheet would run as a formula, such as =1+1 or @SUM(A1).

    A number and a sign alone are none. Source: OWASP, "CSV Injection".
    """
    is_formula = len(text) > 1 and text[0] in FORMULA_SIGNS and not NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def inert_table(frame: Any) -> Any:
    """Return a DataFrame as it is written into a CSV file: all text in it is `inert`."""
    texts = [name for name in frame if frame[name].dtype.kind == "O"]
    as_written = {
        name: [inert(cell) if isinstance(cell, str) else cell for cell in frame[name]]
        for name in texts
    }
    return frame.assign(**as_written)


def short_path(path: str) -> str:
    """Return a path as it would be typed here: relative where it lies below this folder."""
    if "://" in path:
        return path
    full, here = Path(path).absolute(), Path.cwd()
    return str(full.relative_to(here)) if full.is_relative_to(here) else path


def percent(share: float) -> str:
    """Write a share with one decimal; 100 % means all, and 0 % none."""
    if not math.isfinite(share):
        return "-"
    if share < 0:
        return f"-{percent(-share)}"
    text = f"{100 * share:.1f}"
    if (text == "100.0" and share < 1) or (text == "0.0" and share > 0):
        text = ">99.9" if share > 0.5 else "<0.1"
    return f"{text.removesuffix('.0') if share in (0, 1) else text} %"


def number(value: float, digits: int = 4) -> str:
    """Write a number with so many significant digits."""
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 < size < 9:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def quantity(value: float) -> str:
    """Write a value of the user's own data: whole where it is, else with a few digits."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def count(amount: int, word: str, plural: str = "") -> str:
    """Write an amount and its word: 1 row, 2 rows."""
    return f"{amount:,} {word if amount == 1 else plural or word + 's'}"


def json_text(value: Any) -> str:
    """Write plain values as JSON; what it has no number for (nan, inf) becomes null."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def did_you_mean(
    word: str, known: Iterable[str], *, prefix: str = "", cutoff: float = 0.6
) -> str | None:
    """Ask for the most similar name, if one is similar at all.

    Args:
        word: that is not known.
        known: names.
        prefix: of all of them, for a person.
        cutoff: how alike two names are, from 0 to 1, so that one may be meant by the other.
    """
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean {prefix}{near[0]}?" if near else None


def capital(words: str) -> str:
    """Let a sentence or a title begin with a capital letter."""
    return words[:1].upper() + words[1:]


def shorten(name: str, most: int = 22) -> str:
    """Make a name fit into a figure: one line, not too long, and not hidden by matplotlib."""
    name = printable(" ".join(str(name).split())) or "(empty)"
    name = name if len(name) <= most else name[: most - 3] + "..."
    return f" {name}" if name.startswith("_") else name  # its legends leave out _names
