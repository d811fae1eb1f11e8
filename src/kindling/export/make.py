"""A loaded model in; one file that other programs run, held against the model first, out."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from kindling.bundle.predictor import Predictor
from kindling.export.artifact import Artifact
from kindling.export.edge_rows import edge_rows
from kindling.export.parity import Agreement, compare
from kindling.export.sample import sample_of
from kindling.predictions import read_outputs

Format = Literal["onnx", "torch"]
EXAMPLE_ROWS = 7  # one row, torch would take for a size that is fixed
EDGE_ROWS = "gaps, unknown levels and extremes"
EDGE_IMAGES = "plain, sloped and noisy images"


class Rows(NamedTuple):
    """Rows that an exported file is held against the model with.

    Args:
        rows: what `Predictor.predict` takes.
        source: where they come from, in words.
    """

    rows: Any
    source: str


def export(
    model: Predictor,
    form: Format = "onnx",
    *,
    network_only: bool = False,
    rows: Sequence[Rows] = (),
) -> tuple[Artifact, list[Agreement]]:
    """Export a model, and compare what the file says with what the model says.

    Args:
        model: from `load`, on the CPU.
        form: "onnx", or "torch" for torch.export.
        network_only: leave out what stands around the network.
        rows: rows to compare on; the edge rows always are.

    Raises:
        ConfigError: something cannot be exported, or the file says something else.
    """
    if form == "onnx":
        from kindling.export.onnx_file import onnx_file as make  # onnx is optional
    else:
        from kindling.export.torch_file import torch_file as make
    edges = Rows(edge_rows(model.schema), EDGE_ROWS if model.preprocessor else EDGE_IMAGES)
    example = sample_of(model, edges.rows[:EXAMPLE_ROWS], edges.source)
    artifact = make(model, example, network_only=network_only)
    agreements = []
    for given, source in (*rows, edges):
        sample = sample_of(model, given, source)
        outputs, code = artifact.ask(sample)
        scores = read_outputs(model.spec, outputs) if network_only else outputs
        expected = read_outputs(model.spec, sample.outputs)
        agreements.append(compare(model.spec, expected, scores, code, source))
    return artifact, agreements
