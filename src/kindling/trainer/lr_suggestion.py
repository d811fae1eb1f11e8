"""The curve of a range test in; a learning rate to take, a table and a picture out."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from kindling.errors import ConfigError, Problem

START = 10  # steps, at rates that move nothing yet: the loss that they have is where it starts
MIN_FALL = 0.02  # share of it that the loss must lose somewhere


@dataclass(frozen=True)
class Curve:
    """What each step had: its rate, the loss before it, and that loss smoothed."""

    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray

    @property
    def suggestion(self) -> float | None:
        """A rate that learns fast and is stable, in two digits; None if no rate has learnt.

        It lies half-way, counted in powers of ten, between the rate where half of the fall is
        done and the one where the loss is lowest, at the edge of breaking away.
        """
        smooth = np.where(np.isfinite(self.smooth), self.smooth, np.inf)
        start, best = smooth[:START].mean(), smooth.argmin()
        if best < START or smooth[best] > (1 - MIN_FALL) * start:
            return None
        half = (smooth <= (start + smooth[best]) / 2).argmax()
        return float(f"{math.sqrt(self.rates[half] * self.rates[best]):.2g}")


def write_rates(curve: Curve, given: float, run: Path) -> float:
    """Write lr_find.csv and lr_find.png, which has the given rate too; return the one to take.

    Raises:
        ConfigError: no rate made the loss fall; both files are there to look at.
    """
    from kindling.callbacks.picture import draw_rates  # matplotlib takes a while to import

    run.mkdir(parents=True, exist_ok=True)
    columns = {"lr": curve.rates, "loss": curve.losses, "smooth": curve.smooth}
    pd.DataFrame(columns).to_csv(run / "lr_find.csv", index=False)
    draw_rates(curve, given, run / "lr_find.png")
    if curve.suggestion is None:
        rule = "some learning rate must make the loss fall"
        got = f"{curve.smooth[0]:.3g} at first and {np.fmin.reduce(curve.smooth):.3g} at best"
        fix = f"look at {run / 'lr_find.png'}, and for what could be learnt from the data"
        raise ConfigError(Problem(rule, got, fix))
    return curve.suggestion
