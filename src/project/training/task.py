"""The LightningModule: the training step with its five lines, evaluation, optimizer, scheduler."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from kindling.config.ranges import Range
from kindling.decisions import metric_to_decide_by
from kindling.distributed import all_batches
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.outputs import Result, read_splits, to_numpy
from kindling.rng import derive_seeds, seed_device
from kindling.scoring import metrics_for
from kindling.trainer.optimization import count_steps, end_of_curve, make_optimizer, make_scheduler
from kindling.trainer.several import gradient_sync, loss_divisors
from kindling.trainer.sharded import shard
from kindling.types import SPLITS, Batch, DataSpec, Split
from project.models.members import LossOfMembers
from project.training.epoch_metrics import EpochMetrics
from project.training.losses import make_loss
from project.training.metrics import METRICS


class SupervisedTask(LightningModule):
    """Trains a network on classes or values; Lightning's Trainer calls the steps.

    A subclass with a `training_step` of its own gets single batches and Lightning's automatic
    optimization, as in any tutorial, unless it says otherwise (`supports_chunks`,
    `automatic_optimization`).

    Args:
        network: rows in, logits (B, K) or values (B, 1) out; one with an attribute `by_member` is
            asked by it to give what each of its M members says while it trains: (B, M, K); one
            with `set_progress` is told how far the training is, see `tell_progress`.
        spec: describes the data.
        loss: makes the loss from the spec.
        optimizer: makes an optimizer from parameters, see `make_optimizer`.
        scheduler: makes a scheduler from an optimizer, see `make_scheduler`.
        clip_norm: largest length of the whole gradient; None never clips.
        accumulate: batches whose gradients are averaged for one optimizer step.
        class_weight: None or "balanced"; handed to the loss.
        calibrate: "temperature": probabilities are those of logits / T, T fitted on the val rows.
        threshold: None, or for which metric of the val rows to decide between two classes.
        steps_per_call: batches in a chunk, the last one of an epoch perhaps having fewer.
        batch_size: rows of a batch.
        num_batches: train batches of an epoch.
        monitor: what a ReduceLROnPlateau looks at after each validation.
        seed: of what is drawn while training, such as dropout.
    """

    supports_chunks = True  # `training_step` takes several batches as one and cuts them itself
    supports_processes = True  # losses and scores are those of all processes

    def __init__(
        self,
        network: nn.Module,
        spec: DataSpec,
        *,
        loss: Callable[..., nn.Module],
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler],
        clip_norm: Annotated[float | None, Range(0, ends="()")],
        accumulate: Annotated[int, Range(1)],
        class_weight: Literal["balanced"] | None,
        calibrate: Literal["temperature"] | None,
        threshold: str | None = None,
        steps_per_call: Annotated[int, Range(1, 1024)],
        batch_size: int,
        num_batches: int,
        monitor: str,
        seed: int,
    ) -> None:
        super().__init__()
        # Ours shows the five lines itself; one of a subclass may leave them to Lightning.
        is_ours = type(self).training_step is SupervisedTask.training_step
        self.automatic_optimization = not is_ours
        self.network, self.spec = network, spec
        self.metrics = metrics_for(METRICS, spec.problem_type)
        self.decide_by = metric_to_decide_by(self.metrics, spec, threshold)
        self.loss = make_loss(loss, spec, class_weight=class_weight)
        if is_ours and hasattr(network, "by_member"):  # each of its members learns on its own
            network.by_member = True  # type: ignore[assignment]
            self.loss = LossOfMembers(self.loss)
        self.make_optimizer, self.scheduler = optimizer, scheduler
        self.clip_norm, self.accumulate, self.seed = clip_norm, accumulate, seed
        self.batches_done = 0  # of this epoch
        self.planned_steps = self.most_steps = 0  # of all; the first counts where one is resumed
        self.steps_per_call, self.batch_size = steps_per_call, batch_size
        self.num_batches, self.monitor, self.calibrate = num_batches, monitor, calibrate
        self.seen: dict[Split, list[tuple[Any, ...]]] = {split: [] for split in SPLITS}
        self.results: dict[Split, Result] = {}

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def setup(self, stage: str) -> None:
        if self.automatic_optimization:
            self.trainer.accumulate_grad_batches = self.accumulate

    def configure_model(self) -> None:
        shard(self)  # where trainer=fsdp asks for it

    def on_train_epoch_start(self) -> None:
        self.train_metrics = EpochMetrics(self.spec, self.metrics, self.loss)
        self.batches_done = 0

    def training_step(self, chunk: Batch, batch_idx: int) -> None:
        """Learn from the batches of a chunk, one after the other; most often there are several."""
        optimizer: Any = self.optimizers()  # one, so no list of them
        scheduler: Any = self.lr_schedulers()
        batches, losses, outcomes = chunk.split(self.batch_size), [], []
        # Batches are numbered over the epoch, whatever the size of a chunk.
        numbers = range(self.batches_done, self.batches_done + len(batches))
        last = numbers[-1] if self.trainer.is_last_batch else None
        # Of what is drawn, such as dropout: the same whatever was drawn before, or elsewhere.
        seeds = derive_seeds(self.seed, "step", self.current_epoch, numbers=numbers)
        divisors = loss_divisors(self, numbers, [batch.y for batch in batches])
        for number, batch, seed, divisor in zip(numbers, batches, seeds, divisors, strict=True):
            seed_device(self.device, seed)
            if number % self.accumulate == 0:
                optimizer.zero_grad()  # .grad adds up over backward calls
                self.tell_progress(self.num_steps_done)
            outputs = self.network(batch.x)  # forward
            loss = self.loss(outputs, batch.y)
            share = loss if divisor is None else loss / divisor
            is_step = (number + 1) % self.accumulate == 0 or number == last
            with gradient_sync(self, is_step):
                self.manual_backward(share)  # fills .grad of every parameter
            if is_step:
                self.clip(optimizer)
                self.note_rate(optimizer)
                optimizer.step()  # moves the parameters against .grad
                if self.num_steps_done < self.curve_end:
                    scheduler.step()
            losses.append(loss.detach())
            outcomes.append(outputs.detach())
        # Sums once a chunk: on a small network each operation per step costs a few percent.
        self.train_metrics.add(losses, outcomes, [batch.y for batch in batches])
        self.batches_done += len(batches)
        if last is not None:
            self.end_train_epoch()

    def clip(self, optimizer: Optimizer) -> None:
        """Shorten the gradient; Lightning's own way refuses fused optimizers in bf16-mixed."""
        if self.clip_norm is not None:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.clip_norm)

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: Any, **__: Any) -> None:
        self.clip(optimizer)  # called where the optimization is automatic

    def note_rate(self, optimizer: Any) -> None:
        """Log the learning rate of every nth step."""
        trainer: Any = self.trainer  # mypy does not see all of its attributes
        if self.num_steps_done % trainer.log_every_n_steps == 0:
            rate = {"lr": float(optimizer.param_groups[0]["lr"])}
            for logger in self.loggers:
                logger.log_metrics(rate, self.num_steps_done)
        self.num_steps_done += 1

    def tell_progress(self, num_steps_done: int) -> None:
        """Tell a network that changes while it trains which share of all steps is done."""
        if self.tells_progress:
            share = min(1.0, num_steps_done / self.most_steps)  # resume= may ask for more epochs
            self.network.set_progress(share)  # type: ignore[operator]

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        if self.automatic_optimization:  # a training_step of a subclass does not tell it
            self.tell_progress(self.global_step)

    def on_train_start(self) -> None:
        self.tells_progress = hasattr(self.network, "set_progress")
        self.num_steps_done = self.global_step  # not 0 where a run is resumed

    def end_train_epoch(self) -> None:
        """Publish the numbers of the epoch before any callback's end of it."""
        self.publish(self.train_metrics.compute("train"))

    def on_train_epoch_end(self) -> None:
        if self.train_metrics.is_open:  # trainer.max_steps may end an epoch before its last batch
            self.end_train_epoch()

    def publish(self, numbers: dict[str, float]) -> None:
        """Hand numbers to callbacks and loggers, against the last optimizer step.

        Lightning's `log` counts calls, not steps, takes 0.6 ms for each number, and hands them on
        only behind the callbacks' hooks for an epoch's end: they would read those of the last one.
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
        self.val_metrics = EpochMetrics(self.spec, self.metrics, self.loss)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        outputs = self.evaluate(batch)
        self.val_metrics.add([self.loss(outputs, batch.y)], [outputs], [batch.y])
        if batch_idx + 1 == self.trainer.num_val_batches[0]:
            self.end_validation()

    def end_validation(self) -> None:
        """Publish what the validation found, before any callback's end of it."""
        numbers = self.val_metrics.compute("val")
        if not math.isfinite(numbers["val/loss"]):
            got = f"{numbers['val/loss']} after epoch {self.current_epoch + 1}"
            ways = (Setting("optimizer.lr", ..., "smaller"), "look for extreme values in the data")
            raise ConfigError(Problem("val/loss must stay finite", got, ways))
        self.publish(numbers)
        scheduler = self.lr_schedulers() if self.trainer.state.fn == "fit" else None
        if isinstance(scheduler, ReduceLROnPlateau) and not self.automatic_optimization:
            scheduler.step(self.trainer.callback_metrics[self.monitor])

    def on_test_epoch_start(self) -> None:
        self.seen = {split: [] for split in SPLITS}

    def test_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        outputs = self.evaluate(batch)
        arrays = tuple(to_numpy(tensor) for tensor in (outputs, batch.y, batch.row))
        self.seen[SPLITS[dataloader_idx]].append(arrays)

    def on_test_epoch_end(self) -> None:
        seen = {split: all_batches(own) for split, own in self.seen.items()}
        self.results = read_splits(self.spec, self.metrics, seen, self.calibrate, self.decide_by)
        # Those of train and val would be stray points on the curves of the epochs.
        scores = self.results["test"].scores
        self.publish({f"test/{name}": value for name, value in scores.items()})

    def configure_optimizers(self) -> OptimizerLRScheduler:
        sizes = count_steps(self.trainer, self.num_batches, self.accumulate)
        self.batches_per_epoch, self.most_steps = sizes[0], self.planned_steps or sizes[1]
        optimizer = self.optimizer_for(self.network)
        scheduler = self.schedule(optimizer, self.most_steps)
        self.curve_end = end_of_curve(self.scheduler, scheduler, self.most_steps)
        if not self.automatic_optimization:  # training_step and end_validation step it
            return [optimizer], [scheduler]
        interval = "step" if self.curve_end else "epoch"
        config: Any = {"scheduler": scheduler, "interval": interval, "monitor": self.monitor}
        return {"optimizer": optimizer, "lr_scheduler": config}

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        # Where the optimization is automatic; a plateau's metric comes with each validation.
        if metric is not None or self.global_step < self.curve_end:
            super().lr_scheduler_step(scheduler, metric)

    def optimizer_for(self, network: nn.Module) -> Optimizer:
        """Make the optimizer of this network, or of a copy of it."""
        return make_optimizer(self.make_optimizer, network)

    def schedule(self, optimizer: Optimizer, num_steps: int) -> LRScheduler:
        """Make the scheduler for a training of so many optimizer steps."""
        return make_scheduler(self.scheduler, optimizer, num_steps)
