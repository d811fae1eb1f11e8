"""What several commands share: RUN, --device, --csv, the files to read, and JSON or text to write.

Heavy packages are imported only by the functions that need them: --help stays fast.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.errors import ConfigError, DataError, Problem, permitted
from kindling.files import is_url, write_atomically
from kindling.fixes import Command
from kindling.formatting import json_text, printable
from kindling.tables.csv_dialect import AUTO, KEYS, asked_dialect, for_new_rows

if TYPE_CHECKING:
    from kindling.images.image_schema import ImageSchema
    from kindling.images.listing import Listing
    from kindling.tables.csv_dialect import Dialect
    from kindling.tables.schema import TableSchema


CSV_KEYS = tuple(key for key in KEYS if key != "missing")  # whose gaps a model knows
# What of a training's settings is an option here; each key of data.csv is one of --csv.
MODEL_OPTIONS = {"device": "--device"}
CSV_OPTIONS = MODEL_OPTIONS | {f"data.csv.{name}": f"--csv {name}=" for name in CSV_KEYS}
IGNORE_OPTIONS = {"data.ignore": "--ignore ..."}
UNUSED_PATTERN = "D420"


def add_run(parser: ArgumentParser) -> None:
    """Add the argument that names a finished run."""
    parser.add_argument("run", metavar="RUN", help="run folder, bundle, latest, or a run's name")


def add_device(parser: ArgumentParser) -> None:
    """Add the option that says where the network computes."""
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or mps (default cpu)")


def add_json(parser: ArgumentParser, what: str = "") -> None:
    """Add the option for output that another program reads."""
    parser.add_argument("--json", action="store_true", help=f"print JSON{what}")


def add_csv_dialect(parser: ArgumentParser) -> None:
    """Add the option that says how CSV files are written."""
    parser.add_argument(
        "--csv",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of data.csv, such as separator= or decimal=, where it is not as in training",
    )


def add_ignore(parser: ArgumentParser) -> None:
    """Add the option that leaves files of folders out."""
    words = "names of files and folders to leave out, such as '*_mask.png'"
    parser.add_argument("--ignore", action="append", default=[], metavar="PATTERN", help=words)


def csv_dialect(words: Sequence[str], schema: "TableSchema | ImageSchema") -> "Dialect | None":
    """Return the dialect of --csv: keys that were not typed are as the train rows were written.

    Args:
        words: KEY=VALUE, as typed; without any the answer is None.
        schema: knows the dialect of the train rows, if they were a table.

    Raises:
        ConfigError: an unknown key, or a value that cannot be.
    """
    if not words:
        return None
    trained = for_new_rows(getattr(schema, "dialect", AUTO))
    pairs = [word.partition("=") for word in words]
    if any(key not in CSV_KEYS for key, _, _ in pairs):
        rule = f"--csv takes {'=, '.join(CSV_KEYS)}="
        raise ConfigError(Problem(rule, ", ".join(words), Command("--csv", "separator=;")))
    return asked_dialect({key: value for key, _, value in pairs}, "--csv ", trained)


def tell_of_lines(
    files: Sequence[Path], schema: "TableSchema | ImageSchema", asked: "Dialect | None"
) -> None:
    """Name on the console what of CSV files is read in one of two ways, or is no row.

    Args:
        files: of new rows, or of images with their labels.
        schema: tells how the train rows were written.
        asked: how the files are written, where somebody says so.
    """
    from kindling.bundle.inputs import written_as
    from kindling.tables.csv_findings import csv_findings
    from kindling.tables.schema import TableSchema

    for file in files:
        with suppress(DataError, OSError, EOFError, UnicodeError):  # the reader says it in words
            dialect = asked or AUTO
            if asked is None and isinstance(schema, TableSchema):
                dialect = written_as(file, schema)
            for problem in csv_findings(file, dialect):
                sys.stderr.write(f"{problem.rule}: {problem.got}; {problem.do}\n")


def find_files(
    words: Sequence[str],
    schema: "TableSchema | ImageSchema",
    output: Path | None = None,
    ignore: Sequence[str] = (),
) -> list[Path]:
    """List the files that are meant, in the order of the words; those of a folder by their names.

    What lies in a folder and is left out is told on stderr.

    Args:
        words: paths of files and folders, and patterns such as "photos/*.png", "photos/**/*.png".
        schema: says whether tables or images are looked for in a folder.
        output: the file that will be written; it may not be one of them.
        ignore: patterns of names, or of paths below a folder, that are left out.

    Raises:
        DataError: nothing is there, or it may not be read, or it would be overwritten.
    """
    from kindling.images.file_types import image_suffixes
    from kindling.images.image_schema import ImageSchema
    from kindling.images.listing import Listing, other_files, what_to_do
    from kindling.tables.formats import table_suffixes

    is_image = isinstance(schema, ImageSchema)
    suffixes = image_suffixes(schema) if isinstance(schema, ImageSchema) else table_suffixes()
    found: list[Path] = []
    problems, used = [], set()
    for word in words:
        listing = Listing(Path(word), True, frozenset(suffixes), ignore, called=word)
        with permitted(word):
            if Path(word).is_dir():
                next(Path(word).iterdir(), None)  # or it may not be opened
            files = _files_at(word, is_image=is_image) if is_url(word) else _files_of(word, listing)
        used |= {pattern for pattern, number in listing.ignored.items() if number}
        problems += [problem for problem in listing.problems() if problem.code != UNUSED_PATTERN]
        if not files:
            rule, fix = "FILE must be a file, or a folder or pattern with some", "correct the path"
            what = "images" if is_image else "tables"
            got = f"no {what} in {word}" if Path(word).is_dir() else f"nothing at {word}"
            left_out = other_files(listing.other_files)
            fix = what_to_do(listing.examples.values()) if left_out and is_image else fix
            problems.append(Problem(rule, "; ".join([got, *left_out]), fix))
        else:
            for problem in listing.findings():
                sys.stderr.write(printable(f"{word}: {problem.got}; {problem.do}") + "\n")
        found += files
    if idle := [pattern for pattern in ignore if pattern not in used]:
        rule, fix = "--ignore must name files or folders in FILE", "correct it, or leave it out"
        problems.append(Problem(rule, ", ".join(idle), fix, UNUSED_PATTERN))
    if output is not None and output.exists() and any(file.samefile(output) for file in found):
        rule, fix = "predictions must not replace what they are made from", "type another -o"
        problems.append(Problem(rule, f"-o {output}", fix))
    if problems:
        raise DataError(*problems)
    return found


def _files_at(url: str, *, is_image: bool) -> list[Path]:
    """Fetch the tables that lie at a URL."""
    from kindling.images.listing import refuse_urls
    from kindling.tables.part_files import find_parts
    from kindling.tables.remote import refuse_credentials

    if is_image:
        refuse_urls({"FILE": url})
    refuse_credentials(url, "FILE")
    return [*find_parts(url).files]


def _files_of(word: str, listing: "Listing") -> list[Path]:
    path = Path(word)
    if path.is_dir():
        return sorted(listing.scan(path).walk())
    if path.exists():
        return [path]
    try:
        matching = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
        return sorted(f for f in matching if f.is_file() and not listing.is_ignored(f))
    except ValueError:  # "a**" is no pattern
        return []


def require_package(package: str, extra: str) -> None:
    """Refuse to go on without an optional package, and name the extra that brings it."""
    if find_spec(package) is None:
        words = ("pip", "install", "-c", "constraints.txt", "-e", f".[{extra}]")
        fix = Command(*words, after="where pyproject.toml is")
        raise ConfigError(Problem(f"this needs the package {package}", "it is not installed", fix))


def require_writable(output: Path, example: str) -> None:
    """Refuse a file that cannot be written before anything slow is done.

    Args:
        output: what was typed behind -o.
        example: a file's name, for the message where it is a folder.
    """
    if output.is_dir() or not output.parent.is_dir():
        is_folder = output.is_dir()
        got = f"{output}, which is a folder" if is_folder else f"no folder {output.parent}"
        fix = (
            Command("-o", output / example) if is_folder else Command("mkdir", "-p", output.parent)
        )
        raise ConfigError(Problem("-o must name a file in a folder that is there", got, fix))


def print_json(value: Any) -> None:
    """Print plain values for another program."""
    sys.stdout.write(json_text(value))


def write_text(option: str, file: str, text: str) -> None:
    """Write a file that was asked for with an option such as --html."""
    try:
        write_atomically(Path(file), text)
    except OSError as error:
        rule = f"{option} must name a file that can be written"
        fix = "type the name of a file in a folder that is there"
        raise ConfigError(Problem(rule, f"{file} ({error.strerror})", fix)) from error
