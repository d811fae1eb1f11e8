"""Data in; some of the raw rows of each stage, to look at, out."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from kindling.data.datamodule import DataModule
from kindling.keyed import key
from kindling.types import STAGES, Stage

MAX_ROWS = 200_000  # of a stage; with more, the counts in a finding are those of so many rows

Sample = Mapping[Stage, pa.Table]


def take_sample(data: DataModule) -> Sample:
    """Take raw rows of each stage; those of all files together, their common columns only."""
    return {stage: _rows_of(data, data.split[stage]) for stage in STAGES}


def _rows_of(data: DataModule, rows: np.ndarray) -> pa.Table:
    if len(rows) > MAX_ROWS:
        rng = np.random.default_rng(key(data.seed, "check"))
        rows = np.sort(rng.choice(rows, MAX_ROWS, replace=False))
    parts = [table.take(inside) for table, inside in data.raw.parts(rows) if len(inside)]
    return max(parts, key=len)  # a stage lies in one file
