"""Look at a table or a folder of images before anything is trained: columns, types, problems.

kindling inspect my.csv --target price
kindling inspect my.csv --target price --test new.csv --kinds zip=category --html my.html
kindling inspect photos/
"""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.cli.input_output import add_json, print_json, write_text
from kindling.errors import ConfigError, DataError, Problem, permitted
from kindling.fixes import settings_are

if TYPE_CHECKING:
    from kindling.checks.overview import Overview


# What of a training's settings this command takes, too.
OPTIONS = {"data.target": "--target", "data.test_path": "--test", "data.kinds": "--kinds"}
ELSEWHERE = "train with {}"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling inspect`."""
    parser.add_argument("path", metavar="FILE", help="a CSV or Parquet file, or a folder of images")
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict")
    parser.add_argument("--test", metavar="FILE", help="a file with the test rows")
    parser.add_argument(
        "--kinds", metavar="COLUMN=KIND", nargs="+", default=[], help="where the guess is wrong"
    )
    parser.add_argument("--html", metavar="FILE", help="write one page")
    add_json(parser)


def run(arguments: Namespace) -> None:
    """Print the overview; leave with 3 where the data cannot be used as they are."""
    from kindling.checks.overview import inspect_images, inspect_table
    from kindling.checks.overview_page import render

    with permitted(arguments.path):
        is_folder = Path(arguments.path).is_dir()
    if is_folder:
        overview = inspect_images(arguments.path)
    else:
        column_types = dict(split_column_type(word) for word in arguments.kinds)
        settings_are({"data.kinds": column_types}.get)
        overview = inspect_table(arguments.path, arguments.target, arguments.test, column_types)
    if arguments.html:
        write_text("--html", arguments.html, render(overview))
    if arguments.json:
        found = [json_of(problem) for problem in overview.findings]
        lines = [asdict(line) for line in overview.columns]
        print_json({"facts": overview.facts, "columns": lines, "findings": found})
    else:
        show(overview)
    if overview.has_errors:
        sys.exit(DataError.exit_code)


def json_of(problem: Problem) -> dict[str, Any]:
    """Write a finding for another program; the fix as it is typed."""
    shown = ("rule", "got", "code", "file", "column", "row", "count", "severity")
    return {"fix": problem.do} | {name: getattr(problem, name) for name in shown}


def split_column_type(word: str) -> tuple[str, str]:
    """Cut COLUMN=KIND at its last equals sign."""
    name, equals, column_type = word.rpartition("=")
    if not equals:
        rule, fix = "--kinds takes COLUMN=KIND", f"type --kinds {word}=category"
        raise ConfigError(Problem(rule, word, fix))
    return name, column_type


def show(overview: "Overview") -> None:
    """Print facts, columns and findings for a person."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kindling.run.console import show_plan

    show_plan({"file": overview.title, **overview.facts})
    console = Console(highlight=False)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("column", "taken for", "missing", "distinct", "holds", "becomes"):
        is_number = name in ("missing", "distinct")
        grid.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for line in overview.columns:
        cells = (line.name, line.kind, f"{line.missing:,}", f"{line.distinct:,}")
        grid.add_row(*map(Text, (*cells, line.holds, line.becomes)))
    if overview.columns:
        console.print(grid)
    styles = {"error": "bold red", "warning": "bold yellow", "info": "dim"}
    for problem in overview.findings:
        style = styles[problem.severity]
        words = (f"{problem.code} {problem.severity}", style)
        console.print(Text.assemble(words, f"  {problem.rule}"), soft_wrap=True)
        console.print(Text(f"    got: {problem.got}\n    do:  {problem.do}"), soft_wrap=True)
    if not overview.findings:
        console.print("no problem was found")
