"""Data and an untrained task in; the loss at rising learning rates out.

A range test (Smith 2017, arxiv.org/abs/1506.01186): one short training whose rate rises with every
step, until the loss breaks away.
"""

import copy
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.utilities.seed import isolate_rng

from kindling.rng import derive_seed, seed_device
from kindling.trainer.lr_suggestion import START, Curve
from kindling.types import Batch
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask

FIRST, LAST, PER_DECADE = 1e-6, 10.0, 25  # rates; steps while one grows tenfold
MEMORY = 0.9  # of the smoothed loss, from step to step
BROKEN = 3.0  # times the best loss: from there on only noise would follow


def find_rates(data: DataModule, task: SupervisedTask, trainer: Trainer) -> Curve:
    """Train a copy of the network for a moment; network and randomness are left as they are.

    Images are not augmented: for a few steps that makes no difference.
    """
    device = trainer.strategy.root_device
    steps = round(PER_DECADE * math.log10(LAST / FIRST)) + 1
    rates, losses, smooth = np.geomspace(FIRST, LAST, steps), [], []
    with isolate_rng(include_cuda=device.type == "cuda"):
        network = copy.deepcopy(task.network).to(device).train()
        loss_of = copy.deepcopy(task.loss).to(device)
        optimizer = task.make_optimizer(network.parameters())
        batches = endless(data, task.batch_size, device)
        for step, rate in enumerate(rates.tolist()):
            for group in optimizer.param_groups:
                group["lr"] = rate
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


def endless(data: DataModule, batch_size: int, device: torch.device) -> Iterator[Batch]:
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
