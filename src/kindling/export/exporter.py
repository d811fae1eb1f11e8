"""Export a model as one file that other programs run, and check it against the model first.

A file that answers differently from `kindling predict` on any row of the check is never written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from kindling.bundle.predictor import Predictor
from kindling.errors import ConfigError, Problem
from kindling.export.artifact import Artifact, sample_of
from kindling.export.edge_rows import edge_rows, edge_table
from kindling.outputs import read_outputs
from kindling.scoring import decide, limits_of
from kindling.tables.schema import TableSchema
from kindling.types import DataSpec

TOLERANCE = 1e-5  # of a probability; of a value, in standard deviations of the target
Format = Literal["onnx", "torch"]
EXAMPLE_ROWS = 7  # one row, torch would take for a size that is fixed
EDGE_ROWS = "gaps, unknown categories and extremes"
TEXT_ROWS = "cells as text, in other spellings"
EDGE_IMAGES = "plain, sloped and noisy images"


class CheckedRows(NamedTuple):
    """Rows that an exported file is held against the model with.

    Args:
        rows: what `Predictor.predict` takes.
        source: where they come from, in words.
    """

    rows: Any
    source: str


@dataclass(frozen=True)
class Agreement:
    """How many rows were compared, and what was found.

    Args:
        source: where they come from, in words.
        num_rows: rows that were compared.
        largest: difference of a probability; of a value, in standard deviations of the target.
        num_ties: rows whose label differs because two classes are equally likely.
    """

    source: str
    num_rows: int
    largest: float
    num_ties: int = 0


def export(
    model: Predictor,
    form: Format = "onnx",
    *,
    network_only: bool = False,
    rows: Sequence[CheckedRows] = (),
) -> tuple[Artifact, list[Agreement]]:
    """Export a model, and compare what the file says with what the model says.

    Args:
        model: from `load`, on the CPU.
        form: "onnx", or "torch" for torch.export.
        network_only: leave out what stands around the network.
        rows: rows to compare on; the edge rows always are, typed and as text.

    Raises:
        ConfigError: something cannot be exported, or the file says something else.
    """
    if form == "onnx":
        from kindling.export.onnx_file import onnx_file as make  # onnx is optional
    else:
        from kindling.export.torch_file import torch_file as make
    edges = CheckedRows(
        edge_rows(model.schema, model.spec), EDGE_ROWS if model.preprocessor else EDGE_IMAGES
    )
    checked = [*rows, edges]
    if isinstance(model.schema, TableSchema):
        checked.append(CheckedRows(edge_table(model.schema, as_text=True), TEXT_ROWS))
    example = sample_of(model, edges.rows[:EXAMPLE_ROWS], edges.source)
    artifact = make(model, example, network_only=network_only)
    agreements = []
    for given, source in checked:
        sample = sample_of(model, given, source)
        outputs, code = artifact.ask(sample)
        scores = read_outputs(model.spec, outputs) if network_only else outputs
        expected = read_outputs(model.spec, sample.outputs)
        agreements.append(compare(model.spec, expected, scores, code, source, model.threshold))
    return artifact, agreements


def compare(
    spec: DataSpec,
    expected: np.ndarray,
    got: np.ndarray,
    code: np.ndarray | None,
    source: str,
    threshold: float | None = None,
) -> Agreement:
    """Hold what an exported file says against what the model says.

    Args:
        spec: describes the data.
        expected: probabilities (N, K) or values (N,) of the model.
        got: those of the exported file.
        code: int64 (N,), the class that the exported file names; None where it names none.
        source: where the N rows come from, in words.
        threshold: see `kindling.scoring.decide`.

    Raises:
        ConfigError: a difference is larger than TOLERANCE, or not a number; the row is named.
    """
    if spec.is_regression:
        differences = _difference_of_values(spec, expected, got)
    else:
        differences = np.abs(got - expected).max(axis=1)
    _refuse(~(differences <= TOLERANCE), expected, got, source)  # nan is refused as well
    largest = float(differences.max(initial=0.0))
    if code is None or spec.is_regression:
        return Agreement(source, len(expected), largest)
    # Both agree, so a label that differs must be a toss-up between two classes.
    limits, index = limits_of(threshold, spec.num_classes), np.arange(len(expected))
    decided, weighed = decide(expected, threshold), expected / limits
    behind = (weighed[index, decided] - weighed[index, code]) * limits.min()
    _refuse(behind > 2 * TOLERANCE, expected, got, source)
    num_ties = int((decided != code).sum())
    return Agreement(source, len(expected), largest, num_ties)


def _difference_of_values(spec: DataSpec, expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Compare what the network itself says: far from the mean, relative to the distance from it."""
    pair = np.stack([expected, got])
    with np.errstate(all="ignore"):  # what is not finite on one side only is refused anyway
        learnt = pair if spec.target_transform == "none" else np.log1p(pair)
        expected_z, got_z = (learnt - spec.target_mean) / spec.target_scale
        differences = np.abs(got_z - expected_z) / np.maximum(np.abs(expected_z), 1)
    return np.where(expected == got, 0.0, differences)


def _refuse(is_wrong: np.ndarray, expected: np.ndarray, got: np.ndarray, source: str) -> None:
    wrong = np.flatnonzero(is_wrong)
    if len(wrong):
        row = wrong[0]
        rule = f"an exported file must say what `kindling predict` says, within {TOLERANCE:g}"
        what = f"{_text(got[row])} instead of {_text(expected[row])} for row {row} of {source}"
        more = f" (counted from 0); {len(wrong):,} such rows in all"
        fix = "type --network-only, and look for what computes less exactly there"
        raise ConfigError(Problem(rule, what + more, fix))


def _text(numbers: Any) -> str:
    return np.array2string(np.asarray(numbers), precision=6, threshold=8, separator=", ")
