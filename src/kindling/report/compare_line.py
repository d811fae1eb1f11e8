"""A table of compared runs in; its lines out, as a person reads them on console and page."""

from dataclasses import dataclass

from kindling.report.compare import REPEATS, Group, Table, gather
from kindling.report.run import Run, as_text

COUNTS = ("num_parameters", "best_epoch")  # whole numbers, unless they are means


@dataclass(frozen=True)
class Cell:
    """What is shown, and the number or text that it is sorted by; None where there is none."""

    text: str
    value: float | str | None


@dataclass(frozen=True)
class Line:
    """One run, or the mean of a group, or a run below that mean."""

    cells: tuple[Cell, ...]
    is_member: bool = False


def head(table: Table) -> list[str]:
    """Name the columns."""
    return ["run", *table.settings, *table.numbers]


def title(table: Table) -> str:
    """Say what the runs of a table have in common."""
    num_runs = sum(len(group.runs) for group in table.groups)
    runs = f"{num_runs} run{'s' * (num_runs > 1)}"
    return f"{table.data}: {table.task}, {runs}"


def lines(table: Table) -> list[list[Line]]:
    """Write each group: its mean, if it has several runs, then the runs."""
    return [_group(table, group) for group in table.groups]


def _group(table: Table, group: Group) -> list[Line]:
    if len(group.runs) == 1:
        return [_line(table, group, group.runs[0].name, is_member=False)]
    members = [_line(table, gather([run]), run.name, is_member=True) for run in group.runs]
    return [_line(table, group, f"{len(group.runs)} runs", is_member=False), *members]


def _line(table: Table, group: Group, name: str, *, is_member: bool) -> Line:
    settings = [setting(group.runs, key, is_member=is_member) for key in table.settings]
    numbers = [number(group, name) for name in table.numbers]
    return Line((Cell(name, name), *settings, *numbers), is_member)


def setting(runs: tuple[Run, ...], key: str, *, is_member: bool) -> Cell:
    """Show the value that the runs share, or all of theirs; runs of a group do not repeat it."""
    if is_member and key.rpartition(".")[2] not in REPEATS:
        return Cell("", None)
    values = {run.settings[key] for run in runs if key in run.settings}
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(values) > 0:
        return Cell(",".join(map(as_text, sorted(numbers))), min(numbers))
    text = ",".join(sorted(map(as_text, values)))
    return Cell(text, text or None)


def number(group: Group, name: str) -> Cell:
    """Show a mean with its spread, or the number of a single run."""
    if name not in group.mean:
        return Cell("", None)
    mean, spread = group.mean[name], group.spread.get(name, 0.0)
    is_count = name in COUNTS and mean == round(mean) and spread == 0.0
    text = f"{mean:,.0f}" if is_count else f"{mean:.{3 if name == 'seconds' else 5}g}"
    return Cell(f"{text} +- {spread:.2g}" if name in group.spread and not is_count else text, mean)
