"""Preprocessing beside the plain calls of scikit-learn, and the whole way from CSV and Parquet.

python benchmarks/preprocess.py                     # 1,000,000 rows, 20 mixed columns: two minutes
python benchmarks/preprocess.py --rows 100000 --repeats 7

One process and one thread, taking turns; medians. Both sides get the same typed DataFrame (19
numbers, with the parts of a date and the marks of gaps; a boolean; 5 categories) and give float32.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
from make_rows import write_rows
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from kindling.tables.formats import read_table
from kindling.tables.inference import infer_schema
from kindling.tables.preprocessor import MOST_TO_FIT, TablePreprocessor
from kindling.tables.schema import TableSchema
from project.data.preprocessing import make_transformer

BOOLEAN, TARGET = "new", "label"


def main() -> None:
    """Write the rows, time both sides, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    with TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("rows.csv", "rows.parquet")]
        for file in files:
            write_rows(arguments.rows, file)
        schema, typed = typed_rows(files[1])
        some = typed[:MOST_TO_FIT].copy()
        ways: dict[str, Callable[[], object]] = {
            "scikit-learn: fit_transform": lambda: plain(typed),
            "the same, but means for gaps": lambda: plain(typed, "mean"),
            "Kindling: fit and transform": lambda: ours(typed, typed, schema),
            "as in a training: fit on some": lambda: ours(some, typed, schema),
        }
        ways |= {f"the whole way from {f.name}": lambda f=f: whole_way(f) for f in files}
        seconds = take_turns(ways, arguments.repeats)
    show(seconds, arguments.rows)


def typed_rows(file: Path) -> tuple[TableSchema, pd.DataFrame]:
    """Read a file as training does: raw columns, what they are, and their values."""
    table = read_table(file).drop_columns([TARGET])
    schema = infer_schema(table)
    return schema, schema.cast(table, file.name)


def plain(typed: pd.DataFrame, gaps: str = "median") -> np.ndarray:
    """Do it as one would in a script."""
    categories = typed.select_dtypes(["object", "string"]).columns
    numbers = typed.columns.difference([*categories, BOOLEAN])
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    transformer = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy=gaps), StandardScaler()), numbers),
        (SimpleImputer(strategy="most_frequent"), [BOOLEAN]),
        (encoder, categories),
    )
    return transformer.fit_transform(typed).astype(np.float32)


def ours(train: pd.DataFrame, typed: pd.DataFrame, schema: TableSchema) -> np.ndarray:
    """Do it as Kindling does."""
    return TablePreprocessor(make_transformer).fit(train, schema).transform(typed)


def whole_way(file: Path) -> np.ndarray:
    """Read, infer, type, fit and transform."""
    schema, typed = typed_rows(file)
    return ours(typed, typed, schema)


def take_turns(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Time each way once in every round, in another order: what one leaves costs the next."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    rng = np.random.default_rng(0)
    for _ in range(repeats):
        for name in rng.permutation(list(ways)):
            start = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def show(seconds: dict[str, list[float]], rows: int) -> None:
    """Print medians, and how often the first goes into each."""
    first, *_ = (statistics.median(times) for times in seconds.values())
    print(f"| {rows:,} rows, 20 columns | median | us a row | of scikit-learn's |")
    print("|---|---|---|---|")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"| {name} | {median:.2f} s | {1e6 * median / rows:.2f} | {median / first:.2f} |")


if __name__ == "__main__":
    main()
