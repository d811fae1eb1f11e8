"""Find the columns that a person meant: Hydra and YAML read 1102.00 as a number, and true as true.

What is said of single columns may also be a list of COLUMN=VALUE, since keys cannot be quoted on a
command line: data.kinds=['CO (GT)=category'].
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kindling.fixes import Setting

Typed = str | int | float | bool | None  # a name, or what a grammar made of it
Asked = Mapping[Typed, Any] | Sequence[str] | None


def column_meant(typed: Typed, names: Sequence[str]) -> str:
    """Return the name of the only column that is written as this value, else the value as text.

    Args:
        typed: text, a number, a boolean or None.
        names: of the file's columns.
    """
    text = str(typed)
    if text in names or isinstance(typed, str):
        return text
    same = [name for name in names if _is_written_as(name, typed)]
    return same[0] if len(same) == 1 else text


def _is_written_as(name: str, typed: Typed) -> bool:
    if typed is None or isinstance(typed, bool):
        return name.lower() == {None: "null", True: "true", False: "false"}[typed]
    try:
        return float(name.replace("_", "")) == typed
    except ValueError:
        return False


def by_column(asked: Asked, names: Sequence[str]) -> dict[str, Any]:
    """Return what is asked for each column, by its name in the file.

    Args:
        asked: column -> value, or a list of COLUMN=VALUE.
        names: of the file's columns; they tell which of several equals signs ends the name.
    """
    pairs = asked.items() if isinstance(asked, Mapping) else _pairs(asked or (), set(names))
    return {column_meant(typed, names): value for typed, value in pairs}


def _pairs(words: Iterable[str], names: set[str]) -> Iterable[tuple[str, str]]:
    for word in words:
        ends = [place for place, sign in enumerate(word) if sign == "="]
        known = [place for place in ends if word[:place] in names]
        place = (known or ends)[-1]
        yield word[:place], word[place + 1 :]


def read_as(name: str, column_type: str, words: str) -> Setting:
    """Offer to take a column for another type."""
    return Setting("data.kinds", {name: column_type}, words, is_added=True)


def leave_out(name: str, words: str = "to leave it out") -> Setting:
    """Offer not to learn from a column."""
    return Setting("data.ignore", [name], words, is_added=True)
