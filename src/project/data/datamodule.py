"""The LightningDataModule: read, split, fit, transform, then batches on the device."""

import inspect
import warnings
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from hydra.utils import get_class
from lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from kindling.config.ranges import OneOf, Processes, Range
from kindling.distributed import own_rows
from kindling.errors import DataError, Problem, gathered
from kindling.images.augmentation import Augment
from kindling.images.pixel_scaling import PixelScaler
from kindling.raw_data import RawData, Source
from kindling.trainer.several import OwnShare
from kindling.types import SPLITS, Batch, DataSpec, Split
from project.data.dataset import IndexedDataset, PositionSampler, make_loader, rows_of_block, send
from project.data.edges import find_edges
from project.data.preprocessing import TargetEncoder, choose_transform, fit_preprocessor
from project.data.splits import SplitRows, split_rows

# Rows per step, and train rows up to which they are: few rows need steps more than speed.
BATCH_SIZES = {32: 2_500, 64: 5_000, 128: 10_000, 256: 50_000}
LARGEST_BATCH = 512


def fitting_batch_size(num_rows: int) -> int:
    """Choose the rows per step by the number of train rows."""
    return next((size for size, most in BATCH_SIZES.items() if num_rows <= most), LARGEST_BATCH)


class DataModule(LightningDataModule):
    """Tables and images alike. After `setup`, `spec` describes the data.

    Args:
        source: where the raw rows come from.
        batch_size: train rows per step; "auto" takes more the more rows there are.
        eval_batch_size: rows at once where no gradient is kept; changes no result.
        val_fraction: share of the rows that choose the best epoch, in (0, 1).
        test_fraction: share of the rows that evaluate it, in (0, 1); a given test set overrules it.
        drop_last: leave out a last train batch that is not full.
        num_workers: processes that load batches; 0 is fastest for data in memory.
        seed: decides the split and the order of the train rows.
        fold: test is this one of num_folds parts, counted from 0; None splits test_fraction off.
        num_folds: parts.
        augment: "none", "light" or "strong": what train images go through in every epoch; "auto"
            is light for classes, and none for values, which may depend on where things are.
        flip: whether that may mirror them.
        on_device: whether all rows are to lie on a GPU; "auto" where they fit well.
    """

    supports_chunks = True  # `train_dataloader` hands out `batches_per_chunk` batches as one
    supports_processes = True  # each of several gets its own rows

    raw: RawData
    split: SplitRows
    spec: DataSpec
    x: Tensor
    y: Tensor
    began_s: float  # when reading them began and was done, on the clock of time.perf_counter
    ready_s: float

    def __init__(
        self,
        source: Source,
        *,
        batch_size: Literal["auto"] | Annotated[int, Range(1)],
        eval_batch_size: Annotated[int, Range(1)],
        val_fraction: Annotated[float, Range(0, 1, "()")],
        test_fraction: Annotated[float, Range(0, 1, "()")],
        drop_last: bool,
        num_workers: Annotated[int, Processes()],
        seed: Annotated[int, Range(0, 0xFFFFFFFF)],
        fold: Annotated[int | None, Range(0)] = None,
        num_folds: Annotated[int, Range(2)] = 5,
        augment: Literal["auto", "none", "light", "strong"] = "none",
        flip: bool = False,
        on_device: Annotated[
            bool | str, OneOf("auto", True, False, words="auto, true or false")
        ] = "auto",
    ) -> None:
        super().__init__()
        self.source = source
        self.asked_batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.val_fraction, self.test_fraction = val_fraction, test_fraction
        self.drop_last, self.num_workers, self.seed = drop_last, num_workers, seed
        self.fold, self.num_folds = fold, num_folds
        self.augment: Augment | None = None
        self.strength, self.flip = augment, flip
        self.findings: list[Problem] = []  # what the checks noticed; errors end the run
        self.batches_per_chunk = 1
        self.begins_at = (0, 0)  # epoch, and batch of it, where a resumed training goes on
        self.on_device = on_device
        self.placed: tuple[Tensor, Tensor] | None = None  # x and y once more, on a GPU

    @classmethod
    def from_config(cls, source: str, **keys: Any) -> "DataModule":
        """Build a data section of conf/: a source from the keys that it takes, then its module.

        Args:
            source: dotted name of a class with `missing()` and `read()`, see `Source`.
            **keys: what the class takes, and what DataModule takes.
        """
        own = set(inspect.signature(cls).parameters)
        theirs = {name: value for name, value in keys.items() if name not in own}
        loading = {name: value for name, value in keys.items() if name in own}
        return cls(get_class(source)(**theirs), **loading)

    def missing(self) -> list[Problem]:
        return self.source.missing()

    def setup(self, stage: str | None = None) -> None:
        if hasattr(self, "spec"):
            return  # Lightning calls this again for each of fit and test
        # In this order: what is fitted may see train rows only, so rows are split before.
        self.raw = self.source.read()
        self.split = split_rows(
            len(self.raw.y),
            None if self.raw.is_regression else pd.factorize(self.raw.y, sort=True)[0],
            val_fraction=self.val_fraction,
            test_fraction=self.test_fraction,
            seed=self.seed,
            given=self.raw.given,
            groups=self.raw.groups,
            times=self.raw.times,
            fold=self.fold,
            num_folds=self.num_folds,
        )
        self.spec = self._fit(self.split["train"])
        asked = self.asked_batch_size
        self.batch_size = fitting_batch_size(self.spec.num_rows) if asked == "auto" else asked

    def _fit(self, train: np.ndarray) -> DataSpec:
        """Fit on train only: nothing of val and test may leak into a mean or a scale."""
        # Columns and target are both tried, so that a user reads of all that is wrong at once.
        problems: list[Problem] = []
        with gathered(problems):
            self.schema, self.preprocessor, x = fit_preprocessor(self.raw, train, self.seed)
        with gathered(problems):
            y = self._fit_target(train, None if problems else x)
        if problems:
            raise DataError(*problems)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*not writable.*")  # nobody writes into a cache
            # from_numpy shares the memory: neither table nor images are copied.
            self.x = torch.from_numpy(x)
        self.y = torch.from_numpy(y)
        described = self.target.describe() | self.preprocessor.describe()
        spec = DataSpec(**described, num_rows=len(train))
        if spec.image_shape is None:
            return replace(spec, edges=find_edges(x, train, spec.num_numbers))
        self.pixel_scaler = PixelScaler(spec.pixel_mean, spec.pixel_scale)
        fitting = "none" if spec.is_regression else "light"
        strength = fitting if self.strength == "auto" else self.strength
        if strength != "none":
            self.augment = Augment(strength, flip=self.flip, seed=self.seed)
        return spec

    def _fit_target(self, train: np.ndarray, x: np.ndarray | None) -> np.ndarray:
        """Return the target of all rows as it is learnt; x is None where it could not be read."""
        raw, transform = self.raw, self.raw.target_transform
        if transform == "auto":
            transform = "none"
            if raw.is_regression and x is not None and x.ndim == 2:
                transform = choose_transform(x, raw.y, self.split)
        self.target = TargetEncoder(raw.target, raw.is_regression, transform).fit(raw.y[train])
        return self.target.transform(raw.y)

    def place(self, device: torch.device) -> None:
        """Put all rows on the device, so that batches are cut there."""
        self.placed = self.x.to(device), self.y.to(device)

    def dataset(self, rows: np.ndarray) -> IndexedDataset:
        x, y = self.placed or (self.x, self.y)
        return IndexedDataset(x, y, torch.from_numpy(rows).to(x.device))

    def train_dataloader(self) -> DataLoader[Batch]:
        dataset = self.dataset(self.split["train"])
        sampler = PositionSampler(
            len(dataset),
            self.batch_size,
            shuffle_seed=self.seed,
            drop_last=self.drop_last,
            batches_per_chunk=self.batches_per_chunk,
            begins_at=self.begins_at,
            block_rows=rows_of_block(self.x) if self.raw.on_disk else None,
            device=dataset.x.device,
        )
        return self._loader(dataset, OwnShare(sampler, self.batch_size))

    def eval_dataloader(self, split: Split) -> DataLoader[Batch]:
        """All rows of a split in the order of the source, or one process's share of them."""
        dataset = self.dataset(own_rows(self.split[split]))
        sampler = PositionSampler(
            len(dataset), self.eval_batch_size, shuffle_seed=None, device=dataset.x.device
        )
        return self._loader(dataset, sampler)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.eval_dataloader("val")

    def test_dataloader(self) -> list[DataLoader[Batch]]:
        """Every split, so that the best weights are evaluated on all of them in one pass."""
        return [self.eval_dataloader(split) for split in SPLITS]

    def _loader(self, dataset: IndexedDataset, sampler: Sampler[Tensor]) -> DataLoader[Batch]:
        to_cuda = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        pin_memory = to_cuda and self.placed is None
        return make_loader(dataset, sampler, num_workers=self.num_workers, pin_memory=pin_memory)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        return Batch(*(send(tensor, device) for tensor in batch))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        if self.spec.image_shape is None:
            return batch
        # Augment the raw pixels, then standardise: the statistics are those of raw pixels.
        if self.augment is not None and self.trainer is not None and self.trainer.training:
            x = self.augment(batch.x, batch.row, self.trainer.current_epoch)
            batch = batch._replace(x=x)
        return batch._replace(x=self.pixel_scaler.to(batch.x.device)(batch.x))
