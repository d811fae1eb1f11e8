"""Predict for the rows of tables, or for images, in the order in which they come.

kindling predict latest new.csv
kindling predict runs/penguins_auto/2026-01-31_12-00-00_ab12 new.csv -o predictions.parquet
kindling predict latest photos/ more/*.png -o predictions.csv
kindling predict latest new.csv --keep id --keep name

Each row has its number (row) or its image (file), the columns that are kept, the prediction in your
own labels or unit, and prob_<class> for classes. Without -o it is printed.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.cli.input_output import (
    CSV_OPTIONS,
    IGNORE_OPTIONS,
    add_csv_dialect,
    add_device,
    add_ignore,
    add_json,
    add_run,
    csv_dialect,
    find_files,
    print_json,
    require_writable,
    tell_of_lines,
)
from kindling.errors import ConfigError, Problem
from kindling.fixes import Command
from kindling.formatting import first_few, inert, printable, shown

if TYPE_CHECKING:
    import pyarrow as pa

    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import Predictor
    from kindling.tables.csv_dialect import Dialect

SUFFIXES = (".csv", ".parquet")
OPTIONS = CSV_OPTIONS | IGNORE_OPTIONS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling predict`."""
    add_run(parser)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="CSV or Parquet, or images; folders and globs too"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=".csv or .parquet")
    words = "a column of the files to write beside the predictions, such as an id"
    parser.add_argument("--keep", action="append", default=[], metavar="COLUMN", help=words)
    add_json(parser, ": the rows, or what was done")
    add_csv_dialect(parser)
    add_ignore(parser)
    add_device(parser)


def run(arguments: Namespace) -> None:
    """Load the model, look for the files, and predict chunk by chunk."""
    output = arguments.output
    if output is not None:
        if output.suffix not in SUFFIXES:
            rule = f"predictions are written as {' or '.join(SUFFIXES)}"
            fix = Command("-o", f"{output.stem or 'predictions'}.csv")
            raise ConfigError(Problem(rule, f"-o {output}", fix))
        require_writable(output, "predictions.csv")
    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import load
    from kindling.bundle.streaming import with_class_names
    from kindling.bundle.writers import open_writer
    from kindling.tables.schema import TableSchema

    model = load(arguments.run, arguments.device)
    asked, keep = csv_dialect(arguments.csv, model.schema), list(dict.fromkeys(arguments.keep))
    refuse_unfit(keep, model)
    files = find_files(arguments.files, model.schema, output, arguments.ignore)
    if isinstance(model.schema, TableSchema):
        tell_of_lines(files, model.schema, asked)
    suffix = output.suffix if output else ".json" if arguments.json else ".csv"
    drift, count = Drift(model.schema, model.spec.target), 0
    altered = {name for name in model.spec.classes if inert(name) != name}
    with open_writer(output, suffix) as write:
        for table in with_progress(predictions(model, files, drift, asked, keep)):
            write(with_class_names(table, model) if suffix == ".csv" else table)
            count += len(table)
            altered |= run_by_a_spreadsheet(table.select(keep))
    if altered and suffix == ".csv":
        names = first_few(map(shown, sorted(altered)))
        sys.stderr.write(f"in CSV a ' stands before {names}: a spreadsheet would run it\n")
    for line in drift.shown():
        sys.stderr.write(f"{printable(line)}\n")
    if output and arguments.json:
        print_json({"rows": count, "output": str(output), "drift": drift.lines()})


def refuse_unfit(keep: list[str], model: "Predictor") -> None:
    """Refuse columns to keep of images, which have none, and names that predictions have anyway."""
    from kindling.images.image_schema import ImageSchema

    if keep and isinstance(model.schema, ImageSchema):
        got = f"--keep {keep[0]}, and images: their names are in the column file"
        raise ConfigError(Problem("--keep is for columns of tables", got, "leave --keep out"))
    own = {"file", "row", "prediction", *(f"prob_{name}" for name in model.spec.classes)}
    for name in keep:
        if name in own:
            rule = "a column to keep must not be called as one of the predictions"
            raise ConfigError(Problem(rule, f"--keep {name}", "rename it in the file"))


def run_by_a_spreadsheet(table: "pa.Table") -> set[str]:
    """Return the texts that CSV has a ' before; see `inert`."""
    texts = {cell for column in table.columns for cell in column.unique().to_pylist()}
    return {text for text in texts if isinstance(text, str) and inert(text) != text}


def predictions(
    model: "Predictor",
    files: list[Path],
    drift: "Drift",
    asked: "Dialect | None" = None,
    keep: Sequence[str] = (),
) -> "Iterator[pa.Table]":
    """Predict with as many threads as the machine gives; each computes alone."""
    import torch

    from kindling.bundle.streaming import predict_images, predict_tables
    from kindling.images.image_schema import ImageSchema

    # Two threads on one small product wait for each other longer than they compute.
    workers = torch.get_num_threads()
    torch.set_num_threads(1)
    if isinstance(model.schema, ImageSchema):
        return predict_images(model, files, workers)
    return predict_tables(model, files, workers, drift, asked, keep)


def with_progress(tables: "Iterator[pa.Table]") -> "Iterator[pa.Table]":
    """Show on a terminal how many rows are done."""
    from tqdm import tqdm

    is_terminal = sys.stderr.isatty()
    with tqdm(unit=" rows", disable=not is_terminal, file=sys.stderr, unit_scale=True) as bar:
        for table in tables:
            yield table
            bar.update(len(table))
