"""Write the fitted scikit-learn preprocessing of a table as a skops file, and load it safely.

What skops gets to read is never the file's own description of objects. The transformer that the
project makes for the schema is fitted anew on a few made-up rows and described by skops. A file
must hold the very same description: only its arrays (medians, means, scales) are taken from it.

Where the project has added estimators of other classes, what these have learnt may also be numbers
and arrays of other lengths: a QuantileTransformer's quantiles, for instance. See skops_file.py.
"""

import copy
import json
import warnings
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.preprocessing import OrdinalEncoder

from kindling.bundle.skops_file import (
    CHANGED,
    DESCRIPTION,
    STRICT,
    Takeover,
    read_zip,
    write_zip,
)
from kindling.errors import Problem
from kindling.json_codec import InvalidFile, parse
from kindling.registry import INSTALL, PREPROCESSING, load, registered
from kindling.tables.column import Column, features_of
from kindling.tables.column_types import LARGEST, MISSING
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema

TRUSTED = ["numpy.dtype"]  # beyond scikit-learn's own classes that skops trusts
PASSED = "passthrough"  # scikit-learn's word for a step that changes nothing
LAST_DAY = 2_000_000.0  # days since 1970, in the year 7445


def to_bytes(preprocessor: TablePreprocessor) -> bytes:
    """Write the fitted transformer down, but for the categories, which the schema has already."""
    import skops.io  # late: half a second

    transformer = copy.copy(preprocessor.transformer_)
    for steps in ("transformers", "transformers_"):
        # skops writes a file for each object: of 300,000 categories it would take minutes.
        kept = [(n, PASSED if _is_known(s) else s, c) for n, s, c in getattr(transformer, steps)]
        setattr(transformer, steps, kept)
    return skops.io.dumps(transformer)


def _is_known(step: Any) -> bool:
    """Say whether a step has learnt nothing: an encoder of the categories that it was given."""
    return (
        type(step) is OrdinalEncoder
        and not isinstance(step.categories, str)
        and step.min_frequency is None
        and step.max_categories is None
    )


def not_kept(preprocessor: TablePreprocessor, schema: TableSchema, project: str) -> Problem | None:
    """Say what is in the way where a bundle could not hold what was fitted.

    Args:
        preprocessor: fitted.
        schema: of the columns.
        project: whose network the bundle would name.
    """
    if project not in registered(PREPROCESSING):
        rule = f"a bundle of a table needs an entry point {PREPROCESSING} beside its networks'"
        fix = f"add {project} = ... to it in pyproject.toml, then {INSTALL}"
        return Problem(rule, f"none of the project {project}", fix)
    if preprocessor.make_transformer is not load(PREPROCESSING, project):
        rule = f"a bundle of a table needs the preprocessing that {project} registers"
        got = f"{getattr(preprocessor.make_transformer, '__qualname__', 'another function')}"
        return Problem(rule, got, f"register that one under {PREPROCESSING}, then {INSTALL}")
    if all(map(_is_usual, _steps_of(preprocessor.transformer_))):
        return None  # always kept; trying costs the half second that it takes to import skops
    try:
        to_preprocessor(to_bytes(preprocessor), schema, project, preprocessor.booleans_)
    except Exception as error:  # whatever an estimator of somebody's makes of being written
        rule = "a bundle holds steps of scikit-learn's own estimators, one output for each column"
        got = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        return Problem(rule, got, "use other steps in make_transformer")
    return None


def _steps_of(transformer: Any) -> Iterator[list[Any]]:
    """Give the transformers that the columns of each step pass through."""
    for _, step, columns in transformer.transformers_:
        if len(columns):
            yield [part for _, part in getattr(step, "steps", [("", step)])]


def _is_usual(step: list[Any]) -> bool:
    """Say whether a step is of known classes, as a file is sure to hold them."""
    names = [type(part).__name__ for part in step]
    # A scaler before the imputer counts the rows of each column; a strategy may be any function.
    begins_well = names[0] in ("SimpleImputer", "OrdinalEncoder")
    has_function = any(callable(getattr(part, "strategy", None)) for part in step)
    return STRICT.issuperset(names) and begins_well and not has_function


def to_preprocessor(
    content: bytes, schema: TableSchema, project: str, booleans: Collection[str]
) -> TablePreprocessor:
    """Rebuild what was fitted, for a schema that is already known to be sound.

    Args:
        content: of a file of unknown origin.
        schema: of the columns.
        project: whose registered make_transformer is the only one that is called.
        booleans: the columns that it is told to be of 0 and 1.

    Raises:
        InvalidFile: the file holds anything else than that transformer, fitted.
    """
    given = read_zip(content)
    rows = _made_up_rows(schema)
    preprocessor = _fit_template(rows, schema, project, booleans)
    # What is built in the end is our own description, with the file's arrays beside it.
    template = read_zip(to_bytes(preprocessor))
    described = parse(template[DESCRIPTION])
    takeover = Takeover(given, template)
    takeover.compare(parse(given[DESCRIPTION]), described)
    files = template | takeover.arrays | {DESCRIPTION: json.dumps(described).encode()}
    transformer = _load(files)
    for steps in ("transformers", "transformers_"):
        mine = getattr(preprocessor.transformer_, steps)
        pairs = zip(mine, getattr(transformer, steps), strict=True)
        setattr(transformer, steps, [m if _is_known(m[1]) else loaded for m, loaded in pairs])
    preprocessor.transformer_ = transformer
    _prove(preprocessor, rows)
    return preprocessor


def _load(files: dict[str, bytes]) -> Any:
    import skops.io  # late, as above

    return skops.io.loads(write_zip(files), trusted=TRUSTED)


def _made_up_rows(schema: TableSchema) -> pd.DataFrame:
    """Make three rows within the range of the train rows: some steps take no other values."""
    features: dict[str, np.ndarray | pd.Series] = {}
    for column in schema.used:
        if column.column_type == "category":
            features[column.name] = pd.Series([MISSING] * 3, dtype=object)
        else:
            cells = pa.chunked_array([pa.array(_low_middle_high(column))])
            features |= dict(zip(column.features, features_of(column, cells), strict=True))
    return pd.DataFrame(features)


def _low_middle_high(column: Column) -> list[float]:
    if column.low is None or column.high is None:  # of booleans
        return [0.0, 1.0, 1.0]
    most = LAST_DAY if column.column_type == "date" else LARGEST
    low, high = (min(max(bound, -most), most) for bound in (column.low, column.high))
    return [low, low / 2 + high / 2, high]


def _fit_template(
    rows: pd.DataFrame, schema: TableSchema, project: str, booleans: Collection[str]
) -> TablePreprocessor:
    if project not in registered(PREPROCESSING):
        got = f"preprocessing of {ascii(project)[:60]}, which registers none: {PREPROCESSING}"
        raise InvalidFile(got, f"install the project that made it: {INSTALL}")
    preprocessor = TablePreprocessor(load(PREPROCESSING, project))
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            return preprocessor.fit(rows, schema, booleans)  # three rows are few for some steps
    except Exception as error:  # the project's own steps may raise anything
        reason = f"{type(error).__name__}: {error}"
        got = f"columns that the project's preprocessing does not take: {reason}"
        raise InvalidFile(got, CHANGED) from error


def _prove(preprocessor: TablePreprocessor, rows: pd.DataFrame) -> None:
    """Transform the made-up rows: none of what was taken from a file may lead to other shapes."""
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            x = preprocessor.transform(rows)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise InvalidFile(f"preprocessing that cannot transform a row: {reason}") from error
    if x.shape != (len(rows), preprocessor.num_features) or not np.isfinite(x).all():
        raise InvalidFile(f"preprocessing that makes {x.shape} or no finite numbers of 3 rows")
    codes = x[:, len(preprocessor.numbers_) :]
    if not (codes == 1).all():  # all categories are missing
        raise InvalidFile("preprocessing that gives a missing category another code than 1")
