"""What was typed behind --csv in; how the files are written out. Nothing heavy is imported."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from kindling.errors import ConfigError, Problem
from kindling.tables.csv_dialect import AUTO, Dialect, asked_dialect

if TYPE_CHECKING:
    from kindling.images.image_schema import ImageSchema
    from kindling.tables.schema import TableSchema


def add_dialect(parser: ArgumentParser) -> None:
    """Add the option that says how CSV files are written."""
    parser.add_argument(
        "--csv",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="separator=, encoding= or quote=, where it is not as the train rows were written",
    )


def asked_of(words: Sequence[str], schema: "TableSchema | ImageSchema") -> Dialect | None:
    """Return what was typed; what was not is as the train rows were. None stands for nothing."""
    if not words:
        return None
    known = asdict(getattr(schema, "dialect", AUTO))
    pairs = [word.partition("=") for word in words]
    if any(key not in known for key, _, _ in pairs):
        rule = "--csv takes separator=, encoding= or quote="
        raise ConfigError(Problem(rule, ", ".join(words), "type --csv 'separator=;'"))
    return asked_dialect(known | {key: value for key, _, value in pairs}, "--csv ")
