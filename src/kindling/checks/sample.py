"""Data in; some of the raw rows of each stage, to look at, out."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from kindling.rng import derive_seed
from kindling.types import SPLITS, Split
from project.data.datamodule import DataModule

# With more, the counts in a finding are those of so many rows.
MAX_ROWS = 100_000  # of train
MAX_OTHER_ROWS = 50_000  # of val, and of test


class Rows(NamedTuple):
    """N raw rows of one stage.

    Args:
        cells: as they were read.
        numbers: int64 (N,), the number of each in its file, counted from 0.
    """

    cells: pa.Table
    numbers: np.ndarray


Sample = Mapping[Split, Rows]


def take_sample(data: DataModule) -> Sample:
    """Take raw rows of each stage."""
    return {stage: _rows_of(data, stage) for stage in SPLITS}


def _rows_of(data: DataModule, stage: Split) -> Rows:
    rows, most = data.split[stage], MAX_ROWS if stage == "train" else MAX_OTHER_ROWS
    if len(rows) > most:
        rng = np.random.default_rng(derive_seed(data.seed, "check"))
        rows = np.sort(rng.choice(rows, most, replace=False))
    # A stage lies in one file.
    table, inside = max(data.raw.parts(rows), key=lambda part: len(part[1]))
    return Rows(table.take(inside), table.rows[inside])
