"""Data in; some of the raw rows of each stage, to look at, out."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from kindling.data.datamodule import DataModule
from kindling.keyed import key
from kindling.types import STAGES, Stage

# With more, the counts in a finding are those of so many rows.
MAX_ROWS = 100_000  # of train
MAX_OTHER_ROWS = 50_000  # of val, and of test

Sample = Mapping[Stage, pa.Table]


def take_sample(data: DataModule) -> Sample:
    """Take raw rows of each stage; those of all files together, their common columns only."""
    return {stage: _rows_of(data, stage) for stage in STAGES}


def _rows_of(data: DataModule, stage: Stage) -> pa.Table:
    rows, most = data.split[stage], MAX_ROWS if stage == "train" else MAX_OTHER_ROWS
    if len(rows) > most:
        rng = np.random.default_rng(key(data.seed, "check"))
        rows = np.sort(rng.choice(rows, most, replace=False))
    parts = [table.take(inside) for table, inside in data.raw.parts(rows) if len(inside)]
    return max(parts, key=len)  # a stage lies in one file
