"""Check the files of a table: names of columns, encoding, what of a file is no row or column."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import count, first_few, shown
from kindling.raw_data import RawData
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.csv_layout import NOT_UNICODE, Layout, sniff
from kindling.tables.formats import CSV, PARQUET, format_of, left_out_index

MAX_LINES = 3  # that a message shows


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


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def alike(names: Iterable[str]) -> list[list[str]]:
    """Group names that differ in case and spaces only."""
    alike = defaultdict(list)
    for name in names:
        alike[" ".join(name.casefold().split())].append(name)
    return [same for same in alike.values() if len(same) > 1]


def check_csv(file: str, names: list[str], asked: Dialect = AUTO) -> list[Problem]:
    """Say what of a CSV file is no row, which of these columns have no name, and its encoding."""
    layout, fix = sniff(Path(file), asked), "name them in the first line"
    found = [*left_out_lines(layout, file), *check_header(layout, file, asked)]
    unnamed = [name for name in layout.unnamed if name in names]
    if unnamed:
        rule, got = f"every column of {file} should have a name", f"called {first_few(unnamed)}"
        found.append(Problem(rule, got, fix, "D012", file=file, column=unnamed[0]))
    encoding = layout.dialect.encoding
    if asked.encoding == "auto" and encoding in NOT_UNICODE:
        rule, got = f"the text of {file} should be UTF-8", f"other bytes: read as {encoding}"
        setting = Setting("data.csv.encoding", words="if letters look odd")
        found.append(Problem(rule, got, setting, "D011", file=file))
    return found


def left_out_lines(layout: Layout, file: str) -> list[Problem]:
    """Name the lines that are neither the header nor rows."""
    shape, found = layout.shape, []
    kinds = {
        "before the header": (shape.above, "data.csv.skip"),
        "below the header": (shape.units, "data.csv.units"),
    }
    for where, (lines, key) in kinds.items():
        if lines:
            rule = f"each line of {file} should be the header or a row"
            some = first_few((shown(line) for line in lines[:MAX_LINES]), total=len(lines))
            fix = ("nothing", Setting(key, words="if another number of lines is none"))
            got = f"left out {where}: {some}"
            found.append(Problem(rule, got, fix, "D016", file=file, count=len(lines)))
    if layout.num_comments:
        got = f"left out: all that begin with {layout.dialect.comment!r}, "
        got += f"{count(layout.num_comments, 'line')} at its start"
        rule = f"each line of {file} should be the header or a row"
        found.append(Problem(rule, got, "nothing", "D016", file=file, count=layout.num_comments))
    return found


def check_header(layout: Layout, file: str, asked: Dialect) -> list[Problem]:
    """Say how the first line was taken where it can be taken in two ways."""
    shape, names = layout.shape, layout.names
    if not shape.has_header:
        rule = f"the first line of {file} should name the columns"
        got = f"a row: they are called {first_few(names)}"
        fix = ("put a line with names above it", Setting("data.csv.header", True, "if it is one"))
        return [Problem(rule, got, fix, "D017", file=file)]
    if shape.is_shifted:
        rule = f"the header of {file} should name every column"
        got = f"one name fewer than cells: the first column is called {names[0]!r}"
        return [Problem(rule, got, "name it in the header", "D019", file=file, column=names[0])]
    numbers = [name for name in names if _is_number(name)]
    if asked.header is None and len(numbers) > 1 and 2 * len(numbers) > len(names):
        rule, got = f"the first line of {file} must name the columns", first_few(numbers)
        fix = (
            "put a line with names above it",
            Setting("data.csv.header", False, "if it is a row"),
        )
        return [Problem(rule, f"numbers: {got}", fix, "D010", file=file)]
    return []
