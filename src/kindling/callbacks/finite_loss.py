"""Stop a training whose loss is nan or infinite, and name the rows of its batch, and the layer."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from kindling.callbacks.layer_watch import label
from kindling.contract import CountsBatches, DescribedData
from kindling.errors import ConfigError, Problem
from kindling.files import write_atomically
from kindling.fixes import Setting
from kindling.formatting import first_few, inert_table
from kindling.types import Batch

ROWS_FILE = "non_finite.csv"  # in the run's folder
ANOMALY = Setting("trainer.detect_anomaly", True, "to be told the layer, slowly")


class FiniteLoss(Callback):
    """Looks at the losses of each chunk on a CPU; on a GPU before a state is saved, which waits.

    The states that were saved before stay, since a network that has learnt from such a loss is
    never saved. With `trainer.detect_anomaly=true` the first layer is named whose output, or
    the gradient of it, is not finite.
    """

    supports_chunks = True

    def __init__(self) -> None:
        self.pending: list[tuple[Tensor, Any]] = []  # losses and the chunk's rows, not looked at
        self.num_batches = 0  # of this epoch, before these

    def on_train_start(self, trainer: Any, pl_module: LightningModule) -> None:
        self.num_batches = getattr(pl_module, "batches_done", 0)  # in an epoch that goes on
        if trainer._detect_anomaly:
            # Where the gradient is not finite in the middle of a layer, torch would stop before.
            torch.autograd.set_detect_anomaly(True, check_nan=False)
            for name, module in pl_module.named_modules():
                module.register_forward_hook(partial(refuse_output, label(name, module)))

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.pending, self.num_batches = [], 0

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *args: Any
    ) -> None:
        if isinstance(pl_module, CountsBatches) and not outputs:  # it steps the optimizer itself
            losses = pl_module.train_metrics.losses[-1]
        elif isinstance(outputs, dict) and isinstance(outputs.get("loss"), Tensor):
            losses = outputs["loss"].detach()[None]
        else:
            return
        self.pending.append((losses, batch.row if isinstance(batch, Batch) else None))
        if losses.device.type == "cpu" or trainer.is_last_batch:
            self.check(trainer)

    def check(self, trainer: Any) -> None:
        """Look at the losses since the last look.

        Raises:
            ConfigError: one of them is not finite.
        """
        pending, self.pending = self.pending, []
        for losses, rows in pending:
            if not math.isfinite(losses.sum().item()) and not losses.isfinite().all():
                bad = int(losses.isfinite().logical_not().nonzero()[0])
                size = getattr(trainer.lightning_module, "batch_size", 0)
                its = rows[bad * size : (bad + 1) * size] if rows is not None and size else None
                self.refuse(trainer, losses[bad].item(), self.num_batches + bad, its)
            self.num_batches += len(losses)

    def refuse(self, trainer: Any, loss: float, batch: int, rows: Tensor | None) -> None:
        """End the training; write the rows of the batch down."""
        got = f"{loss} at batch {batch + 1} of epoch {trainer.current_epoch + 1}"
        look = "look for extreme values in its rows"
        data = trainer.datamodule
        if rows is not None and isinstance(data, DescribedData):
            index = rows.cpu().numpy()
            names = data.raw.names[index]
            largest = [float(data.x[k].float().abs().max()) for k in index]
            columns = {"row": names, "target": data.raw.y[index], "largest_input": largest}
            table = inert_table(pd.DataFrame(columns)).to_csv(index=False)
            run = Path(trainer.default_root_dir)
            run.mkdir(parents=True, exist_ok=True)
            write_atomically(run / ROWS_FILE, table)
            got += f", which has {first_few(names)}"
            look += f", which {ROWS_FILE} in the run's folder lists"
        ways = (Setting("optimizer.lr", ..., "smaller"), look, ANOMALY)
        raise ConfigError(Problem("the loss must stay finite", got, ways))


def refuse_output(layer: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
    """Raise a ConfigError where a layer gives numbers that are not finite; watch the gradient."""
    for tensor in output if isinstance(output, tuple | list) else (output,):
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            refuse_numbers(layer, "the output", tensor.detach())
            if tensor.requires_grad:
                tensor.register_hook(partial(refuse_numbers, layer, "the gradient of the output"))


def refuse_numbers(layer: str, what: str, numbers: Tensor) -> None:
    """Raise a ConfigError if a number is not finite."""
    if not numbers.isfinite().all():
        got = f"{what} of {layer} is not, first of all layers"
        ways = ("look for log, sqrt or a division there", Setting("optimizer.lr", ..., "smaller"))
        raise ConfigError(Problem("all that a network computes must be finite", got, ways))
