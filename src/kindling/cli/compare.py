"""Compare finished runs in one table, sorted by their headline metric on the val rows.

kindling compare runs/
"""

from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling compare`."""
    parser.add_argument("path", nargs="*", default=["runs"], metavar="PATH", help="run folders")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> None:
    """Print the table."""
    raise NotImplementedError
