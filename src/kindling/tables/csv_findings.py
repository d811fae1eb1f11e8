"""Say what of a CSV file is no row, what its header is taken for, and in which encoding it is."""

from pathlib import Path

from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import count, first_few, shown
from kindling.tables.csv_dialect import AUTO, Dialect
from kindling.tables.csv_layout import NOT_UNICODE, Layout, sniff
from kindling.tables.formats import CSV, format_of

MAX_LINES = 3  # that a message shows


def csv_findings(path: Path, asked: Dialect = AUTO) -> list[Problem]:
    """Look at a CSV file; of another format there is nothing to say."""
    return layout_findings(sniff(path, asked), str(path), asked) if format_of(path) is CSV else []


def layout_findings(layout: Layout, file: str, asked: Dialect) -> list[Problem]:
    """Say it of a layout that was found.

    Args:
        layout: of the file.
        file: what to call it.
        asked: how somebody says that it is written.
    """
    found = [*left_out_lines(layout, file), *check_header(layout, file, asked)]
    encoding = layout.dialect.encoding
    if asked.encoding == "auto" and encoding in NOT_UNICODE:
        rule, got = f"the text of {file} should be UTF-8", f"other bytes: read as {encoding}"
        fix = Setting("data.csv.encoding", words="if letters look odd")
        found.append(Problem(rule, got, fix, "D011", file=file))
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


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
