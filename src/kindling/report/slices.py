"""The test rows' columns and errors in; the groups of rows that the network is worst at, out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import hypergeom, norm

from kindling.formatting import quantity

MIN_ROWS, MIN_SHARE = 10, 0.02  # of the test rows; a smaller group says nothing
MAX_LEVELS = 50  # of a column; the most frequent ones
QUARTERS = 4


@dataclass(frozen=True)
class Slice:
    """One group of test rows.

    Args:
        column, values: what the rows have in common.
        num_rows: how many they are.
        error: their mean error: a share of wrong rows, or a size in the target's unit.
        chance: how likely one of all groups looked at is this bad if none is special.
    """

    column: str
    values: str
    num_rows: int
    error: float
    chance: float


def find_slices(columns: Mapping[str, np.ndarray], errors: np.ndarray) -> list[Slice]:
    """Return all groups that are large enough and worse than the rest, the surest first.

    Args:
        columns: N numbers or days (nan is missing) or strings ("" is missing) each.
        errors: one for each row: 0 or 1 for right or wrong, or the size of an error.
    """
    least = max(MIN_ROWS, MIN_SHARE * len(errors))
    groups = [
        (column, values, rows)
        for column, cells in columns.items()
        for values, rows in split_column(cells)
        if least <= rows.sum() < len(errors)
    ]
    overall = errors.mean() if len(errors) else 0.0
    found = []
    for column, values, rows in groups:
        error = float(errors[rows].mean())
        if error > overall:
            chance = min(1.0, len(groups) * chance_of(errors, rows))
            found.append(Slice(column, values, int(rows.sum()), error, chance))
    return sorted(found, key=lambda group: (group.chance, -group.error))


def split_column(cells: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield groups of rows: levels of a category, or quarters of the rows by a number or day."""
    if cells.dtype.kind not in "fM":
        levels, codes, counts = np.unique(cells, return_inverse=True, return_counts=True)
        for code in np.argsort(-counts, kind="stable")[:MAX_LEVELS]:
            yield str(levels[code]) or "(missing)", codes == code
        return
    missing = np.isnan(cells) if cells.dtype.kind == "f" else np.isnat(cells)
    write = quantity if cells.dtype.kind == "f" else str
    known = np.unique(cells[~missing])
    if len(known) <= QUARTERS:
        for value in known:
            yield write(value), cells == value
    else:
        ordered = np.sort(cells[~missing])
        places = np.linspace(0, len(ordered) - 1, QUARTERS + 1).astype(int)
        edges = np.unique(ordered[places])
        for place, (low, high) in enumerate(pairwise(edges)):
            above = cells >= low if place == 0 else cells > low
            word = "" if place == 0 else "above "
            yield f"{word}{write(low)} to {write(high)}", above & (cells <= high)
    if missing.any():
        yield "(missing)", missing


def chance_of(errors: np.ndarray, rows: np.ndarray) -> float:
    """Return how likely as many random rows are as bad: exact for right or wrong."""
    total, size, inside = len(errors), int(rows.sum()), errors[rows]
    if np.isin(errors, (0.0, 1.0)).all():
        return float(hypergeom.sf(inside.sum() - 1, total, errors.sum(), size))
    # Drawn without replacement, the mean of many rows varies less.
    spread = errors.std() * np.sqrt((total - size) / (size * max(total - 1, 1)))
    return float(norm.sf((inside.mean() - errors.mean()) / spread)) if spread > 0 else 1.0
