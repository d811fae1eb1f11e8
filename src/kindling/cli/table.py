"""Tables of compared runs in; what a terminal can show of them out."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from kindling.report.compare import Table
from kindling.report.compare_line import Line, head, lines, title

MAX_TEXT = 24  # characters of a setting
GAP = 2  # between two columns
UNLIMITED = 100_000  # columns of a file or a pipe
FIRST_TO_GO = ("num_parameters", "seconds", "best_epoch")


def print_tables(tables: Sequence[Table]) -> None:
    """Print each table with as many columns as fit; all of them into a file or a pipe."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNLIMITED)
    for number, table in enumerate(tables):
        console.print("\n" * (number > 0), end="")
        print_table(console, table)


def print_table(console: Console, table: Table) -> None:
    """Print one table, and the names of the columns that there is no room for."""
    groups = lines(table)
    widths = _widths(head(table), [line for group in groups for line in group])
    kept = columns_that_fit(table, widths, console.width)
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for column in kept:
        name = Text(head(table)[column])
        is_number = column > len(table.settings)
        grid.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for group in groups:
        for line in group:
            texts = [_text(line, column) for column in kept]
            grid.add_row(*texts, style="dim" if line.is_member else "")
    console.print(
        Text(f"{title(table)}, sorted by {table.sorted_by}", style="bold"), soft_wrap=True
    )
    console.print(grid)
    missing = [name for column, name in enumerate(head(table)) if column not in kept]
    if missing:
        console.print(Text(f"no room for {', '.join(missing)}: --html or --csv shows all"))


def columns_that_fit(table: Table, widths: Sequence[int], room: int) -> list[int]:
    """Take columns out until the rest fits: facts first, then settings, never run and scores."""
    names = head(table)
    kept = list(range(len(names)))
    settings = list(range(len(table.settings), 0, -1))
    for column in [*(names.index(name) for name in FIRST_TO_GO if name in names), *settings]:
        if sum(widths[k] + GAP for k in kept) - GAP <= room:
            break
        kept.remove(column)
    return kept


def _widths(names: Sequence[str], table: Sequence[Line]) -> list[int]:
    columns = range(len(names))
    return [max(len(names[k]), *(len(_text(line, k)) for line in table)) for k in columns]


def _text(line: Line, column: int) -> Text:
    text = line.cells[column].text
    cut = text if len(text) <= MAX_TEXT or column == 0 else text[: MAX_TEXT - 3] + "..."
    return Text(("  " if line.is_member and column == 0 else "") + cut)
