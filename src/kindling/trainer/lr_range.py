"""Find a learning rate by a range test: the loss of a short training whose rate rises each step.

Smith 2017, arxiv.org/abs/1506.01186: the rate rises until the loss breaks away.
"""

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from kindling.contract import DescribedData, TriesRates
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.rng import derive_seed, seed_device
from kindling.types import Batch

FIRST, LAST, PER_DECADE = 1e-6, 10.0, 25  # rates; steps while one grows tenfold
MEMORY = 0.9  # of the smoothed loss, from step to step
BROKEN = 3.0  # times the best loss: from there on only noise would follow
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


def find_rates(data: Any, task: Any, trainer: Trainer) -> Curve:
    """Train a copy of the network for a moment; network and randomness are left as they are.

    Images are not augmented: for a few steps that makes no difference.
    """
    if not (isinstance(task, TriesRates) and isinstance(data, DescribedData)):
        rule = "lr_find=true needs a task and data that are described (kindling/contract.py)"
        ways = (Setting("lr_find", False), "use Lightning's own tuner")
        raise ConfigError(Problem(rule, f"a {type(task).__name__}", ways))
    device = trainer.strategy.root_device
    steps = round(PER_DECADE * math.log10(LAST / FIRST)) + 1
    rates, losses, smooth = np.geomspace(FIRST, LAST, steps), [], []
    with isolate_rng(include_cuda=device.type == "cuda"):
        network = copy.deepcopy(task.network).to(device)  # frozen layers stay in eval mode
        loss_of = copy.deepcopy(task.loss).to(device)
        optimizer = task.optimizer_for(network)
        own = optimizer.defaults.get("lr")  # of which each group's rate is a multiple
        factors = [group["lr"] / own if own else 1.0 for group in optimizer.param_groups]
        batches = endless(data, task.batch_size, device)
        for step, rate in enumerate(rates.tolist()):
            for group, factor in zip(optimizer.param_groups, factors, strict=True):
                group["lr"] = rate * factor
            seed_device(device, derive_seed(task.seed, "rates", step))
            optimizer.zero_grad()
            loss = 0.0
            for batch in itertools.islice(batches, task.accumulate):
                with trainer.precision_plugin.forward_context():
                    share = loss_of(network(batch.x), batch.y) / task.accumulate
                share.backward()
                loss += share.item()
            task.clip(optimizer)
            optimizer.step()
            losses.append(loss)
            smooth.append(smoothed(losses))
            if is_broken(smooth):
                break
    return Curve(rates[: len(losses)], np.array(losses), np.array(smooth))


def endless(data: Any, batch_size: int, device: torch.device) -> Iterator[Batch]:
    """Yield train batches on the device, epoch after epoch, in the order that a training has."""
    loader: Any = data.train_dataloader()
    for epoch in itertools.count():
        loader.sampler.set_epoch(epoch)
        for chunk in loader:
            moved = data.transfer_batch_to_device(chunk, device, 0)
            yield from data.on_after_batch_transfer(moved, 0).split(batch_size)


def smoothed(losses: list[float]) -> float:
    """Weigh the last losses, the older the less; the first ones of all are not favoured."""
    weights = MEMORY ** np.arange(len(losses))[::-1]
    return float(np.average(losses, weights=weights))


def is_broken(smooth: list[float]) -> bool:
    """Say whether the loss has gone and will not come back."""
    is_number = math.isfinite(smooth[-1])
    return not is_number or (len(smooth) >= START and smooth[-1] > BROKEN * min(smooth))


def write_rates(curve: Curve, given: float, run: Path) -> float:
    """Write lr_find.csv and lr_find.png, which has the given rate too; return the one to take.

    Raises:
        ConfigError: no rate made the loss fall; both files are there to look at.
    """
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


def draw_rates(curve: Curve, given: float, file: Path) -> None:
    """Draw loss against learning rate, with the rate to take and the one that is set."""
    from matplotlib.figure import Figure  # takes a while to import

    from kindling.plotting import BLUE, MUTED, ORANGE, figure_style, label_log_axis

    with figure_style():
        figure = Figure(figsize=(7, 4.2), layout="constrained")
        axes = figure.subplots()
        axes.plot(curve.rates, curve.losses, color=BLUE, alpha=0.25, linewidth=1)
        axes.plot(curve.rates, curve.smooth, color=BLUE, linewidth=2)
        axes.axvline(given, color=MUTED, linestyle=":", label=f"now set: {given:g}")
        if curve.suggestion is not None:
            label = f"suggested: {curve.suggestion:g}"
            axes.axvline(curve.suggestion, color=ORANGE, linewidth=1.6, label=label)
        finite = curve.smooth[np.isfinite(curve.smooth)]
        if len(finite):
            room = 0.15 * (finite[0] - finite.min()) or 0.1
            axes.set_ylim(finite.min() - room, finite[0] + 3 * room)  # not where it breaks away
        axes.set(xscale="log", xlabel="optimizer.lr", ylabel="train loss (thick: smoothed)")
        label_log_axis(axes.xaxis)
        axes.legend(loc="lower left")
        figure.savefig(file, dpi=130)
