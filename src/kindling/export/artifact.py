"""What every exported file is made of and answers with, whatever its format."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import nn

from kindling.bundle.predictor import Predictor
from kindling.export.program import Program, detached_copy
from kindling.export.sample import Sample

CHUNK = 1024  # rows at once when a file is asked


class Said(NamedTuple):
    """What an exported file says of N rows.

    Args:
        outputs: probabilities (N, K) or values (N,); what the network alone gives.
        code: int64 (N,), the class that the file names; None where it names none.
    """

    outputs: np.ndarray
    code: np.ndarray | None = None


@dataclass(frozen=True)
class Artifact:
    """An exported file that is not written yet.

    Args:
        content: its bytes.
        inputs, outputs: their names.
        ask: what does it say of these rows?
    """

    content: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ask: Callable[[Sample], Said]


def module_of(model: Predictor, *, network_only: bool) -> nn.Module:
    """Return what is exported: the network alone, or with everything that was fitted around it."""
    if network_only:
        return detached_copy(model.network)
    return Program(model.network, model.spec, model.schema, model.preprocessor).eval()
