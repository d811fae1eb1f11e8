"""Turn a network's outputs into probabilities or values in the user's own unit, and score them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from torch import Tensor

from kindling.calibration import with_temperature
from kindling.scoring import Metric, score
from kindling.types import DataSpec


@dataclass(frozen=True)
class Result:
    """Predictions of one split.

    Args:
        row: int64 (N,), each row's number in the source.
        truth: int64 class codes (N,), or float64 values in the target's unit.
        prediction: float64 probabilities (N, K), or values (N,) in the target's unit.
        scores: the full set of metrics.
        temperature: what the logits were divided by; None: by nothing.
    """

    row: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    scores: dict[str, float]
    temperature: float | None = None


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Leave the graph, then the device, then torch."""
    return tensor.detach().cpu().numpy()


def join_batches(
    spec: DataSpec,
    metrics: Iterable[Metric],
    batches: Sequence[tuple[np.ndarray, ...]],
    temperature: float | None = None,
) -> Result:
    """Join the batches (outputs, y, row) of a split and score them.

    Args:
        spec: describes the data.
        metrics: what is computed.
        batches: outputs are logits (B, K) or values (B, 1).
        temperature: from `fit_temperature`.
    """
    outputs, y, row = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    truth = read_targets(spec, y)
    prediction = read_outputs(spec, with_temperature(outputs, temperature))
    return Result(row, truth, prediction, score(metrics, truth, prediction), temperature)


def read_targets(spec: DataSpec, y: np.ndarray) -> np.ndarray:
    """Return class codes (N,) as they are, standardised values (N,) in the target's unit."""
    return in_unit(spec, y) if spec.is_regression else y


def read_outputs(spec: DataSpec, outputs: np.ndarray) -> np.ndarray:
    """Turn logits (N, K) into probabilities, or values (N, 1) into the target's unit (N,)."""
    if spec.is_regression:
        return in_unit(spec, outputs[:, 0])
    return softmax(outputs.astype(np.float64), axis=1)


def in_unit(spec: DataSpec, standardised: np.ndarray) -> np.ndarray:
    """Turn standardised values back into the target's unit, as float64."""
    values = standardised.astype(np.float64) * spec.target_scale + spec.target_mean
    return values if spec.target_transform == "none" else np.expm1(values)
