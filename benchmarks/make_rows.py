"""Write a made-up table of any size: 20 mixed columns, of which some tell the target.

python benchmarks/make_rows.py 1_000_000 rows.csv      # or rows.parquet
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

CHUNK = 100_000
TOWNS = np.array([f"town {number}" for number in range(50)])
JOBS = np.array([f"job {number}" for number in range(400)])


def make_chunk(rng: np.random.Generator, size: int) -> pa.Table:
    """Make `size` rows: 13 numbers, two of them with gaps, 5 categories, a boolean, a date."""
    x = rng.normal(size=(size, 13))
    town, job = rng.integers(0, 50, size), rng.integers(0, 400, size)
    new = rng.random(size) < 0.3
    score = x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + 0.1 * (town % 7) + new + rng.normal(size=size)
    columns: dict[str, object] = {f"x{k}": x[:, k].round(4) for k in range(11)}
    for k in (11, 12):
        columns[f"x{k}"] = pa.array(x[:, k].round(4), mask=rng.random(size) < 0.1)
    columns |= {"town": TOWNS[town], "job": JOBS[job]}
    columns |= {f"grade{k}": np.array(list("ABCD"))[rng.integers(0, 4, size)] for k in range(3)}
    columns["new"] = new
    columns["day"] = np.datetime64("2015-01-01") + rng.integers(0, 3650, size)
    columns["label"] = np.where(score > 0.6, "yes", "no")
    return pa.table(columns)


def chunks(num_rows: int, seed: int = 0) -> Iterator[pa.Table]:
    """Make the rows chunk by chunk; memory does not grow with them."""
    rng = np.random.default_rng(seed)
    for start in range(0, num_rows, CHUNK):
        yield make_chunk(rng, min(CHUNK, num_rows - start))


def write_rows(num_rows: int, file: Path) -> None:
    """Write CSV or Parquet, by the file's ending."""
    first = make_chunk(np.random.default_rng(0), 1).schema
    parquet = file.suffix == ".parquet"
    writer = pq.ParquetWriter(file, first) if parquet else pacsv.CSVWriter(file, first)
    with writer:
        for chunk in chunks(num_rows):
            writer.write_table(chunk.cast(first))


if __name__ == "__main__":
    write_rows(int(sys.argv[1].replace("_", "")), Path(sys.argv[2]))
