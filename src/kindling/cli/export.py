"""Write a trained model as one file that other programs run.

kindling export latest -o model.onnx
kindling export runs/penguins_auto/2026-01-31_12-00-00_ab12 -o model.onnx --check new.csv
kindling export latest -o model.pt2 --format torch

onnx: the preprocessing is inside. One input for each column, by its own name, of shape (rows, 1):
float64 for numbers (NaN is missing), booleans (0 or 1) and dates (days since 1970), text for
categories ("" is missing). For images one input, pixels: uint8 (rows, channels, height, width).
The outputs are label and probabilities, or value.

torch: one tensor goes in, float64 (rows, columns) or the pixels, and probabilities or values come
out. Text goes in as its code; kindling.json in the file (extra_files of torch.export.load) lists
the codes of each column.

Before it is written, the file is asked about the run's test rows, and about rows with gaps, unknown
levels and extremes: it must say what `kindling predict` says, to 1e-5.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.errors import ConfigError, DataError, Problem

if TYPE_CHECKING:
    from kindling.serve.export.artifact import Artifact
    from kindling.serve.export.make import Rows
    from kindling.serve.export.parity import Agreement
    from kindling.serve.model import Model

MAX_NAMED = 6  # inputs in a line


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be typed behind `kindling export`."""
    parser.add_argument("run", metavar="RUN", help="run folder, bundle, latest, or a run's name")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    parser.add_argument("--format", choices=("onnx", "torch"), default="onnx", help="default onnx")
    parser.add_argument(
        "--network-only", action="store_true", help="prepared rows in, raw outputs out"
    )
    parser.add_argument(
        "--check", nargs="+", default=[], metavar="FILE", help="compare on these rows or images"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> None:
    """Export, compare, write, and say what was found."""
    from kindling.cli.console import needs, print_json
    from kindling.run.console import show_plan

    refuse_unwritable(arguments.output)
    if arguments.format == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            needs(package, "onnx")
    from kindling.serve.export.make import export
    from kindling.serve.folder import write_whole
    from kindling.serve.model import load

    model = load(arguments.run)
    rows = rows_to_check(arguments.check, model)
    artifact, agreements = export(
        model, arguments.format, network_only=arguments.network_only, rows=rows
    )
    write_whole(arguments.output, artifact.content)
    found = describe(arguments.output, artifact, agreements)
    print_json(found) if arguments.json else show_plan(as_lines(found))


def refuse_unwritable(file: Path) -> None:
    """Say before anything slow is done that a file cannot be written."""
    if file.is_dir() or not file.parent.is_dir():
        got = f"{file}, which is a folder" if file.is_dir() else f"no folder {file.parent}"
        fix = f"type -o {file / 'model.onnx'}" if file.is_dir() else f"mkdir -p {file.parent}"
        raise ConfigError(Problem("-o must name a file in a folder that is there", got, fix))


def rows_to_check(words: list[str], model: "Model") -> "list[Rows]":
    """Read the rows or the images that were typed behind --check."""
    from kindling.data.reader import read_table
    from kindling.data.schema import TableSchema
    from kindling.serve.export.make import Rows

    if isinstance(model.schema, TableSchema):
        return [Rows(read_table(word), word) for word in words]
    return [Rows(image_files(Path(word)), word) for word in words]


def image_files(path: Path) -> list[Path]:
    """Return a file, or all images in a folder and below, in the order of their names."""
    from kindling.data.decode import SUFFIXES

    if path.is_file():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not found:
        got = f"none in {path}" if path.is_dir() else f"nothing at {path}"
        raise DataError(Problem("--check must name images or a folder of them", got, "correct it"))
    return found


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
    from kindling.serve.export.parity import TOLERANCE

    names = found["inputs"]
    shown = ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")
    checks = found["checks"]
    largest, ties = max(c["largest"] for c in checks), sum(c["num_ties"] for c in checks)
    differ = f"largest difference {largest:.1e}" + (f", {ties} labels a toss-up" if ties else "")
    return {
        "file": f"{found['file']}, {found['bytes'] / 1e6:.1f} MB",
        "inputs": shown if len(names) == 1 else f"{len(names)} columns: {shown}",
        "outputs": ", ".join(found["outputs"]),
        "checked": "; ".join(
            f"{check['num_rows']:,} rows of {check['source']}" for check in checks
        ),
        "result": f"{differ}; {TOLERANCE:g} is allowed",
    }
