"""Describe how the raw cells of a column become inputs of an exported model: words and expressions.

`raw_cells.py` does what is described, with Python alone; other languages can do the same.
"""

import re
from typing import Any

import pyarrow as pa

from kindling.tables.categories import meanings
from kindling.tables.column import Column
from kindling.tables.column_types import FALSE, INFINITE, LARGEST, MISSING, TRUE, to_number
from kindling.tables.date_text import TIDY, WITH_ZONE, ZERO_DATE, plain_form
from kindling.tables.number_text import (
    BODIES,
    GROUPS,
    MARKERS,
    NUMBER_MARKERS,
    PLAIN,
    REPLACED,
    TWO_READINGS,
    NumberStyle,
    parts_pattern,
    unit_pattern,
)

READING = (
    "Trim a cell. If it is in `missing`, or its number in `missing_numbers`, nothing is known: "
    "NaN, or `empty` of a category. Of text, words in `infinite` are NaN, those in `true` and "
    "`false` 1 and 0, in whatever case. A number: what `plain` fits is one, with `,` for `.`; of "
    "other text, `replace` in turn, then cut by `number`; of the body, the first of `bodies` that "
    "fits says what to take out; `two_readings` is refused; - or ( makes it negative. A date: "
    "`zero` is NaN; by `pattern`; else cut by `with_zone`, `tidy` in turn, and by the clock that "
    "stands there if its zone is in `zones`, else by that of the only one; days of `gaps` are NaN. "
    "A category: by `meant`, that of its whole number (3.0, 03 and 3), of its number if it was a "
    "float, of its truth value or day; else as it is. What fits nothing is refused."
)
# What the cell of an ONNX input holds, by the type of its column.
MEANING = {
    "number": "float64 number; NaN is missing",
    "boolean": "float64 0 or 1; NaN is missing",
    "date": "float64 days since 1970-01-01, by the clock of the train rows; NaN is missing",
    "category": f"text; {MISSING!r} is missing; a category that was not learnt from is unknown",
}
CODE = "the code of a category: 0 unknown, 1 missing, then those in `categories` from 2 on"
WORDS_OF = {
    "number": NUMBER_MARKERS,
    "boolean": MARKERS,
    "date": NUMBER_MARKERS,
    "category": (MISSING,),
}
CODE_POINT = re.compile(r"\\x\{([0-9A-F]+)\}")


def describe_column(column: Column) -> dict[str, Any]:
    """Return what the notes say of a column."""
    described: dict[str, Any] = {
        "name": column.name,
        "column_type": column.column_type,
        "meaning": MEANING[column.column_type],
        "cells": cell_rules(column),
    }
    if column.column_type == "category":
        described |= {"code": CODE, "categories": list(column.categories)}
    return described


def cell_rules(column: Column) -> dict[str, Any]:
    """Return what `read_cell` needs to know, as plain values; see READING."""
    kind = column.column_type
    rules: dict[str, Any] = {"missing": [*WORDS_OF[kind], *column.missing]}
    if kind == "category":
        return rules | {"empty": column.empty, "meant": _meant(column.categories)}
    rules |= {"missing_numbers": _numbers(column), "infinite": [*INFINITE]}
    if kind == "date":
        return rules | {
            "pattern": plain_form(column.pattern),
            "zones": [*(column.zones or ("",))],
            "gaps": [*column.gaps],
            "zero": ZERO_DATE,
            "with_zone": WITH_ZONE,
            "tidy": [[old.replace(r"\pL", r"[^\W\d_]"), new] for old, new in TIDY],
        }
    if kind == "boolean":
        return rules | {"true": [*TRUE], "false": [*FALSE]} | _number_rules(NumberStyle())
    truth = (["true"], ["false"]) if column.is_zero_or_one else ([], [])
    return rules | {"true": truth[0], "false": truth[1]} | _number_rules(column.style)


def _meant(categories: tuple[str, ...]) -> dict[str, str]:
    """Return the category of each meaning that one alone has, by what `raw_cells.meaning` says."""
    meant = {}
    for kind, is_float in (("whole", False), ("float", True)):
        for key, name in meanings(categories, is_float=is_float).items():
            assert key is not None
            what, value = key
            if what == "number":
                what, value = kind, repr(float(value)) if is_float else value
            meant[f"{what} {value}"] = name
    return meant


def _numbers(column: Column) -> list[float]:
    """Return the numbers that stand for nothing known."""
    if column.column_type == "date":
        return []
    words = pa.chunked_array([pa.array(column.missing, pa.string())])
    style = column.style if column.column_type == "number" else NumberStyle()
    numbers = to_number(words, NumberStyle(style.decimal, style.unit))
    return [number for number in numbers.to_pylist() if number is not None]


def _number_rules(style: NumberStyle) -> dict[str, Any]:
    signs = [style.decimal] if style.decimal else [".", ","]
    return {
        "plain": PLAIN[style.decimal],
        "replace": [[_usual(old), new] for old, new in REPLACED.items()],
        "number": _usual(parts_pattern(unit_pattern(style.unit))),
        "bodies": [[BODIES[sign], GROUPS[sign]] for sign in signs],
        "two_readings": "" if style.decimal else TWO_READINGS,
        "largest": LARGEST,
    }


def _usual(expression: str) -> str:
    r"""Write \\x{20AC} as the sign itself, as most languages read expressions."""
    return CODE_POINT.sub(lambda found: chr(int(found[1], 16)), expression)
