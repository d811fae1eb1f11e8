"""What a project's data module and task may declare, and what the toolkit does for those that do.

Any LightningDataModule and LightningModule train, are tested and resume. What needs more asks for
one of these; where it is not there, it is left out, and said to be. Examples: docs/extend.md.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from kindling.errors import Problem
from kindling.outputs import Result
from kindling.raw_data import RawData
from kindling.scoring import Metric
from kindling.types import DataSpec, Split


class OfProtocol(type(Protocol)):  # type: ignore[misc]
    """Lets `isinstance` ask by `hasattr`: Python 3.12 and later see no layer of a module."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if not cls.__dict__.get("_is_protocol"):
            return super().__instancecheck__(instance)
        methods = {name for name, value in vars(cls).items() if inspect.isfunction(value)}
        names = {*cls.__annotations__, *(name for name in methods if name[0] != "_")}
        return all(hasattr(instance, name) for name in names)


@runtime_checkable
class ReadsFiles(Protocol):
    """A data module that can say, before it reads anything, which files are not there.

    It is set up before the network is built, so that the network can be made for its data.
    """

    def missing(self) -> list[Problem]:
        """List files that are not there, without reading any."""


@runtime_checkable
class DescribedData(Protocol):
    """A data module, once it is set up, for networks, checks, baselines, report and bundle.

    Args:
        raw: all rows as they were read.
        split: int64 row numbers of each split; disjoint, together all rows.
        spec: describes the tensors; schema: the user's columns or images.
        preprocessor: what was fitted on the train rows; a bundle keeps that of a table.
        x, y: inputs (N, ...) and targets (N,) of all rows, before they are moved to a device.
        findings: what the checks noticed.
    """

    raw: RawData
    split: Mapping[Split, np.ndarray]
    spec: DataSpec
    schema: Any
    preprocessor: Any
    x: Tensor
    y: Tensor
    batch_size: int
    eval_batch_size: int
    seed: int
    findings: list[Problem]


@runtime_checkable
class PlacesRows(Protocol):
    """A data module that can lay all of its rows on a GPU; `on_device` is true, false or "auto"."""

    on_device: bool | str
    num_workers: int

    def place(self, device: torch.device) -> None:
        """Put all rows on the device, so that batches are cut there."""


@runtime_checkable
class TakesChunks(Protocol):
    """A task whose `training_step` takes several batches as one chunk, see `takes_chunks`.

    Args:
        supports_chunks: True where it does.
        steps_per_call: batches in a chunk at most; the toolkit lowers it, and gives the data module
            the same number as `batches_per_chunk`.
    """

    supports_chunks: bool
    steps_per_call: int


@runtime_checkable
class StartsMidEpoch(Protocol):
    """A data module that can leave out the first batches of an epoch, for a run that goes on.

    Args:
        begins_at: the epoch that `train_dataloader` begins with, and how many of its batches are
            left out; the toolkit sets both. The loader's length stays that of a whole epoch.
    """

    begins_at: tuple[int, int]


@runtime_checkable
class CountsBatches(Protocol, metaclass=OfProtocol):
    """A task that a run can go on with in the middle of an epoch.

    Args:
        batches_done: of this epoch.
        train_metrics: what is counted in an epoch, with `state_dict` and `load_state_dict`;
            `on_train_epoch_start` makes a new one.
        accumulate: batches of an optimizer step.
        steps_per_call: batches in a chunk at most.
    """

    batches_done: int
    train_metrics: Any
    accumulate: int
    steps_per_call: int


@runtime_checkable
class PlansSteps(Protocol):
    """A task whose schedule stays that of its first plan, whatever epochs a run is resumed with.

    Args:
        planned_steps: optimizer steps of the training that a resumed run began as; the toolkit
            sets it before `configure_optimizers`. 0: no run is resumed.
        most_steps: those that the schedule was made for.
    """

    planned_steps: int
    most_steps: int


@runtime_checkable
class DescribedTask(Protocol, metaclass=OfProtocol):
    """A LightningModule for the pre-flight check, the report and the bundle.

    Args:
        network: rows in, logits (B, K) or values (B, 1) out; while training (B, M, K) or (B, M, 1)
            of its `num_members`, where its attribute `by_member` is true.
        loss: of outputs and targets (B,): one number.
        spec: describes the data.
        metrics: of its problem type, the primary one first.
        results: after the test: predictions and scores of train, val and test.
    """

    network: nn.Module
    loss: nn.Module
    spec: DataSpec
    metrics: tuple[Metric, ...]
    results: dict[Split, Result]


@runtime_checkable
class GroupsParameters(Protocol):
    """A network whose parameters learn at several rates."""

    def parameter_groups(self) -> Sequence[Mapping[str, Any]]:
        """Return groups, those with most parameters first: the first one's rate is logged.

        Each has "params", and may have "lr" and "weight_decay": factors of the optimizer's own.
        """


@runtime_checkable
class FollowsProgress(Protocol):
    """A network that changes while it trains, such as by a dropout that falls."""

    def set_progress(self, share: float) -> None:
        """Take in which share of all optimizer steps is done, in [0, 1), before each of them.

        Fill a buffer with it (`self.share.fill_(share)`): a number would be compiled in.
        """


@runtime_checkable
class TriesRates(Protocol, metaclass=OfProtocol):
    """A task whose optimizer and scheduler can be made before the training, to try them."""

    network: nn.Module
    loss: nn.Module
    accumulate: int
    batch_size: int
    seed: int

    def optimizer_for(self, network: nn.Module) -> Optimizer:
        """Make the optimizer of the network, or of a copy; its default lr is what is tried."""

    def schedule(self, optimizer: Optimizer, num_steps: int) -> LRScheduler:
        """Make the scheduler for a training of so many optimizer steps."""

    def clip(self, optimizer: Optimizer) -> None:
        """Shorten the gradient, where that is asked for."""


TASK_HOOKS = ("training_step", "on_train_batch_start", "on_train_batch_end")
DATA_HOOKS = ("train_dataloader", "on_before_batch_transfer", "on_after_batch_transfer")
CALLBACK_HOOKS = ("on_train_batch_start", "on_train_batch_end")


# What a data module that `supports_processes` does for several: it hands each its own rows, by
# `OwnShare` and `own_rows`. A task's scores are those of all.
DATA_SPLIT_HOOKS = ("train_dataloader", "val_dataloader", "test_dataloader")
TASK_SCORE_HOOKS = ("validation_step", "test_step", "on_test_epoch_end")


def takes_chunks(part: object, hooks: tuple[str, ...]) -> bool:
    """Say whether a part has declared, by `supports_chunks = True`, that batches may come together.

    Args:
        part: a task, a data module or a callback.
        hooks: its methods that are handed batches, or make them.
    """
    return declares("supports_chunks", part, hooks)


def declares(flag: str, part: object, hooks: tuple[str, ...]) -> bool:
    """Say whether a part has set a flag for these hooks.

    A subclass with a hook of its own does not inherit what was declared for the old one: the
    `training_step` of a tutorial gets single batches, though the task that it extends takes chunks.
    """
    classes = type(part).__mro__
    flagged = next((cls for cls in classes if flag in vars(cls)), None)
    owners = [next((cls for cls in classes if hook in vars(cls)), object) for hook in hooks]
    return (
        flagged is not None
        and bool(getattr(part, flag, False))
        and all(issubclass(flagged, owner) for owner in owners)
    )
