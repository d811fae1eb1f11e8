"""Kindling: from a raw table or a folder of images to a trained, tested network.

from kindling import load; load("runs/...").predict(table)
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindling.bundle.predictor import Predictor

__version__ = "0.1.0"

# When the process began, on the clock of time.perf_counter: so far Python has worked and waited
# for nothing, so its CPU time is the time that went by.
BEGAN_S = time.perf_counter() - time.process_time()


def load(run: str | Path, device: str = "cpu") -> "Predictor":
    """Load what a run has learnt, ready to predict.

    Args:
        run: a run folder, its bundle, `latest`, or a run's short name.
        device: cpu, cuda, cuda:1 or mps; where it was trained does not matter.

    Returns:
        The model: `predict(rows)` and `predict_proba(rows)`, see `kindling.bundle.predictor.Predictor`.

    Raises:
        ConfigError: there is no such run, or no such device.
        DataError: the bundle is damaged, or is not what Kindling writes.
    """
    from kindling.bundle import predictor  # late: torch takes seconds to import

    return predictor.load(run, device)
