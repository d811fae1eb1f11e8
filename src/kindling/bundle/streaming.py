"""Predict for files of any size, chunk by chunk with several threads, in the order of the input."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindling.bundle.drift import Drift
from kindling.bundle.inputs import open_rows
from kindling.bundle.predictor import Predictor
from kindling.errors import DataError, Problem
from kindling.fixes import Command
from kindling.formatting import first_few
from kindling.scoring import decide
from kindling.tables.csv_dialect import Dialect
from kindling.tables.schema import TableSchema

Item = TypeVar("Item")
Result = TypeVar("Result")
IMAGES = 256  # that are decoded and predicted at once
SIMPLE = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
KEEP = Command("--keep", "COLUMN", after="with another one, or leave it out")


class Chunk(NamedTuple):
    """Some rows: what the file calls them, and what they hold.

    Args:
        names: columns that say which rows these are: `row`, `file`, or both.
        rows: what `Predictor.inputs` takes.
        more: what else `Predictor.inputs` takes, such as the file and each row's number in it.
    """

    names: dict[str, pa.Array]
    rows: Any
    more: dict[str, Any]


def predict_tables(
    model: Predictor,
    files: Sequence[Path],
    workers: int,
    drift: Drift,
    asked: Dialect | None = None,
    keep: Sequence[str] = (),
) -> Iterator[pa.Table]:
    """Predict for the rows of CSV and Parquet files; memory does not grow with them.

    Args:
        model: of tables.
        files: several get a column `file` before `row`, which counts from 0 in each file.
        workers: chunks that are worked on at the same time.
        drift: gathers what the train rows were not like.
        asked: how CSV files are written, where it is not as the train rows were.
        keep: columns of the files that the predictions have behind `row`, such as an id.

    Returns:
        One table without rows for each file, then those with its rows.

    Raises:
        DataError: a file lacks a column to keep.
    """
    assert isinstance(model.schema, TableSchema)
    tables = ((file, open_rows(file, model.schema, asked)) for file in files)
    chunks = (
        chunk for pair in tables for chunk in _table_chunks(*pair, len(files) > 1, drift, keep)
    )
    return in_order(lambda chunk: predict_chunk(model, chunk), chunks, workers)


def _table_chunks(
    file: Path,
    tables: Iterator[pa.Table],
    is_one_of_many: bool,
    drift: Drift,
    keep: Sequence[str],
) -> Iterator[Chunk]:
    start = 0
    for table in tables:
        rows = np.arange(start, start + len(table))
        names = {"file": _repeat(str(file), len(table))} if is_one_of_many else {}
        more = {"file": str(file), "numbers": rows, "drift": drift}
        kept = {name: _kept(file, table, name, as_text=is_one_of_many) for name in keep}
        yield Chunk(names | {"row": pa.array(rows)} | kept, table, more)
        start += len(table)


def _kept(file: Path, table: pa.Table, name: str, *, as_text: bool) -> pa.ChunkedArray:
    """Return a column as it is; as text where another file may have another type, or JSON none."""
    if name not in table.column_names:
        got = f"{file} has {first_few(table.column_names)}"
        raise DataError(Problem(f"a column '{name}' to keep must be in each file", got, KEEP))
    cells = table.column(name)
    if not as_text and any(is_type(cells.type) for is_type in SIMPLE):
        return cells
    try:
        return cells.cast(pa.string())
    except pa.ArrowException:
        rule = "a column to keep must hold numbers, texts, dates or booleans"
        raise DataError(Problem(rule, f"'{name}' of {file}: {cells.type}", KEEP)) from None


def _repeat(text: str, count: int) -> pa.Array:
    # One copy of the text while it is made, not one for each row.
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int8), [text]).cast(pa.string())


def predict_images(model: Predictor, files: Sequence[Path], workers: int) -> Iterator[pa.Table]:
    """Predict for image files, some hundred at a time; the first table has no rows."""
    starts = range(0, len(files), IMAGES)
    # The group without files gives the output its columns where there is nothing to predict.
    groups = [[], *(files[start : start + IMAGES] for start in starts)]
    chunks = (Chunk({"file": pa.array([*map(str, g)], pa.string())}, g, {}) for g in groups)
    return in_order(lambda chunk: predict_chunk(model, chunk), chunks, workers)


def predict_chunk(model: Predictor, chunk: Chunk) -> pa.Table:
    """Predict for some rows: their names, `prediction`, and `prob_<class>` for classes."""
    scores = model.scores(chunk.rows, **chunk.more)
    if model.spec.is_regression:
        return pa.table(chunk.names | {"prediction": scores})
    labels = pa.array(model.labels).take(pa.array(decide(scores, model.threshold)))
    classes = enumerate(model.spec.classes)
    probs = {f"prob_{name}": np.ascontiguousarray(scores[:, k]) for k, name in classes}
    return pa.table(chunk.names | {"prediction": labels} | probs)


def with_class_names(table: pa.Table, model: Predictor) -> pa.Table:
    """Write labels as the classes are named, for text: Arrow would write true and 1 for them."""
    if model.spec.label_kind not in ("boolean", "number") or model.spec.is_regression:
        return table
    codes = pc.index_in(table["prediction"], value_set=pa.array(model.labels))
    names = pa.array(model.spec.classes, pa.string()).take(codes.combine_chunks())
    number = table.column_names.index("prediction")
    return table.set_column(number, "prediction", names)


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Work on several items at the same time, and hand the results out in the items' order."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            # No more results wait than there are threads, however fast the input is read.
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
