"""Look at a table or a folder of images before anything is trained: columns, types, problems.

kindling inspect my.csv --target price
kindling inspect my.csv --target price --test new.csv --kinds zip=category --html my.html
kindling inspect photos/
kindling inspect photos/ --labels labels.csv data.group=patient

Further settings of the data are typed as behind `python train.py`: data.KEY=VALUE.
"""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.cli.input_output import add_json, print_json, write_text
from kindling.errors import ConfigError, DataError, Problem, permitted
from kindling.fixes import Command, settings_are
from kindling.formatting import printable

if TYPE_CHECKING:
    from kindling.checks.overview import Overview


# What of a training's settings this command takes as options, and those that it takes as they are.
OPTIONS = {
    "data.target": "--target",
    "data.val_path": "--val",
    "data.test_path": "--test",
    "data.kinds": "--kinds",
    "data.labels": "--labels",
}
SECTION = "data."
ELSEWHERE = "train with {}"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling inspect`."""
    parser.add_argument("path", metavar="FILE", help="a CSV or Parquet file, or a folder of images")
    parser.add_argument(
        "settings", metavar="data.KEY=VALUE", nargs="*", help="as behind python train.py"
    )
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict")
    parser.add_argument("--val", metavar="FILE", help="a file with the val rows")
    parser.add_argument("--test", metavar="FILE", help="a file with the test rows")
    parser.add_argument(
        "--kinds", metavar="COLUMN=KIND", nargs="+", default=[], help="where the guess is wrong"
    )
    parser.add_argument("--labels", metavar="FILE", help="a table with the labels of the images")
    parser.add_argument("--html", metavar="FILE", help="write one page")
    add_json(parser)


def run(arguments: Namespace) -> None:
    """Print the overview; leave with 3 where the data cannot be used as they are."""
    from kindling.checks.overview import inspect_images, inspect_table
    from kindling.checks.overview_page import render

    settings, typed = read_arguments(arguments)
    path = str(settings.pop("path", arguments.path))
    settings_are(lambda key: settings.get(key.removeprefix(SECTION)))
    with permitted(path):
        is_folder = Path(path).is_dir() and ("labels" in settings or not is_table(Path(path)))
    refuse_useless(settings, typed, is_folder=is_folder)
    look = inspect_images if is_folder else inspect_table
    overview = look(path, **settings)
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


def is_table(folder: Path) -> bool:
    """Say whether a folder holds a table in several files: tables, no images and no folders."""
    from kindling.images.file_types import SUFFIXES
    from kindling.tables.formats import table_suffixes

    visible = [path for path in folder.iterdir() if path.name[0] not in "._"]
    endings = {path.suffix.lower() for path in visible}
    has_others = bool(endings & {".npy", *SUFFIXES}) or any(path.is_dir() for path in visible)
    return bool(endings & table_suffixes()) and not has_others


def read_arguments(arguments: Namespace) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings by their key in the data section, and how those of options were typed."""
    from kindling.config.data_settings import read_settings

    settings, typed = read_settings(arguments.settings), {}
    for key, option in OPTIONS.items():
        name, value = key.removeprefix(SECTION), getattr(arguments, option[2:])
        if option == "--kinds":
            value = dict(split_column_type(word) for word in value)
        if value:
            settings[name], typed[name] = value, option
    return settings, typed


def refuse_useless(settings: dict[str, Any], typed: dict[str, str], *, is_folder: bool) -> None:
    """Refuse what the data do not know, and what changes nothing of what is shown of them."""
    from kindling.checks.overview import IMAGES, TABLE, TRAINING_ONLY
    from kindling.config.data_settings import check_settings
    from kindling.registry import DATA, registered

    sources = {"tables": TABLE, "folders of images": IMAGES}
    kind = "folders of images" if is_folder else "tables"
    target = next((p.value.replace(":", ".") for p in registered(DATA).values()), "")
    check_settings(settings, target, sources, kind=kind, useless=TRAINING_ONLY, typed=typed)
    if is_folder or "target" in settings:
        return
    # Without a target nothing is split or learnt: only how cells are read can be said.
    words = [typed.get(key, f"{SECTION}{key}") for key in settings if key not in ("kinds", "csv")]
    if words:
        rule = f"{', '.join(words)} can be looked at where the target is known"
        raise ConfigError(Problem(rule, "no --target", Command("--target", "COLUMN", after="too")))


def json_of(problem: Problem) -> dict[str, Any]:
    """Write a finding for another program; the fix as it is typed."""
    shown = ("rule", "got", "code", "file", "column", "row", "count", "severity")
    return {"fix": problem.do} | {name: getattr(problem, name) for name in shown}


def split_column_type(word: str) -> tuple[str, str]:
    """Cut COLUMN=KIND at its last equals sign."""
    name, equals, column_type = word.rpartition("=")
    if not equals:
        rule, fix = "--kinds takes COLUMN=KIND", Command("--kinds", f"{word}=category")
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
        grid.add_row(*(Text(printable(cell)) for cell in (*cells, line.holds, line.becomes)))
    if overview.columns:
        console.print(grid)
    styles = {"error": "bold red", "warning": "bold yellow", "info": "dim"}
    for problem in overview.findings:
        style = styles[problem.severity]
        words = (f"{problem.code} {problem.severity}", style)
        console.print(Text.assemble(words, f"  {printable(problem.rule)}"), soft_wrap=True)
        got, do = printable(problem.got), printable(problem.do)
        console.print(Text(f"    got: {got}\n    do:  {do}"), soft_wrap=True)
    if not overview.findings:
        console.print("no problem was found")
