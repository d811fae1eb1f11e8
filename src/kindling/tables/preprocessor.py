"""Fit the scikit-learn preprocessing of a table on train rows, and apply it to any rows.

Which steps a column goes through is the project's choice: `MakeTransformer`.
"""

import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer

from kindling.errors import ConfigError, DataError, Problem
from kindling.fixes import Setting, Way
from kindling.formatting import count, first_few
from kindling.raw_data import RawData, RawTable
from kindling.rng import derive_seed
from kindling.tables import column_types
from kindling.tables.asked_columns import read_as
from kindling.tables.inference import Hints, infer_schema
from kindling.tables.invalid_cells import InvalidCells, merge_invalid
from kindling.tables.schema import TableSchema, absent_columns

MOST_TO_READ = 200_000  # rows; of a category rarer than one in 60,000 rows little can be learnt
MOST_TO_FIT = 50_000  # of these; with more, a mean or a median moves by a 200th of the std
ROWS_TO_PREPARE = 100  # that show a transformer its columns, before each step is fitted on all

# (numbers, booleans, categories: column -> its values) -> an unfitted transformer. Each column is
# in one step, and every step gives one output for each of its columns. The step named "categories"
# is the last, and gives codes from -1 (unknown), 0 (missing) on.
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
    if raw.fitted is not None:
        return raw.fitted
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
    schema = infer_schema(read, raw.hints)
    _refuse_unused(schema, read, str(first.file))
    few = _some(np.arange(len(train)), MOST_TO_FIT, rng)
    try:
        features = schema.cast(read.take(pa.array(few)), first.file, first.rows[train[few]])
    except DataError:
        list(cast_rows(raw.x, schema))  # says what is wrong in all rows, not in some
        raise
    preprocessor = TablePreprocessor(make_transformer).fit(features, schema)
    del read, features
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
    chunks = (preprocessor.transform(features) for features in cast_rows(raw.x, schema))
    if raw.on_disk:
        with _room_for(shape), TemporaryFile(prefix="kindling-") as file:
            for chunk in chunks:
                file.write(np.ascontiguousarray(chunk).data)  # tofile loses its end unseen
            file.flush()
            pa.default_memory_pool().release_unused()
            return np.memmap(file, np.float32, "r+", shape=shape)
    x, start = np.empty(shape, np.float32), 0
    for chunk in chunks:
        x[start : start + len(chunk)] = chunk
        start += len(chunk)
        pa.default_memory_pool().release_unused()
    return x


@contextmanager
def _room_for(shape: tuple[int, int]) -> Iterator[None]:
    """Say how large the file would be that could not be written, and where it lies."""
    try:
        yield
    except OSError as error:
        rule = "what is learnt from must fit the disk where temporary files lie (data.memory=disk)"
        got = f"{4 * math.prod(shape) / 1e6:,.0f} MB, and {gettempdir()} was full before"
        ways = ("set the environment's TMPDIR to a folder with room", Setting("data.memory", "ram"))
        raise ConfigError(Problem(rule, got, ways)) from error


def cast_rows(tables: Iterable[RawTable], schema: TableSchema) -> Iterator[pd.DataFrame]:
    """Cast the rows of all files chunk by chunk; at the end, list everything that does not fit."""
    problems: list[Problem] = []
    invalid: list[InvalidCells] = []
    for table in tables:
        absent = absent_columns([c.name for c in schema.used], list(table.names), str(table.file))
        problems += absent
        start = 0
        for chunk in table.chunks() if not absent else ():
            rows = table.rows[start : start + len(chunk)]
            features, found = schema.cast_cells(chunk, table.file, rows)
            invalid += found
            if not problems and not invalid:
                yield features
            start += len(chunk)
    problems += [cells.problem() for cells in merge_invalid(invalid)]
    if problems:
        raise DataError(*problems)


def invalid_cells_of(tables: tuple[RawTable, ...], hints: Hints) -> list[Problem]:
    """List the cells that do not fit, where it never comes to a split into train and the rest."""
    first = tables[0]
    try:
        schema = infer_schema(first.take(np.arange(min(len(first.rows), MOST_TO_READ))), hints)
        for _ in cast_rows(tables, schema):
            pass
    except DataError as error:
        return list(error.problems)
    return []


def _refuse_unused(schema: TableSchema, read: pa.Table, file: str) -> None:
    """Raise a DataError where every column is left out."""
    if not schema.used:
        rule = f"a column of {file} must say something of other rows"
        reasons = (f"{c.name} ({c.column_type}: {c.why})" for c in schema.columns)
        got = f"left out: {first_few(reasons, noun='columns', separator='; ')}"
        ways: list[Way] = ["give columns that say more"]
        told = [c.name for c in schema.columns if c.column_type != "empty"]
        single = [name for name in told if column_types.is_single(read.column(name))]
        kinds = {c.name: c for c in schema.columns if c.name in single}
        numbers = [name for name, c in kinds.items() if c.low is not None and c.low != c.high]
        if numbers:
            ways += [read_as(numbers[0], "number", "to take one in nevertheless")]
        elif single:
            ways += [read_as(single[0], "category", "to take one in nevertheless")]
        raise DataError(Problem(rule, got, tuple(ways), "D102", file=file))


class TablePreprocessor:
    """Turns features into rows of F numbers and C category codes.

    The F numbers stand in the order of the steps. A code is 0 for an unknown category, 1 for a
    missing one, then those of the schema in order.

    Args:
        make_transformer: chooses the steps; see `MakeTransformer`.
    """

    transformer_: ColumnTransformer
    numbers_: tuple[str, ...]
    booleans_: tuple[str, ...]
    categories_: tuple[str, ...]
    values_: tuple[tuple[str, ...], ...]

    def __init__(self, make_transformer: MakeTransformer) -> None:
        self.make_transformer = make_transformer

    def fit(
        self, train: pd.DataFrame, schema: TableSchema, booleans: Collection[str] | None = None
    ) -> "TablePreprocessor":
        """Fit on the features of the train rows.

        Args:
            train: as `schema.cast` returns them.
            schema: of the columns.
            booleans: columns of 0 and 1, where they are known already; by default they are found.

        Raises:
            ConfigError: a step leaves out a column, takes another's, or gives other outputs than
                one for each of its columns; or "categories" is not the last step.
        """
        values = {c.name: c.categories for c in schema.used if c.column_type == "category"}
        rest = [name for name in train if name not in values]
        if booleans is None:
            booleans = [name for name in rest if _is_zero_or_one(train[name].to_numpy())]
        self.booleans_ = tuple(name for name in rest if name in booleans)
        numbers = [name for name in rest if name not in self.booleans_]
        transformer = self.make_transformer(numbers, [*self.booleans_], values)
        steps = [(name, _names_of(columns, train)) for name, _, columns in transformer.transformers]
        _refuse_columns(steps, rest, [*values])
        few = train.head(ROWS_TO_PREPARE)
        with warnings.catch_warnings(action="ignore"):  # of quantiles of a few rows
            self.transformer_ = transformer.fit(few)
        # Steps are fitted by themselves: the whole would also transform the rows, for nothing.
        for name, step, columns in self.transformer_.transformers_:
            if step == "drop":
                _refuse_width(name, len(columns), 0)
            elif len(columns):
                step.fit(train[columns])
                _refuse_width(name, len(columns), step.transform(few[columns]).shape[1])
        self.numbers_ = tuple(name for _, columns in steps[:-1] for name in columns)
        self.categories_ = tuple(values)
        self.values_ = tuple(values.values())
        return self

    @property
    def num_features(self) -> int:
        """F + C."""
        return len(self.numbers_) + len(self.categories_)

    def transform(self, features: pd.DataFrame) -> np.ndarray:
        """Return float32 (N, F + C).

        Raises:
            DataError: a step has left missing cells missing.
        """
        if len(features) == 0:  # scikit-learn takes no table without rows
            return np.empty((0, self.num_features), np.float32)
        x = self.transformer_.transform(features).astype(np.float32)
        x[:, len(self.numbers_) :] += 1  # unknown -1 -> 0, missing 0 -> 1, categories from 2
        with np.errstate(all="ignore"):
            is_suspect = np.isnan(x.sum())  # quick, and makes no copy; infinities add up to NaN too
        if is_suspect:
            self._refuse_missing(x)
        return x

    def _refuse_missing(self, x: np.ndarray) -> None:
        counts = np.isnan(x).sum(axis=0)
        problems = []
        for name, missing in zip(self.numbers_, counts.tolist(), strict=False):
            if missing:
                rule = f"the preprocessing step of {name!r} must fill in missing cells"
                got = f"{missing:,} of {len(x):,} cells are missing behind it"
                fix = "put SimpleImputer() before it in make_transformer"
                more: dict[str, Any] = {"column": name, "count": missing}
                problems.append(Problem(rule, got, fix, "D123", "fill the cells in", **more))
        if problems:
            raise DataError(*problems)

    def describe(self) -> dict[str, Any]:
        """Return what a DataSpec holds of the columns."""
        return {
            "numbers": self.numbers_,
            "categories": self.categories_,
            "cardinalities": tuple(len(names) + 2 for names in self.values_),
        }


def _is_zero_or_one(values: np.ndarray) -> bool:
    """Say whether all known numbers are 0 or 1; a few tell it of most columns."""
    parts = (values[:1000], values)
    return all(((part == 0) | (part == 1) | np.isnan(part)).all() for part in parts)


def _names_of(columns: Any, table: pd.DataFrame) -> list[str]:
    """Return a step's columns as names; a selector, such as make_column_selector, is asked."""
    return [*map(str, columns(table) if callable(columns) else columns)]


def _refuse_columns(
    steps: list[tuple[str, list[str]]], numbers: list[str], categories: list[str]
) -> None:
    """Raise a ConfigError where steps do not share the columns among them."""
    problems = []
    if not steps or steps[-1] != ("categories", categories):
        rule = 'the last step of make_transformer must be "categories", with all of these columns'
        got = ", ".join(f"{name!r} of {first_few(columns)}" for name, columns in steps)
        problems.append(Problem(rule, got or "no step", "put other steps before it"))
    steps_of = defaultdict(list)
    for name, columns in steps:
        for column in columns:
            steps_of[column].append(name)
    for column in dict.fromkeys((*numbers, *categories, *steps_of)):
        is_known = column in numbers or column in categories
        if not is_known or len(steps_of[column]) != 1:
            rule = "each column must be in exactly one step of make_transformer"
            got = f"{column!r} in {' and '.join(map(repr, steps_of[column])) or 'none'}"
            got += "" if is_known else ", which is no column that is learnt from"
            fix = "add it to a step, or take it out of the others"
            problems.append(Problem(rule, got, fix, column=column))
    if problems:
        raise ConfigError(*problems)


def _refuse_width(step: str, num_columns: int, num_outputs: int) -> None:
    if num_outputs != num_columns:
        rule = "a step of make_transformer must give one output for each of its columns"
        got = f"{count(num_outputs, 'output')} for {count(num_columns, 'column')} of {step!r}"
        raise ConfigError(Problem(rule, got, "take a transformer that keeps the number of columns"))
