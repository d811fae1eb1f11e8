"""Fit the scikit-learn preprocessing of a table on train rows, and apply it to any rows.

Which steps a column goes through is the project's choice: `MakeTransformer`.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer

from kindling.errors import DataError, Problem
from kindling.raw_data import RawData, RawTable
from kindling.rng import derive_seed
from kindling.tables.inference import infer_schema
from kindling.tables.invalid_cells import joined
from kindling.tables.schema import TableSchema

MOST_TO_READ = 200_000  # rows; of a level that is rarer than one in 60,000 little can be learnt
MOST_TO_FIT = 50_000  # of these; with more, a mean or a median moves by a 200th of the spread

# (numbers, booleans, categories: column -> its values) -> an unfitted transformer. Every step gives
# one output for each of its columns; the step named "categories" is the last, and gives codes from
# -1 (unknown), 0 (missing) on.
MakeTransformer = Callable[[list[str], list[str], Mapping[str, tuple[str, ...]]], ColumnTransformer]


def fit_table(
    raw: RawData, train: np.ndarray, seed: int, make_transformer: MakeTransformer
) -> tuple[TableSchema, "TablePreprocessor", np.ndarray]:
    """Learn what the columns are and how they are scaled from train rows; transform all rows.

    Args:
        raw: the rows of all splits.
        train: int64, which of them are train rows; MOST_TO_READ of them are looked at.
        seed: decides which.
        make_transformer: chooses the steps that a column goes through.

    Returns:
        What the columns are, what was fitted, and float32 (N, F + C).

    Raises:
        DataError: no column is left to learn from, or cells do not fit their column's type.
    """
    rng = np.random.default_rng(derive_seed(seed, "fit"))
    schema, preprocessor = _fit(raw, train, rng, make_transformer)
    return schema, preprocessor, transform_rows(raw, schema, preprocessor)


def _fit(
    raw: RawData, train: np.ndarray, rng: np.random.Generator, make_transformer: MakeTransformer
) -> tuple[TableSchema, "TablePreprocessor"]:
    """Learn from some train rows what the columns are, and from fewer how they are scaled."""
    assert isinstance(raw.x, tuple)
    first, train = raw.x[0], _some(train, MOST_TO_READ, rng)  # they are all in the first file
    read = first.take(train)
    schema = infer_schema(read, raw.kinds, raw.dialect)
    refuse_nothing(schema, first.file)
    few = _some(np.arange(len(train)), MOST_TO_FIT, rng)
    try:
        typed = schema.type(read.take(pa.array(few)), first.file, first.rows[train[few]])
    except DataError:
        list(type_rows(raw.x, schema))  # says what is wrong in all rows, not in some
        raise
    preprocessor = TablePreprocessor(make_transformer).fit(typed, schema)
    del read, typed
    pa.default_memory_pool().release_unused()  # Arrow keeps what it has freed
    return schema, preprocessor


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Draw so many of them, or return them all; in order."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def transform_rows(
    raw: RawData, schema: TableSchema, preprocessor: "TablePreprocessor"
) -> np.ndarray:
    """Return float32 (N, F + C) of all rows, in memory or mapped from a file that is soon gone."""
    assert isinstance(raw.x, tuple)
    shape = (len(raw.y), preprocessor.num_features)
    chunks = (preprocessor.transform(typed) for typed in type_rows(raw.x, schema))
    if raw.on_disk:
        with TemporaryFile(prefix="kindling-") as file:
            for chunk in chunks:
                chunk.tofile(file)
            file.flush()
            pa.default_memory_pool().release_unused()
            return np.memmap(file, np.float32, "r+", shape=shape)
    x, start = np.empty(shape, np.float32), 0
    for chunk in chunks:
        x[start : start + len(chunk)] = chunk
        start += len(chunk)
        pa.default_memory_pool().release_unused()
    return x


def type_rows(tables: Iterable[RawTable], schema: TableSchema) -> Iterator[pd.DataFrame]:
    """Type the rows of all files chunk by chunk; at the end, list everything that did not fit."""
    problems: list[Problem] = []
    for table in tables:
        start = 0
        for chunk in table.chunks():
            try:
                typed = schema.type(chunk, table.file, table.rows[start : start + len(chunk)])
            except DataError as error:
                problems += error.problems
            else:
                if not problems:
                    yield typed
            start += len(chunk)
    if problems:
        raise DataError(*joined(problems))


def refuse_nothing(schema: TableSchema, file: str) -> None:
    """Raise a DataError where every column is left out."""
    if not schema.used:
        rule = f"a column of {file} must say something of other rows"
        reasons = [
            f"{column.name} ({column.column_type}: {column.why})" for column in schema.columns[:5]
        ]
        fix = f"take one in nevertheless: 'data.kinds={{{schema.columns[0].name}: category}}'"
        raise DataError(Problem(rule, f"left out: {'; '.join(reasons)}", fix, "D102"))


def invalid_cells_of(tables: tuple[RawTable, ...], asked: Mapping[str, str]) -> list[Problem]:
    """List the cells that do not fit, where it never comes to a split into train and the rest."""
    first = tables[0]
    try:
        schema = infer_schema(first.take(np.arange(min(len(first.rows), MOST_TO_READ))), asked)
        for _ in type_rows(tables, schema):
            pass
    except DataError as error:
        return list(error.problems)
    return []


class TablePreprocessor:
    """A typed table to rows of F scaled numbers and C category codes.

    A code is 0 for an unknown category, 1 for a missing one, then those of the schema in order.
    Booleans are numbers 0 and 1, and are not scaled.
    """

    transformer_: ColumnTransformer
    numbers_: tuple[str, ...]
    categories_: tuple[str, ...]
    values_: tuple[tuple[str, ...], ...]

    def __init__(self, make_transformer: MakeTransformer) -> None:
        self.make_transformer = make_transformer

    def fit(self, train: pd.DataFrame, schema: TableSchema) -> "TablePreprocessor":
        """Fit on the typed train rows."""
        values = {c.name: c.categories for c in schema.used if c.column_type == "category"}
        rest = [name for name in train if name not in values]
        booleans = [name for name in rest if _is_zero_or_one(train[name].to_numpy())]
        numbers = [name for name in rest if name not in booleans]
        transformer = self.make_transformer(numbers, booleans, values)
        with warnings.catch_warnings(action="ignore"):  # of quantiles of a single row
            self.transformer_ = transformer.fit(train.head(1))
        # Steps are fitted by themselves: the whole would also transform the rows, for nothing.
        for _, step, columns in self.transformer_.transformers_:
            if len(columns):
                step.fit(train[columns])
        *others, codes = self.transformer_.transformers_
        self.numbers_ = tuple(name for _, _, columns in others for name in columns)
        assert codes[0] == "categories"
        assert sorted(self.numbers_) == sorted(rest), (
            "a step leaves out a column, or takes it twice"
        )
        self.categories_ = tuple(values)
        self.values_ = tuple(values.values())
        return self

    @property
    def num_features(self) -> int:
        """F + C."""
        return len(self.numbers_) + len(self.categories_)

    def transform(self, typed: pd.DataFrame) -> np.ndarray:
        """Return float32 (N, F + C)."""
        if len(typed) == 0:  # scikit-learn takes no table without rows
            return np.empty((0, self.num_features), np.float32)
        x = self.transformer_.transform(typed).astype(np.float32)
        x[:, len(self.numbers_) :] += 1  # unknown -1 -> 0, missing 0 -> 1, categories from 2
        return x

    def describe(self) -> dict[str, Any]:
        return {
            "numbers": self.numbers_,
            "categories": self.categories_,
            "cardinalities": tuple(len(names) + 2 for names in self.values_),
        }


def _is_zero_or_one(values: np.ndarray) -> bool:
    """Say whether all known numbers are 0 or 1; a few tell it of most columns."""
    parts = (values[:1000], values)
    return all(((part == 0) | (part == 1) | np.isnan(part)).all() for part in parts)
