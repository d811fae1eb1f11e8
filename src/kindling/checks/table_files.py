"""Check the files of a table: names of columns, encoding, what of a file is no row or column."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from kindling.errors import Problem
from kindling.formatting import first_few, shown
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
        found += check_names(list(table.names), table.file)
        found += check_file(table.file, list(table.names), raw.hints.dialect)
    return found


def check_file(file: str, names: list[str], asked: Dialect = AUTO) -> list[Problem]:
    """Look at what the format of a file tells, beside the names of these columns."""
    if not Path(file).is_file():  # rows of a source of another kind
        return []
    known = format_of(Path(file))
    if known is PARQUET:
        return check_index(file)
    return check_csv(file, names, asked) if known is CSV else []


def check_index(file: str) -> list[Problem]:
    """Name the index of a DataFrame that is no column, since it has no name."""
    found = []
    for name, cells in left_out_index(Path(file)).items():
        rule = f"an index must have a name and fit the rows, to be a column of {file}"
        got = f"left out: {name}, {first_few(map(shown, cells))}, ..."
        fix = "nothing if it only numbers the rows, else df.rename_axis('name') before it is saved"
        found.append(Problem(rule, got, fix, "D018", file=file))
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


def check_csv(file: str, names: list[str], asked: Dialect = AUTO) -> list[Problem]:
    """Say what of a CSV file is no row, which of these columns have no name, and its encoding."""
    layout, fix = sniff(Path(file), asked), "name them in the first line"
    found = layout_findings(layout, file, asked)
    unnamed = [name for name in layout.unnamed if name in names]
    if unnamed:
        rule, got = f"every column of {file} should have a name", f"called {first_few(unnamed)}"
        found.append(Problem(rule, got, fix, "D012", file=file, column=unnamed[0]))
    return found
