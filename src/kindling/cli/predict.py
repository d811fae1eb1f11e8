"""Predict for the rows of tables, or for images, in the order in which they come.

kindling predict latest new.csv
kindling predict runs/penguins_auto/2026-01-31_12-00-00_ab12 new.csv -o predictions.parquet
kindling predict latest photos/ more/*.png -o predictions.csv

Each row has its number (row) or its image (file), the prediction in your own labels or unit, and
prob_<class> for classes. Without -o it is printed.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.cli.dialect import add_dialect, asked_of
from kindling.errors import ConfigError, Problem

if TYPE_CHECKING:
    import pyarrow as pa

    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import Predictor
    from kindling.tables.csv_dialect import Dialect

KINDS = (".csv", ".parquet")


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling predict`."""
    parser.add_argument("run", metavar="RUN", help="run folder, bundle, latest, or a run's name")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="CSV or Parquet, or images; folders and globs too"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=".csv or .parquet")
    parser.add_argument(
        "--json", action="store_true", help="print JSON: the rows, or what was done"
    )
    add_dialect(parser)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 or mps (default cpu)")


def run(arguments: Namespace) -> None:
    """Load the model, look for the files, and predict chunk by chunk."""
    output = arguments.output
    if output is not None:
        refuse_output(output)
    from kindling.bundle.drift import Drift
    from kindling.bundle.predictor import load
    from kindling.bundle.writers import open_writer
    from kindling.cli.console import print_json
    from kindling.cli.files import find_files

    model = load(arguments.run, arguments.device)
    asked = asked_of(arguments.csv, model.schema)
    files = find_files(arguments.files, model.schema, not_this=output)
    kind = output.suffix if output else ".json" if arguments.json else ".csv"
    drift, count = Drift(model.schema, model.spec.target), 0
    with open_writer(output, kind) as write:
        for table in watched(predictions(model, files, drift, asked)):
            write(table)
            count += len(table)
    for line in drift.lines():
        sys.stderr.write(f"{line}\n")
    if output and arguments.json:
        print_json({"rows": count, "output": str(output), "drift": drift.lines()})


def refuse_output(output: Path) -> None:
    """Refuse what cannot be written, before anything slow is done."""
    if output.suffix not in KINDS:
        got, fix = f"-o {output}", f"type -o {output.stem or 'predictions'}.csv"
        raise ConfigError(Problem(f"predictions are written as {' or '.join(KINDS)}", got, fix))
    if not output.parent.is_dir():
        fix = f"type mkdir -p {output.parent}"
        raise ConfigError(Problem("-o must be in a folder that is there", f"-o {output}", fix))


def predictions(
    model: "Predictor", files: list[Path], drift: "Drift", asked: "Dialect | None" = None
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
    return predict_tables(model, files, workers, drift, asked)


def watched(tables: "Iterator[pa.Table]") -> "Iterator[pa.Table]":
    """Show on a terminal how many rows are done."""
    from tqdm import tqdm

    is_terminal = sys.stderr.isatty()
    with tqdm(unit=" rows", disable=not is_terminal, file=sys.stderr, unit_scale=True) as bar:
        for table in tables:
            yield table
            bar.update(len(table))
