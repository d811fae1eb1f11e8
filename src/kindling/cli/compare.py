"""Compare finished runs: one table for each data set, sorted by the primary metric on val.

kindling compare                                        every run below runs/
kindling compare runs/penguins_auto --sort test/log_loss
kindling compare runs/ other/runs --html compare.html --csv compare.csv

Only the settings that differ are shown. Runs that differ in their seed or fold alone are gathered
in a line of their own: mean +- standard deviation. baseline/... is the best of the baselines.
"""

import sys
from argparse import ArgumentParser, Namespace

from kindling.cli.input_output import add_json, print_json, write_text
from kindling.runs import RUNS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling compare`."""
    parser.add_argument(
        "path", nargs="*", default=[str(RUNS)], metavar="PATH", help="folders with runs (runs/)"
    )
    parser.add_argument(
        "--sort", metavar="KEY", help="a number (test/accuracy, seconds) or a setting (model.width)"
    )
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page")
    parser.add_argument("--csv", metavar="FILE", help="write one line for each run")
    add_json(parser)


def run(arguments: Namespace) -> None:
    """Read the runs, put them into tables, and write these as was asked."""
    from kindling.report.comparison import compare
    from kindling.report.comparison_output import print_tables, to_csv, to_html, to_json
    from kindling.report.run_folders import read_runs

    runs, skipped = read_runs(arguments.path)
    tables = compare(runs, arguments.sort)
    if arguments.html:
        write_text("--html", arguments.html, to_html(tables))
    if arguments.csv:
        write_text("--csv", arguments.csv, to_csv(tables))
    if arguments.json:
        print_json({"tables": to_json(tables), "skipped": skipped})
    else:
        print_tables(tables)
    for folder, reason in skipped.items():
        sys.stderr.write(f"left out: {folder}: {reason}\n")
