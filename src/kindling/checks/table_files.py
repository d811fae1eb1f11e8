"""Check the files of a table: names of columns, encoding, what of a file is no row or column."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kindling.errors import Problem
from kindling.formatting import count, first_few, shown
from kindling.raw_data import RawData
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.csv_findings import layout_findings
from kindling.tables.csv_layout import sniff
from kindling.tables.formats import CSV, PARQUET, format_of, left_out_index


def check_files(raw: RawData) -> list[Problem]:
    """Look at the header and the encoding of each file of a table."""
    assert isinstance(raw.x, tuple)
    found = []
    for table in raw.x:
        found += check_names(list(table.names), str(table.file))
        found += check_parts(table.files, list(table.names), raw.hints.dialect)
    return found


def check_parts(
    files: Sequence[Path], names: list[str], asked: Dialect = AUTO
) -> Iterator[Problem]:
    """Look at each of the files of one table; what several have is said of the first one."""
    first: dict[tuple[str, str], list[Problem]] = {}
    for file in files:
        for problem in check_file(file, names, asked):
            first.setdefault((problem.code, problem.column), []).append(problem)
    for problem, *others in first.values():
        more = f"; likewise in {count(len(others), 'more file')}" if others else ""
        yield replace(problem, got=problem.got + more)


def check_file(file: Path, names: list[str], asked: Dialect = AUTO) -> list[Problem]:
    """Look at what the format of a file tells, beside the names of these columns."""
    known = format_of(file)
    if known is PARQUET:
        return check_index(file)
    return check_csv(file, names, asked) if known is CSV else []


def check_index(file: Path) -> list[Problem]:
    """Name the index of a DataFrame that is no column, since it has no name."""
    found = []
    for name, cells in left_out_index(file).items():
        rule = f"an index must have a name and fit the rows, to be a column of {file}"
        got = f"left out: {name}, {first_few(map(shown, cells))}, ..."
        fix = "nothing if it only numbers the rows, else df.rename_axis('name') before it is saved"
        found.append(Problem(rule, got, fix, "D018", file=str(file)))
    return found


def check_names(names: list[str], file: str) -> list[Problem]:
    """Find names of columns that are hard to tell apart."""
    found = []
    for same in alike(names):
        rule = f"names of columns should differ in more than case and spaces ({file})"
        got, fix = first_few(map(repr, same), separator=" and "), "rename them if they are one"
        found.append(Problem(rule, got, fix, "D013", file=file, column=same[0]))
    return found


def alike(names: Iterable[str]) -> list[list[str]]:
    """Group names that differ in case and spaces only."""
    alike = defaultdict(list)
    for name in names:
        alike[" ".join(name.casefold().split())].append(name)
    return [same for same in alike.values() if len(same) > 1]


def check_csv(file: Path, names: list[str], asked: Dialect = AUTO) -> list[Problem]:
    """Say what of a CSV file is no row, which of these columns have no name, and its encoding."""
    layout, fix = sniff(file, asked), "name them in the first line"
    found = layout_findings(layout, str(file), asked)
    unnamed = [name for name in layout.unnamed if name in names]
    if unnamed:
        rule, got = f"every column of {file} should have a name", f"called {first_few(unnamed)}"
        found.append(Problem(rule, got, fix, "D012", file=str(file), column=unnamed[0]))
    return found
