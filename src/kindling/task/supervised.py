"""A network and a description of the data in; the steps that train and judge it out."""

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from kindling.errors import ConfigError, Problem
from kindling.keyed import keys, seed_device
from kindling.task.loss import Loss
from kindling.task.result import Result, join, to_numpy
from kindling.task.running import RunningMeans
from kindling.types import STAGES, Batch, DataSpec, Stage


class Task(LightningModule):
    """Trains a network on classes or values; Lightning's Trainer calls the steps.

    Args:
        network: rows in, logits (B, K) or values (B, 1) out.
        spec: describes the data.
        optimizer: makes an optimizer from parameters.
        schedule: makes a factor on the learning rate from the number of optimizer steps.
        clip_norm: largest length of the whole gradient; None never clips.
        accumulate: batches whose gradients are averaged for one optimizer step.
        class_weight: None or "balanced".
        steps_per_call: batches in a chunk, the last one of an epoch perhaps having fewer.
        batch_size: rows of a batch.
        num_batches: train batches of an epoch.
        seed: keys what is drawn while training, such as dropout.
    """

    def __init__(
        self,
        network: nn.Module,
        spec: DataSpec,
        *,
        optimizer: Callable[..., Optimizer],
        schedule: Callable[..., Callable[[int], float]],
        clip_norm: float | None,
        accumulate: int,
        class_weight: str | None,
        steps_per_call: int,
        batch_size: int,
        num_batches: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # the five lines stand in training_step
        self.network, self.spec = network, spec
        self.loss = Loss(spec, class_weight)
        self.make_optimizer, self.make_schedule = optimizer, schedule
        self.clip_norm, self.accumulate, self.seed = clip_norm, accumulate, seed
        self.steps_per_call, self.batch_size = steps_per_call, batch_size
        self.num_batches = num_batches
        self.seen: dict[Stage, list[tuple[Any, ...]]] = {stage: [] for stage in STAGES}
        self.results: dict[Stage, Result] = {}

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def on_fit_start(self) -> None:
        self.started_s = time.monotonic()

    def on_fit_end(self) -> None:
        self.fit_s = time.monotonic() - self.started_s

    def on_train_epoch_start(self) -> None:
        self.train_means = RunningMeans(self.spec, self.loss, self.device)
        trainer: Any = self.trainer  # mypy does not see all of its attributes
        self.log_every_n_steps = trainer.log_every_n_steps
        self.rates: list[tuple[int, float]] = []

    def training_step(self, chunk: Batch, batch_idx: int) -> None:
        """Learn from the batches of a chunk, one after the other; most often there are several."""
        optimizer: Any = self.optimizers()  # one, so no list of them
        schedule: Any = self.lr_schedulers()
        batches, losses, outcomes = chunk.split(self.batch_size), [], []
        first = batch_idx * self.steps_per_call
        numbers = range(first, first + len(batches))
        last = numbers[-1] if self.trainer.is_last_batch else None
        # They key what is drawn, such as dropout.
        seeds = keys(self.seed, "step", self.current_epoch, numbers=numbers)
        for number, batch, seed in zip(numbers, batches, seeds, strict=True):
            seed_device(self.device, seed)
            if number % self.accumulate == 0:
                optimizer.zero_grad()  # .grad adds up over backward calls
            outputs = self.network(batch.x)  # forward
            loss = self.loss(outputs, batch.y)
            share = loss / self.accumulate if self.accumulate > 1 else loss
            self.manual_backward(share)  # fills .grad of every parameter
            if (number + 1) % self.accumulate == 0 or number == last:
                self.clip(optimizer)
                self.note_rate(schedule)
                optimizer.step()  # moves the parameters against .grad
                schedule.step()
            losses.append(loss.detach())
            outcomes.append(outputs.detach())
        self.train_means.add(losses, outcomes, [batch.y for batch in batches])

    def clip(self, optimizer: Optimizer) -> None:
        """Shorten the gradient; Lightning's own way refuses fused optimizers in bf16-mixed."""
        if self.clip_norm is not None:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.clip_norm)

    def note_rate(self, schedule: LambdaLR) -> None:
        """Remember the learning rate of every nth step; it is logged when the epoch ends."""
        if schedule.last_epoch % self.log_every_n_steps == 0:  # its epochs are steps
            self.rates.append((schedule.last_epoch, float(schedule.get_last_lr()[0])))

    def on_train_epoch_end(self) -> None:
        self.publish(self.train_means.compute("train"))
        for logger in self.loggers:
            for step, rate in self.rates:
                logger.log_metrics({"lr": rate}, step)

    def publish(self, numbers: dict[str, float]) -> None:
        """Hand numbers to callbacks and loggers, against the last optimizer step.

        Lightning's `log` counts calls, not steps, and takes 0.6 ms (in a profiler) for each
        number, which epochs of 10 ms notice.
        """
        self.trainer.callback_metrics.update({k: torch.tensor(v) for k, v in numbers.items()})
        for logger in self.loggers:
            logger.log_metrics(numbers, self.global_step - 1)

    def evaluate(self, batch: Batch) -> Tensor:
        """Return what the network says of a batch while it is not learning."""
        self.network.eval()  # no dropout, fixed BatchNorm; Lightning sets train() again
        with torch.no_grad():  # no graph: less memory, less time
            return self.network(batch.x).float()

    def on_validation_epoch_start(self) -> None:
        self.val_means = RunningMeans(self.spec, self.loss, self.device)

    def validation_step(self, batch: Batch) -> None:
        outputs = self.evaluate(batch)
        self.val_means.add([self.loss(outputs, batch.y)], [outputs], [batch.y])

    def on_validation_epoch_end(self) -> None:
        means = self.val_means.compute("val")
        if not math.isfinite(means["val/loss"]):
            got = f"{means['val/loss']} after epoch {self.current_epoch + 1}"
            fix = "type a smaller optimizer.lr, or look for extreme values in the data"
            raise ConfigError(Problem("val/loss must stay finite", got, fix))
        self.publish(means)

    def on_test_epoch_start(self) -> None:
        self.seen = {stage: [] for stage in STAGES}

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        outputs = self.evaluate(batch)
        arrays = tuple(to_numpy(tensor) for tensor in (outputs, batch.y, batch.row))
        self.seen[STAGES[dataloader_idx]].append(arrays)

    def on_test_epoch_end(self) -> None:
        self.results = {
            stage: join(self.spec, parts) for stage, parts in self.seen.items() if parts
        }
        # Those of train and val would be stray points on the curves of the epochs.
        scores = self.results["test"].scores
        self.publish({f"test/{name}": value for name, value in scores.items()})

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.make_optimizer(self.network.parameters())
        schedule = self.make_schedule(self.num_steps())
        # A plain function: the checkpoint then holds no copy of the schedule.
        return [optimizer], [LambdaLR(optimizer, lambda step: schedule(step))]

    def num_steps(self) -> int:
        """Count the optimizer steps of the whole training."""
        most = self.trainer.estimated_stepping_batches  # also makes num_training_batches known
        # Where the Trainer limits the batches, a chunk is one batch.
        calls = int(self.trainer.num_training_batches)
        batches = min(self.num_batches, calls * self.steps_per_call)
        steps = math.ceil(batches / self.accumulate) * (self.trainer.max_epochs or 1)
        return min(steps, int(most)) if self.trainer.max_steps > 0 else steps
