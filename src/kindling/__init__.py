"""Kindling: from a raw table or a folder of images to a trained, tested network.

In a notebook or a script:

    import sys
    sys.path.insert(0, "path/of/the/clone")  # unless it lies beside train.py

    import kindling
    from train import train

    cfg = kindling.compose("data=digits", "model.width=64")  # as typed behind python train.py
    cfg.trainer.max_epochs = 3  # checked when train begins
    train(cfg)  # returns the best val/loss
    model = kindling.load(cfg.run_dir)  # model.predict(rows)
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.version import __version__ as __version__

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from kindling.bundle.predictor import Predictor

# When the process began, on the clock of time.perf_counter: so far Python has worked and waited
# for nothing, so its CPU time is the time that went by.
BEGAN_S = time.perf_counter() - time.process_time()


def compose(*overrides: str, conf: str | Path | None = None) -> "DictConfig":
    """Compose the configuration of a run, for `train(cfg)` of train.py.

    Args:
        overrides: as they are typed behind `python train.py`, such as "model.width=64".
        conf: the folder of the YAML files; None takes the one beside train.py in the working
            directory, above it, or on sys.path.

    Returns:
        A configuration that may be edited (`cfg.seed = 1`); `train` checks it again.

    Raises:
        ConfigError: lists everything that is wrong with the overrides.
    """
    from kindling.config import notebook  # late: half a second for hydra

    return notebook.compose_checked(list(overrides), conf)


def load(run: str | Path, device: str = "cpu") -> "Predictor":
    """Load what a run has learnt, ready to predict.

    Args:
        run: a run folder, its bundle, `latest`, or a run's short name.
        device: cpu, cuda, cuda:1 or mps; where it was trained does not matter.

    Returns:
        The model: `predict(rows)` and `predict_proba(rows)`, see kindling.bundle.predictor.

    Raises:
        ConfigError: there is no such run, or no such device.
        DataError: the bundle is damaged, or is not what Kindling writes.
    """
    from kindling.bundle import predictor  # late: torch takes seconds to import

    return predictor.load(run, device)
