"""Write a trained model as one file that other programs run.

kindling export latest -o model.onnx
kindling export runs/penguins_auto/2026-01-31_12-00-00_ab12 -o model.onnx --check new.csv
kindling export latest -o model.pt2 --format torch

onnx: the preprocessing is inside. One input for each column, by its own name, of shape (rows, 1):
float64 for numbers (NaN is missing), booleans (0 or 1) and dates (days since 1970), text for
categories ("" is missing). How a raw cell becomes these (spaces, gaps, 3.0 for 3, decimal signs,
dates) is in the file's metadata, as words, expressions and Python: columns, reading.
For images one input, pixels: uint8 (rows, channels, height, width).
The outputs are label and probabilities, or value.

torch: one tensor goes in, float64 (rows, columns) or the pixels, and probabilities or values come
out. Text goes in as its code; kindling.json in the file (extra_files of torch.export.load) lists
the codes of each column.

Before it is written, the file is asked about the run's test rows, or those behind --check, and
about rows with gaps, unknown categories and extremes: it must say what kindling predict says, to
1e-5.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.cli.input_output import (
    add_json,
    add_run,
    find_files,
    print_json,
    require_package,
    require_writable,
)
from kindling.errors import UserError

if TYPE_CHECKING:
    from kindling.bundle.predictor import Predictor
    from kindling.export.artifact import Artifact
    from kindling.export.exporter import Agreement, CheckedRows

MAX_NAMED = 6  # inputs in a line


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling export`."""
    add_run(parser)
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    parser.add_argument("--format", choices=("onnx", "torch"), default="onnx", help="default onnx")
    parser.add_argument(
        "--network-only", action="store_true", help="prepared rows in, raw outputs out"
    )
    parser.add_argument(
        "--check", nargs="+", default=[], metavar="FILE", help="compare on these rows or images"
    )
    add_json(parser)


def run(arguments: Namespace) -> None:
    """Export, compare, write, and say what was found."""
    from kindling.run.console import show_plan

    require_writable(arguments.output, "model.onnx")
    if arguments.format == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            require_package(package, "onnx")
    from kindling.bundle.predictor import load
    from kindling.export.exporter import export
    from kindling.files import write_atomically

    model = load(arguments.run)
    rows, remark = rows_to_check(arguments, model)
    artifact, agreements = export(
        model, arguments.format, network_only=arguments.network_only, rows=rows
    )
    write_atomically(arguments.output, artifact.content)
    found = describe(arguments.output, artifact, agreements) | {"remark": remark}
    print_json(found) if arguments.json else show_plan(as_lines(found))


def rows_to_check(arguments: Namespace, model: "Predictor") -> "tuple[list[CheckedRows], str]":
    """Read what was typed behind --check, or else the run's own test rows; and say why not."""
    from kindling.bundle.inputs import read_rows
    from kindling.export.exporter import CheckedRows
    from kindling.images.image_schema import ImageSchema

    if not arguments.check:
        return test_rows(arguments.run, model)
    files = find_files(arguments.check, model.schema, arguments.output)
    if isinstance(model.schema, ImageSchema):
        return [CheckedRows(files, ", ".join(arguments.check))], ""
    return [CheckedRows(read_rows(file, model.schema), str(file)) for file in files], ""


def test_rows(run: str, model: "Predictor") -> "tuple[list[CheckedRows], str]":
    """Read the rows that the run was tested on, or say why they are not at hand."""
    from kindling.cli.own_test_rows import read_own_test_rows
    from kindling.export.exporter import CheckedRows
    from kindling.runs import find_run

    try:
        rows = read_own_test_rows(find_run(run), model.spec).rows
        return [CheckedRows(rows, "the run's test set")], ""
    except UserError as error:  # a bundle that lies by itself, or a file that was moved
        reason = error.problems[0].got
        return [], f"not the run's test set ({reason}); --check FILE takes other rows"


def describe(file: Path, artifact: "Artifact", agreements: "Sequence[Agreement]") -> dict[str, Any]:
    """Return what is printed, as plain values."""
    return {
        "file": str(file),
        "bytes": len(artifact.content),
        "inputs": artifact.inputs,
        "outputs": artifact.outputs,
        "checks": [asdict(agreement) for agreement in agreements],
    }


def as_lines(found: dict[str, Any]) -> dict[str, str]:
    """Put it into words for a person."""
    from kindling.export.exporter import TOLERANCE

    names = found["inputs"]
    shown = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
    checks = found["checks"]
    largest, ties = max(c["largest"] for c in checks), sum(c["num_ties"] for c in checks)
    what = [f"{check['num_rows']:,} rows of {check['source']}" for check in checks]
    differ = f"largest difference {largest:.1e}" + (f", {ties} labels a toss-up" if ties else "")
    return {
        "file": f"{found['file']}, {found['bytes'] / 1e6:.1f} MB",
        "inputs": shown if len(names) == 1 else f"{len(names)} columns: {shown}",
        "outputs": ", ".join(found["outputs"]),
        "checked": "; ".join([*what, *filter(None, [found["remark"]])]),
        "result": f"{differ}; {TOLERANCE:g} is allowed",
    }
