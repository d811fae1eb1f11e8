"""Files as they were opened in; what is odd about their form and their header out."""

from collections import defaultdict
from pathlib import Path

from kindling.errors import Problem
from kindling.raw_data import RawData
from kindling.tables.csv_dialect import AUTO, Dialect, sniff
from kindling.tables.formats import CSV, format_of


def name_findings(raw: RawData) -> list[Problem]:
    """Look at the header and the encoding of each file."""
    assert isinstance(raw.x, tuple)
    found = []
    for table in raw.x:
        found += header_findings(list(table.names), table.file)
        if Path(table.file).is_file():
            found += encoding_findings(table.file, raw.dialect)
    return found


def header_findings(names: list[str], file: str) -> list[Problem]:
    """Find names that are numbers, that are missing, or that are hard to tell apart."""
    found = []
    numbers = [name for name in names if _is_number(name)]
    if len(numbers) > 1 and 2 * len(numbers) > len(names):
        rule = f"the first line of {file} must name the columns"
        got = f"numbers: {', '.join(numbers[:5])}"
        found.append(Problem(rule, got, "put a line with names above it", "D010"))
    unnamed = [name for name in names if name.startswith("unnamed ")]
    if unnamed:
        rule, got = f"every column of {file} should have a name", f"called {', '.join(unnamed[:5])}"
        found.append(Problem(rule, got, "name them in the first line", "D012"))
    alike = defaultdict(list)
    for name in names:
        alike[" ".join(name.casefold().split())].append(name)
    for same in alike.values():
        if len(same) > 1:
            got = " and ".join(map(repr, same[:5]))
            rule = f"names of columns should differ in more than case and spaces ({file})"
            found.append(Problem(rule, got, "rename them if they are one", "D013"))
    return found


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def encoding_findings(file: str, asked: Dialect = AUTO) -> list[Problem]:
    """Say how a CSV file was read because it is no UTF-8, and nobody said what it is."""
    if asked.encoding != "auto" or format_of(Path(file)) is not CSV:
        return []
    encoding = sniff(Path(file), asked).dialect.encoding
    if encoding not in ("cp1252", "latin-1"):
        return []
    rule, fix = f"the text of {file} should be UTF-8", "data.csv.encoding=... if letters look odd"
    return [Problem(rule, f"other bytes: read as {encoding}", fix, "D011", file=file)]
