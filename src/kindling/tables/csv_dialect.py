"""The options of CSV files, as `data.csv` and `--csv` take them: separator, encoding, decimal sign.

Imported at start-up, where `--csv` is typed: so pyarrow is not imported here.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.formatting import did_you_mean, shown

BLANKS = " "  # a separator: runs of blanks and tabs
MAX_SIGNS = 4  # of what a comment begins with
MUST_BE = {
    "separator": "auto, or one sign, a blank for runs of them",
    "encoding": "auto, or a name that Python knows, such as utf-8, utf-16 or latin-1",
    "quote": "one sign, which is not the separator",
    "skip": "auto, or a number of lines",
    "comment": "none, or a sign such as # that is neither separator nor quote",
    "header": "auto, true or false",
    "units": "auto, or a number of lines",
    "decimal": "auto, or one of . and , which is not the separator",
    "missing": "a list of words",
}


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written; "auto" is seen from the file.

    Args:
        separator: between two cells: any sign, or "auto"; a tab may be typed as backslash and t. A
            blank stands for runs of blanks and tabs.
        encoding: of the text, or "auto": UTF-8, UTF-16 where a mark says so, else Windows-1252.
        quote: around a cell that holds a separator.
        skip: lines before the header; None leaves out what is no part of the table for sure.
        comment: sign of lines that are left out wherever they stand; "none" is none.
        header: whether the first line names the columns; None takes it so unless it cannot be.
        units: lines below the header that are no rows; None leaves out words above numbers.
        width: cells of a row where there is no header; 0 is any number. Never typed: names that
            count the columns mean the same in files of one width only.
        decimal: the decimal sign of all its numbers: "." or ",", or "auto".
        missing: further words that stand for a missing value, beside those that are known.
    """

    separator: str = "auto"
    encoding: str = "auto"
    quote: str = '"'
    skip: int | None = None
    comment: str = "none"
    header: bool | None = None
    units: int | None = None
    width: int = 0
    decimal: str = "auto"
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        typed = {r"\t": "\t", r"\s+": BLANKS}.get(self.separator, self.separator)
        object.__setattr__(self, "separator", typed)

    def faults(self) -> dict[str, str]:
        """Say of each field that is nothing what it must be."""
        is_right = {
            "separator": self.separator == "auto" or _is_sign(self.separator),
            "encoding": self.encoding == "auto" or _is_encoding(self.encoding),
            "quote": _is_sign(self.quote) and self.quote != self.separator,
            "skip": self.skip is None or self.skip >= 0,
            "comment": self.comment == "none" or self._is_comment(),
            "units": self.units is None or self.units >= 0,
            "decimal": self.decimal == "auto" or self.decimal in {".", ","} - {self.separator},
        }
        return {name: MUST_BE[name] for name, right in is_right.items() if not right}

    def _is_comment(self) -> bool:
        text = self.comment
        is_apart = not text.startswith((self.separator, self.quote))
        return 0 < len(text) < MAX_SIGNS and text.isascii() and not text.isspace() and is_apart


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\r\n\0"


def _is_encoding(name: str) -> bool:
    try:
        return "".encode(name) is not None  # a codec of bytes, such as base64, refuses text
    except (LookupError, ValueError):
        return False


AUTO = Dialect()
KEYS = tuple(field.name for field in fields(Dialect) if field.name != "width")  # that are typed


def for_new_rows(trained: Dialect) -> Dialect:
    """Return how a file of new rows is read, by what the user set for the training files.

    How text is written stays so. Lines below a header are counted anew: a number of them that was
    right for one file would drop rows of another. A header must be there if it was there.
    """
    units = trained.units if trained.units == 0 else None
    return replace(trained, units=units, header=trained.header is not False)


def asked_dialect(values: Mapping[str, Any], prefix: str, trained: Dialect = AUTO) -> Dialect:
    """Make a dialect of what a person typed, each key behind this prefix.

    Args:
        values: by key, as Hydra or a shell gives them.
        prefix: for a message.
        trained: has what was not typed.

    Raises:
        ConfigError: values that no file can have.
    """
    keys = f"keys are {', '.join(KEYS)}"
    unknown = [
        Problem(
            f"there is no key {prefix}{name}",
            shown(value),
            did_you_mean(name, KEYS, prefix=prefix) or keys,
        )
        for name, value in values.items()
        if name not in KEYS
    ]
    if unknown:
        raise ConfigError(*unknown)
    typed, faults = {}, {}
    for name, value in values.items():
        try:
            typed[name] = READ.get(name, str)(value)
        except (ValueError, KeyError):
            faults[name] = MUST_BE[name]
    dialect = replace(trained, **typed)
    faults |= dialect.faults()
    problems = [
        Problem(f"{prefix}{name} must be {words}", shown(got), Setting(f"data.csv.{name}"))
        for name, words in faults.items()
        for got in [values.get(name, getattr(dialect, name))]
    ]
    if problems:
        raise ConfigError(*problems)
    return dialect


def _rule(name: str) -> Callable[[Any], str | None]:
    """Make the rule of one key, by itself: it takes a value, and says what it must be if it is not.

    What two keys must not be together is asked when all of them are known.
    """

    def rule(value: Any) -> str | None:
        try:
            faults = replace(AUTO, **{name: READ.get(name, str)(value)}).faults()
        except (ValueError, KeyError, TypeError):
            return MUST_BE[name]
        return faults.get(name)

    return rule


RULES = {name: _rule(name) for name in KEYS}


def _words(value: Any) -> tuple[str, ...]:
    """Return the words of a list, also of one that was typed behind --csv: [none,-999]."""
    if not isinstance(value, str | Sequence):
        raise ValueError
    if isinstance(value, str):
        value = next(csv.reader([value.removeprefix("[").removesuffix("]")]), [])
    return tuple(str(word).strip() for word in value)


def _lines(value: Any) -> int | None:
    """Return a number of lines; None for auto."""
    if isinstance(value, bool | float):
        raise ValueError
    return None if value in (None, "auto") else int(value)


def _yes_or_no(value: Any) -> bool | None:
    """Return what true and false stand for; None for auto."""
    return {"auto": None, "none": None, "true": True, "false": False}[str(value).lower()]


READ: dict[str, Callable[[Any], Any]] = {
    "skip": _lines,
    "units": _lines,
    "header": _yes_or_no,
    "missing": _words,
}
