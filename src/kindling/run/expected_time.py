"""Expect how long a training takes, by timing a step of it that is undone again."""

import math
import time
from typing import Any

import torch
from lightning import Trainer

from kindling.callbacks.layer_watch import untouched
from kindling.contract import DescribedData, DescribedTask
from kindling.distributed import num_own
from kindling.trainer.speed import count_operations

SHORT_S = 10.0  # a training that takes no longer is not worth the step
OPERATIONS_PER_S = 2e10  # of a slow core: what a training takes at most, before a step is timed
OF_EVALUATION = 1 / 3  # of a step: no way backward


def expect_seconds(data: Any, task: Any, trainer: Trainer) -> float | None:
    """Return the seconds of all epochs on this CPU; None on other devices, or where it is short.

    The optimizer's own part is left out, and whatever else the machine does meanwhile counts.
    """
    is_cpu = trainer.strategy.root_device.type == "cpu"
    if not (is_cpu and isinstance(data, DescribedData) and isinstance(task, DescribedTask)):
        return None
    counts = {split: len(rows) for split, rows in data.split.items()}
    rows = (trainer.max_epochs or 1) * (counts["train"] + OF_EVALUATION * counts["val"])
    if 3 * rows * count_operations(task.network, data.x) < SHORT_S * OPERATIONS_PER_S:
        return None
    size = min(data.batch_size, counts["train"])
    own = num_own(size)  # of several processes
    step_s = min(_time_step(data, task, own) for _ in range(2))  # the first one warms up
    seconds = step_s * rows / size
    return seconds if math.isfinite(seconds) and seconds > SHORT_S else None


def _time_step(data: DescribedData, task: DescribedTask, size: int) -> float:
    network, some = task.network, torch.from_numpy(data.split["train"][:size])
    x, y = data.x[some].float(), data.y[some]
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    with untouched(network, torch.device("cpu")):
        network.train()
        start = time.perf_counter()
        loss = task.loss(network(x), y)
        torch.autograd.grad(loss, learnt, allow_unused=True)
        return time.perf_counter() - start
