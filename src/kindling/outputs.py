"""Turn a network's outputs into probabilities or values in the user's own unit, and score them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import softmax
from torch import Tensor

from kindling.calibration import fit_temperature, with_temperature
from kindling.decisions import fit_threshold
from kindling.scoring import Metric, decide, score
from kindling.types import DataSpec, Split


@dataclass(frozen=True)
class Result:
    """Predictions of one split.

    Args:
        row: int64 (N,), each row's number in the source.
        truth: int64 class codes (N,), or float64 values in the target's unit.
        prediction: float64 probabilities (N, K), or values (N,) in the target's unit.
        scores: the full set of metrics.
        temperature: what the logits were divided by; None: by nothing.
        threshold: see `kindling.scoring.decide`; None: the most likely class.
    """

    row: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    scores: dict[str, float]
    temperature: float | None = None
    threshold: float | None = None

    @property
    def code(self) -> np.ndarray:
        """int64 (N,): the class that is decided for."""
        return decide(self.prediction, self.threshold)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Leave the graph, then the device, then torch."""
    return tensor.detach().cpu().numpy()


def read_splits(
    spec: DataSpec,
    metrics: Sequence[Metric],
    seen: Mapping[Split, Sequence[tuple[np.ndarray, ...]]],
    calibrate: Literal["temperature"] | None = None,
    decide_by: Metric | None = None,
) -> dict[Split, Result]:
    """Join the batches of each split and score them.

    Args:
        spec: describes the data.
        metrics: what is computed.
        seen: batches (outputs, y, row) of each split; outputs are logits (B, K) or values (B, 1).
        calibrate: "temperature": one is fitted on val.
        decide_by: the metric for which a threshold is fitted on val, behind the temperature.
    """
    temperature = fit_temperature(spec, seen["val"]) if calibrate == "temperature" else None
    results = {
        split: join_batches(spec, metrics, batches, temperature)
        for split, batches in seen.items()
        if batches
    }
    if decide_by is None or "val" not in results:
        return results
    threshold = fit_threshold(decide_by, results["val"].truth, results["val"].prediction)
    return {split: with_threshold(each, metrics, threshold) for split, each in results.items()}


def join_batches(
    spec: DataSpec,
    metrics: Iterable[Metric],
    batches: Sequence[tuple[np.ndarray, ...]],
    temperature: float | None = None,
) -> Result:
    """Join the batches (outputs, y, row) of a split and score them; see `read_splits`."""
    outputs, y, row = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    truth = read_targets(spec, y)
    prediction = read_outputs(spec, with_temperature(outputs, temperature))
    return Result(row, truth, prediction, score(metrics, truth, prediction), temperature)


def with_threshold(result: Result, metrics: Iterable[Metric], threshold: float | None) -> Result:
    """Decide, and score, by another threshold."""
    scores = score(metrics, result.truth, result.prediction, threshold)
    return replace(result, scores=scores, threshold=threshold)


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
