"""Declare beside a parameter which values it takes; they are checked before anything is built.

    width: Annotated[int, Range(1, 65536)] = 256
    dropout: Annotated[float, Range(0, 1, "[)")] = 0.1
    clip_norm: Annotated[float | None, Range(0, ends="()")] = None  # null is fine too
    fit: Literal["pad", "crop", "stretch"] = "pad"
    threads: Literal["auto"] | Annotated[int, Range(1, 1024)] = "auto"

`kindling.config.signatures` reads these from the source file, because importing the module would
take the seconds that torch takes. So what stands in the brackets is written out as plain values.
"""

import importlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Rule = Callable[[Any], str | None]  # takes a value; returns what it must be, or None if it is


@runtime_checkable
class Constraint(Protocol):
    """What may stand behind the type in `Annotated[type, ...]`."""

    @property
    def words(self) -> str:
        """What a value must be, for a message."""

    def allows(self, value: Any) -> bool:
        """Say whether a value is in range."""


@dataclass(frozen=True)
class Range:
    """A number in an interval.

    Args:
        low, high: the ends of the interval.
        ends: its brackets, as in mathematics: "[)" takes low, but not high.
        whole: whether it must be a whole number; a signature says so by the type int.
    """

    low: float
    high: float = math.inf
    ends: str = "[]"
    whole: bool = False

    @property
    def words(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        words = f"{kind} {'>' if self.ends[0] == '(' else '>='} {self.low}"
        if self.high < math.inf:
            words += f" and {'<' if self.ends[1] == ')' else '<='} {self.high}"
        return words

    def allows(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        above = value > self.low if self.ends[0] == "(" else value >= self.low
        below = value < self.high if self.ends[1] == ")" else value <= self.high
        return above and below and math.isfinite(value)


@dataclass(frozen=True)
class Pair:
    """Two numbers, each in the same interval; `words` are for the message."""

    low: float
    high: float
    ends: str = "[]"
    whole: bool = False
    words: str = "two numbers"

    def allows(self, value: Any) -> bool:
        each = Range(self.low, self.high, self.ends, self.whole)
        is_pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
        return is_pair and all(map(each.allows, value))


@dataclass(frozen=True)
class Several:
    """One or more whole numbers, each in the same interval; `words` are for the message."""

    low: float
    high: float
    words: str = "a list of whole numbers"

    def allows(self, value: Any) -> bool:
        each = Range(self.low, self.high, whole=True)
        is_list = isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0
        return is_list and all(map(each.allows, value))


class Processes:
    """A number of processes; more than two for each core of the CPU would only wait."""

    def __init__(self) -> None:
        most = max(8, 2 * (os.cpu_count() or 1))
        self.range = Range(0, most, whole=True)
        self.words = self.range.words

    def allows(self, value: Any) -> bool:
        return self.range.allows(value)


@dataclass(frozen=True)
class PerColumn:
    """Columns and values, such as the example; what they may be is checked with the data.

    A list of COLUMN=VALUE says the same, for names that cannot be typed as keys.
    """

    example: str

    @property
    def words(self) -> str:
        return self.example

    def allows(self, value: Any) -> bool:
        if isinstance(value, list):
            return all(isinstance(pair, str) and "=" in pair for pair in value)
        return isinstance(value, dict)


@dataclass(frozen=True)
class Keys:
    """A mapping whose keys are known.

    Args:
        of: dotted name of a dictionary: key -> the rule of its value. It is imported when it is
            asked for, so its module must not import torch.
    """

    of: str

    @property
    def rules(self) -> dict[str, Rule]:
        module, _, name = self.of.rpartition(".")
        return getattr(importlib.import_module(module), name)

    @property
    def words(self) -> str:
        return f"a mapping of {', '.join(self.rules)}"

    def allows(self, value: Any) -> bool:
        return isinstance(value, Mapping)


class OneOf:
    """One value of a short list, for where `Literal[...]` cannot stand; None is null."""

    def __init__(self, *choices: Any, words: str = "") -> None:
        self.choices = choices
        self.words = words or " or ".join("null" if c is None else str(c) for c in choices)

    def allows(self, value: Any) -> bool:
        # By type too: 1 is no true, and true is no 1.
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


@dataclass(frozen=True)
class AnyOf:
    """The rule of a value that one of the constraints allows; `null` allows None too."""

    constraints: tuple[Constraint, ...]
    null: bool = False

    def __call__(self, value: Any) -> str | None:
        if (self.null and value is None) or any(c.allows(value) for c in self.constraints):
            return None
        words = [*(constraint.words for constraint in self.constraints), *(["null"] * self.null)]
        return ", or ".join(words)


def any_of(*constraints: Constraint, null: bool = False) -> Rule:
    """Make the rule of a value that one of the constraints allows; `null` allows None too."""
    return AnyOf(constraints, null)
