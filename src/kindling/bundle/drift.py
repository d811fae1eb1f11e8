"""Detect drift: how new rows differ from the train rows, said once, a line for each column."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from kindling.formatting import count, first_few
from kindling.images.image_schema import ImageSchema
from kindling.tables.column import Column
from kindling.tables.schema import TableSchema

MAX_NAMED = 3  # unknown categories that a line names
MAX_LINES, MAX_EXTRA = 20, 10  # that a person is shown; JSON has all


@dataclass
class Outside:
    """How many numbers of a column lay outside the train rows', and how far out."""

    count: int = 0
    low: float = np.inf
    high: float = -np.inf


@dataclass
class Drift:
    """Gathers how rows differ from the train rows; chunks may be added from several threads.

    Args:
        schema: what the train rows were like; images have no columns that could differ.
        target: its column is allowed to be there.
    """

    schema: TableSchema | ImageSchema
    target: str
    extra: dict[str, None] = field(default_factory=dict)
    unknown: dict[str, Counter[str]] = field(default_factory=dict)
    outside: dict[str, Outside] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns that the train rows had, whether they are used or not."""
        return self.schema.columns if isinstance(self.schema, TableSchema) else ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """Columns that the user left out of the training."""
        return self.schema.left_out if isinstance(self.schema, TableSchema) else ()

    def add(self, raw: pa.Table, features: pd.DataFrame) -> None:
        """Look at a chunk of rows: as they were, and as the schema has cast them."""
        known = {self.target, *(column.name for column in self.columns), *self.left_out}
        with self.lock:  # several threads predict, and share this
            self.extra |= dict.fromkeys(name for name in raw.column_names if name not in known)
            for column in self.columns:
                if not column.features:
                    continue
                cells = features[column.features[0]].to_numpy()
                if column.column_type == "category":
                    self._add_categories(column, cells)
                else:
                    self._add_numbers(column, cells)

    def _add_categories(self, column: Column, cells: np.ndarray) -> None:
        codes, found = pd.factorize(cells)  # a million cells have few different values
        counts = dict(zip(found.tolist(), np.bincount(codes, minlength=len(found)), strict=True))
        self._add_missing(column, int(counts.pop("", 0)))
        unknown = {name: int(counts[name]) for name in counts.keys() - set(column.categories)}
        if unknown:
            self.unknown.setdefault(column.name, Counter()).update(unknown)

    def _add_numbers(self, column: Column, cells: np.ndarray) -> None:
        known = cells[~np.isnan(cells)]
        self._add_missing(column, len(cells) - len(known))
        if column.low is None or column.high is None:
            return
        beyond = known[(known < column.low) | (known > column.high)]
        if len(beyond):
            found = self.outside.setdefault(column.name, Outside())
            found.count += len(beyond)
            found.low, found.high = min(found.low, beyond.min()), max(found.high, beyond.max())

    def _add_missing(self, column: Column, num_missing: int) -> None:
        if num_missing and not column.num_missing:
            self.missing[column.name] += num_missing

    def shown(self) -> list[str]:
        """Say it to a person: a wide table of another kind would fill the screen with the rest."""
        lines = self.lines()
        if len(self.extra) > MAX_EXTRA:
            lines[0] = f"not used: {first_few(self.extra, MAX_EXTRA, noun='columns')}"
        more = len(lines) - MAX_LINES
        return [*lines[:MAX_LINES], *([f"and {count(more, 'more line')}"] if more > 0 else [])]

    def lines(self) -> list[str]:
        """Say it, one line for each column, in the order of the schema."""
        lines = [f"not used: {', '.join(self.extra)}"] if self.extra else []
        for column in self.columns:
            name = column.name
            if name in self.unknown:
                lines.append(f"{name}: {_categories(self.unknown[name])}")
            if name in self.outside:
                lines.append(f"{name}: {_range(self.outside[name], column)}")
            if name in self.missing:
                rows = count(self.missing[name], "row")
                lines.append(f"{name}: no value in {rows}; the train rows all had one")
        return lines


def _categories(unknown: Counter[str]) -> str:
    counts = [f"{name!r} {times:,}" for name, times in unknown.most_common()]
    rows = count(unknown.total(), "row")
    return f"categories that the train rows did not have in {rows}: {first_few(counts, MAX_NAMED)}"


def _range(found: Outside, column: Column) -> str:
    assert column.low is not None
    assert column.high is not None
    low, high = _written(column.low, column), _written(column.high, column)
    far = [_written(far, column) for far in (found.low, found.high)]
    reach = far[0] if far[0] == far[1] else f"from {far[0]} to {far[1]}"
    return f"{count(found.count, 'row')} outside {low} to {high}, as the train rows had it: {reach}"


def _written(value: float, column: Column) -> str:
    if column.column_type == "date":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=value)
        return f"{moment:%Y-%m-%d}"
    return f"{value:.6g}"
