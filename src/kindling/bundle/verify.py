"""Hold a written bundle against its run: the same test rows must get the same predictions.

A network can keep more than its parameters and buffers: a plain attribute that training changes, a
count of steps, a second network. Its weights are then no longer what was tested.
"""

from typing import Any

import numpy as np
import torch
from lightning import Trainer

from kindling.bundle.bundle import Bundle
from kindling.bundle.predictor import Predictor
from kindling.contract import DescribedData, DescribedTask
from kindling.errors import DataError, Problem
from kindling.formatting import number
from kindling.outputs import read_outputs
from kindling.types import DataSpec

MOST_ROWS, MOST_ALONE = 1024, 32  # test rows that are predicted together, and one by one
# Largest difference of a probability, or of a value in standard deviations. Other numbers of rows
# at once round otherwise: by 1e-6 in float32, by 1e-3 in TF32, by 1e-2 in bfloat16.
TOLERANCE, ROUNDED_TOLERANCE = 1e-3, 5e-2
RULE = "a bundle must predict what the run has predicted"
KEEP = "keep all that training changes in parameters, or in buffers with persistent=True"
APART = "let no row's prediction depend on the other rows of its batch"


def verify_bundle(
    bundle: Bundle, data: DescribedData, task: DescribedTask, trainer: Trainer
) -> Problem | None:
    """Predict test rows with a bundle, from raw cells where those are in memory.

    Args:
        bundle: as it was read again.
        data: the data module that the run was tested on.
        task: has the predictions of the test rows.
        trainer: its device and precision are those of the test.

    Returns:
        What differs; None where the bundle is the network that was tested.
    """
    result, device = task.results["test"], trainer.strategy.root_device
    some = np.unique(np.linspace(0, len(result.row) - 1, MOST_ROWS).astype(np.int64))
    alone = np.arange(0, len(some), -(-len(some) // MOST_ALONE))
    try:
        with trainer.precision_plugin.forward_context():
            predictor = Predictor(bundle, str(device))
            x = _inputs(predictor, data, result.row[some])
            together = predictor.outputs(x)
            singly = np.concatenate([predictor.outputs(x[i : i + 1]) for i in alone])
    except DataError as error:
        return Problem(RULE, "; ".join(problem.got for problem in error.problems), KEEP)
    is_exact = trainer.precision == "32-true" and device.type == "cpu"
    tolerance = TOLERANCE if is_exact else ROUNDED_TOLERANCE
    for outputs, rows, how, fix in (
        (together, some, "together", KEEP),
        (singly, some[alone], "one by one", APART),
    ):
        apart = _difference(data.spec, read_outputs(data.spec, outputs), result.prediction[rows])
        wrong = ~(apart <= tolerance)  # so that what is no number is wrong, too
        if wrong.any():
            got = f"others for {wrong.sum()} of {len(rows)} test rows that are predicted {how}"
            most = number(float(np.nanmax(apart, initial=0.0)))
            unit = " standard deviations" if data.spec.is_regression else " in a probability"
            return Problem(RULE, f"{got}, by up to {most}{unit}", fix)
    return None


def _inputs(predictor: Predictor, data: DescribedData, rows: np.ndarray) -> np.ndarray:
    """Return what the network takes of some rows, in the order in which they are asked for."""
    if data.raw.on_disk or not isinstance(data.raw.x, tuple):
        return data.x[torch.from_numpy(rows)].numpy()
    inputs = [
        predictor.inputs(table.take(positions), file=table.file)
        for table, positions in data.raw.parts(np.sort(rows))
        if len(positions)
    ]
    return np.concatenate(inputs)[np.argsort(np.argsort(rows))]


def _difference(spec: DataSpec, found: np.ndarray, tested: np.ndarray) -> np.ndarray:
    """Return how far predictions are apart: (N,), the largest of a row's probabilities."""
    if not spec.is_regression:
        return np.abs(found - tested).max(axis=1)
    there: Any = np.log1p if spec.target_transform == "log1p" else np.positive
    found, tested = (there(values) / spec.target_scale for values in (found, tested))
    # Beyond one standard deviation float32 has fewer digits behind the point.
    return np.abs(found - tested) / np.maximum(1, np.abs(tested))
