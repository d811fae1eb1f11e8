"""Write compared runs: as tables on the console, as JSON, as CSV or as an HTML page."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kindling.formatting import inert_table
from kindling.report.comparison import REPEATS, Comparison, Group, as_text, compare, last_name
from kindling.report.run_folders import Run, Value, read_runs

WHOLE = ("num_parameters", "best_epoch")  # whole numbers, unless they are means
MAX_TEXT = 24  # characters of a setting on the console
GAP = 2  # between two columns
UNLIMITED = 100_000  # columns of a file or a pipe
FIRST_TO_GO = ("num_parameters", "seconds", "best_epoch")


@dataclass(frozen=True)
class Cell:
    """What is shown, and the number or text that it is sorted by; None where there is none."""

    text: str
    value: float | str | None


@dataclass(frozen=True)
class TableLine:
    """One run, or the mean of a group, or a run below that mean."""

    cells: tuple[Cell, ...]
    is_member: bool = False


def lines(table: Comparison) -> list[list[TableLine]]:
    """Write each group: its mean, if it has several runs, then the runs."""
    return [_group_lines(table, group) for group in table.groups]


def _group_lines(table: Comparison, group: Group) -> list[TableLine]:
    def line(
        name: str, runs: Sequence[Run], mean: Mapping[str, float], *, is_member: bool
    ) -> TableLine:
        settings = [_setting(runs, key, is_member=is_member) for key in table.settings]
        std = {} if is_member else group.std
        numbers = [_number(name, mean.get(name), std.get(name)) for name in table.numbers]
        return TableLine((Cell(name, name), *settings, *numbers), is_member)

    if len(group.runs) == 1:
        return [line(group.runs[0].name, group.runs, group.mean, is_member=False)]
    members = [line(run.name, [run], run.numbers, is_member=True) for run in group.runs]
    return [line(f"{len(group.runs)} runs", group.runs, group.mean, is_member=False), *members]


def _setting(runs: Iterable[Run], key: str, *, is_member: bool) -> Cell:
    """Show the value that the runs share, or all of theirs; runs of a group do not repeat it."""
    if is_member and last_name(key) not in REPEATS:
        return Cell("", None)
    values = {run.settings[key] for run in runs if key in run.settings}
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values) > 0:
        return Cell(",".join(map(as_text, sorted(numbers))), min(numbers))
    text = ",".join(sorted(map(as_text, values)))
    return Cell(text, text or None)


def _number(name: str, mean: float | None, std: float | None) -> Cell:
    """Show a mean with its std, or the number of a single run."""
    if mean is None:
        return Cell("", None)
    if name in WHOLE and mean == round(mean) and not std:
        return Cell(f"{mean:,.0f}", mean)
    text = f"{mean:.{3 if name == 'seconds' else 5}g}"
    return Cell(text if std is None else f"{text} +- {std:.2g}", mean)


def to_json(tables: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return everything that is known of the runs, not only what a table shows."""
    return [
        {
            "data": table.data,
            "problem_type": table.problem_type,
            "metric": table.metric.name,
            "sorted_by": table.sorted_by,
            "settings": list(table.settings),
            "notes": list(table.notes),
            "groups": [
                {
                    "n": len(group.runs),
                    "mean": dict(group.mean),
                    "std": dict(group.std),
                    "runs": [
                        {
                            "run": run.name,
                            "folder": run.folder,
                            "settings": _shown_settings(table, run),
                            "numbers": dict(run.numbers),
                        }
                        for run in group.runs
                    ],
                }
                for group in table.groups
            ],
        }
        for table in tables
    ]


def _shown_settings(table: Comparison, run: Run) -> dict[str, Value]:
    return {key: run.settings[key] for key in table.settings if key in run.settings}


def to_csv(tables: Sequence[Comparison]) -> str:
    """Write one line for each run, in the order of the tables; the group is a number."""
    rows = [
        {
            **_shown_settings(table, run),
            **run.numbers,
            "data": table.data,
            "problem_type": table.problem_type,
            "group": number,
            "run": run.name,
            "folder": run.folder,
        }
        for table in tables
        for number, group in enumerate(table.groups, start=1)
        for run in group.runs
    ]
    names = ["data", "problem_type", "group", "run", "folder"]
    names += [key for table in tables for key in table.settings]
    names += sorted({name for row in rows for name in row} - set(names))
    frame = pd.DataFrame(rows, columns=list(dict.fromkeys(names)), dtype=object)
    return inert_table(frame).to_csv(index=False, lineterminator="\n")


def to_html(tables: Sequence[Comparison]) -> str:
    """Write one self-contained page, in which a click on a column's head sorts by it."""
    # Late: both import matplotlib, which takes 0.3 s.
    from kindling.plotting import palette_css
    from kindling.report.components import templates

    page = templates().get_template("compare.html")
    return page.render(tables=tables, lines=lines, palette=palette_css())


def print_runs(folders: Iterable[Path], sort: str | None = None) -> None:
    """Print the finished ones of these runs as `kindling compare` does, sorted by a number."""
    runs, _ = read_runs([str(folder) for folder in folders if folder.is_dir()])
    is_known = any(sort in run.numbers for run in runs)
    print_tables(compare(runs, sort if is_known else None))


def print_tables(tables: Sequence[Comparison]) -> None:
    """Print each table with as many columns as fit; all of them into a file or a pipe."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNLIMITED)
    for number, table in enumerate(tables):
        console.print("\n" * (number > 0), end="")
        _print_table(console, table)


def _print_table(console: Console, table: Comparison) -> None:
    """Print one table, and the names of the columns that there is no room for."""
    every = [line for group in lines(table) for line in group]
    texts = [[_cut(line, column) for column in range(len(table.head))] for line in every]
    widths = [
        max(len(name), *(len(text[column]) for text in texts))
        for column, name in enumerate(table.head)
    ]
    kept = columns_that_fit(table, widths, console.width)
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    for column in kept:
        is_number = column > len(table.settings)
        name = Text(table.head[column])
        grid.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for line, text in zip(every, texts, strict=True):
        style = "dim" if line.is_member else ""
        grid.add_row(*(Text(text[column]) for column in kept), style=style)
    title = f"{table.title}, sorted by {table.sorted_by}"
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(grid)
    missing = [name for column, name in enumerate(table.head) if column not in kept]
    for note in table.notes:
        console.print(Text(note), soft_wrap=True)
    if missing:
        console.print(Text(f"no room for {', '.join(missing)}: --html or --csv shows all"))


def columns_that_fit(table: Comparison, widths: Sequence[int], room: int) -> list[int]:
    """Take columns out until the rest fits: facts first, then settings, never run and scores."""
    names = table.head
    kept = list(range(len(names)))
    settings = list(range(len(table.settings), 0, -1))
    for column in [*(names.index(name) for name in FIRST_TO_GO if name in names), *settings]:
        if sum(widths[k] + GAP for k in kept) - GAP <= room:
            break
        kept.remove(column)
    return kept


def _cut(line: TableLine, column: int) -> str:
    text = line.cells[column].text
    cut = text if len(text) <= MAX_TEXT or column == 0 else text[: MAX_TEXT - 3] + "..."
    return ("  " if line.is_member and column == 0 else "") + cut
