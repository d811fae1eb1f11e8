"""The options of CSV files, as `data.csv` and `--csv` take them: separator, encoding, decimal sign.

Imported at start-up, where `--csv` is typed: so pyarrow is not imported here.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.formatting import shown

MUST_BE = {
    "separator": "auto, or one sign",
    "encoding": "auto, or a name that Python knows, such as utf-8, utf-16 or latin-1",
    "quote": "one sign, which is not the separator",
    "decimal": "auto, or one of . and , which is not the separator",
}


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written; "auto" is seen from the file.

    Args:
        separator: between two cells: any sign, or "auto"; a tab may be typed as backslash and t.
        encoding: of the text, or "auto": UTF-8, UTF-16 where a mark says so, else Windows-1252.
        quote: around a cell that holds a separator.
        decimal: the decimal sign of all its numbers: "." or ",", or "auto".
        missing: further words that stand for a missing value, beside those that are known.
    """

    separator: str = "auto"
    encoding: str = "auto"
    quote: str = '"'
    decimal: str = "auto"
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.separator == r"\t":
            object.__setattr__(self, "separator", "\t")

    def faults(self) -> dict[str, str]:
        """Say of each field that is nothing what it must be."""
        is_right = {
            "separator": self.separator == "auto" or _is_sign(self.separator),
            "encoding": self.encoding == "auto" or _is_encoding(self.encoding),
            "quote": _is_sign(self.quote) and self.quote != self.separator,
            "decimal": self.decimal == "auto" or self.decimal in {".", ","} - {self.separator},
        }
        return {name: MUST_BE[name] for name in MUST_BE if not is_right[name]}


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\r\n\0"


def _is_encoding(name: str) -> bool:
    try:
        return "".encode(name) is not None  # a codec of bytes, such as base64, refuses text
    except (LookupError, ValueError):
        return False


AUTO = Dialect()


def asked_dialect(values: Mapping[str, Any], prefix: str) -> Dialect:
    """Make a dialect of what a person typed, each key behind this prefix.

    Raises:
        ConfigError: values that no file can have.
    """
    known = Dialect.__dataclass_fields__
    unknown = [
        Problem(f"there is no key {prefix}{name}", shown(value), f"keys are {', '.join(known)}")
        for name, value in values.items()
        if name not in known
    ]
    if unknown:
        raise ConfigError(*unknown)
    typed = {name: READ.get(name, str)(value) for name, value in values.items()}
    dialect = Dialect(**typed)
    problems = [
        Problem(
            f"{prefix}{name} must be {words}",
            shown(getattr(dialect, name)),
            Setting(f"data.csv.{name}"),
        )
        for name, words in dialect.faults().items()
    ]
    if problems:
        raise ConfigError(*problems)
    return dialect


def _words(value: Any) -> tuple[str, ...]:
    """Return the words of a list, also of one that was typed behind --csv: [none,-999]."""
    if isinstance(value, str):
        value = next(csv.reader([value.removeprefix("[").removesuffix("]")]), [])
    return tuple(str(word).strip() for word in value)


READ: dict[str, Callable[[Any], Any]] = {"missing": _words}
