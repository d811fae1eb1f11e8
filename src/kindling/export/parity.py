"""What an exported file says of rows beside what the model says; refused where they differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kindling.errors import ConfigError, Problem
from kindling.types import DataSpec

TOLERANCE = 1e-5  # of a probability; of a value, in standard deviations of the target


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


def compare(
    spec: DataSpec, expected: np.ndarray, got: np.ndarray, code: np.ndarray | None, source: str
) -> Agreement:
    """Hold what an exported file says against what the model says.

    Args:
        spec: describes the data.
        expected: probabilities (N, K) or values (N,) of the model.
        got: those of the exported file.
        code: int64 (N,), the class that the exported file names; None where it names none.
        source: where the N rows come from, in words.

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
    index = np.arange(len(expected))
    behind = expected.max(axis=1) - expected[index, code]
    _refuse(behind > 2 * TOLERANCE, expected, got, source)
    num_ties = int((expected.argmax(axis=1) != code).sum())
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
