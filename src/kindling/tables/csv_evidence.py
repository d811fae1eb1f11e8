"""Tell a header from a row by what the columns below it hold."""

import re
from itertools import pairwise
from typing import NamedTuple

from kindling.tables.number_text import NUMBER_MARKERS

MANY = 3  # numbers that are no names, unless they rise or fall as wavelengths do
# Digits and no letters, but for an exponent: a number, an amount, a date, a time.
NUMBER = re.compile(r"(?=\D*\d)(?:[\W\d_]|(?<=[\d.])[eE](?=[+-]?\d))+")
MARKERS = frozenset(NUMBER_MARKERS)


class Row(NamedTuple):
    """One row: the lines that it takes, counted from 0, and its cells without blanks around."""

    first: int
    end: int
    cells: list[str]


class ColumnCells:
    """Looks at the columns of some rows, each when it is asked for."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.cells: dict[int, set[str]] = {}
        self.numeric: dict[int, bool] = {}

    def known(self, number: int) -> set[str]:
        """Return the different cells of a column."""
        if number not in self.cells:
            cells = {row.cells[number] for row in self.rows if number < len(row.cells)}
            self.cells[number] = cells - MARKERS
        return self.cells[number]

    def holds(self, number: int, cell: str) -> bool:
        """Say whether a column has this cell."""
        return cell in self.known(number)

    def is_numeric(self, number: int) -> bool:
        """Say whether all known cells of a column are numbers, and some are."""
        if number not in self.numeric:
            cells = self.known(number)
            self.numeric[number] = bool(cells) and all(map(is_number, cells))
        return self.numeric[number]


def is_header(row: Row, body: list[Row]) -> bool:
    """Say whether a row has a word above a column of numbers, and no number above any."""
    columns = ColumnCells(body)
    cells = [cell for n, cell in enumerate(row.cells) if cell and columns.is_numeric(n)]
    return bool(cells) and not any(map(is_number, cells))


def are_years(row: Row, body: list[Row]) -> bool:
    """Say whether a row has words, and numbers above numbers only if they rise, as years do."""
    columns = ColumnCells(body)
    numbers = [c for n, c in enumerate(row.cells) if is_number(c) and columns.is_numeric(n)]
    values = [float(cell) for cell in numbers if _is_plain(cell)]
    is_rising = all(a < b for a, b in pairwise(values)) and len(values) == len(numbers)
    return is_rising and len(numbers) < len([cell for cell in row.cells if cell])


def has_no_names(row: Row, body: list[Row]) -> bool:
    """Say whether a first row cannot be a header: its cells are of the columns' own kinds.

    A number may be a name (1990, 400.5); a word that its column has again, a number twice, or
    numbers with signs or fractions that neither rise nor fall are none.
    """
    if len(body) < 2 or any(other.cells == row.cells for other in body):
        return False  # a header may stand in a file again where files were joined
    columns = ColumnCells(body)
    known = [(n, cell) for n, cell in enumerate(row.cells) if cell not in MARKERS]
    # Mostly the first column of numbers has a name: no other column is looked at.
    if any(columns.is_numeric(n) for n, cell in known if not is_number(cell)):
        return False
    words = [(n, cell) for n, cell in known if not columns.is_numeric(n)]
    numbers = [cell for n, cell in known if columns.is_numeric(n)]
    again = sum(columns.holds(n, cell) for n, cell in words)
    if again:
        return 2 * again >= (len(words) if numbers else len(row.cells))
    values = [float(cell) for cell in numbers if _is_plain(cell)]
    steps = {a < b for a, b in pairwise(values)}
    is_odd = any(value % 1 or value < 0 for value in values)
    return len(set(values)) < len(values) or (is_odd and len(values) >= MANY and len(steps) == 2)


def is_number(cell: str) -> bool:
    """Say whether a cell has digits and no letters: a number, an amount, a date, a time."""
    return NUMBER.fullmatch(cell) is not None


def _is_plain(cell: str) -> bool:
    try:
        return float(cell) == float(cell)
    except ValueError:
        return False
