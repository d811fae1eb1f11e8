"""The folder of a finished run in; its test rows, read and split anew as it did, out."""

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml  # type: ignore[import-untyped]

from kindling.data.datamodule import DataModule
from kindling.data.digits import digits
from kindling.data.images import images
from kindling.data.source import Raw
from kindling.data.table import table
from kindling.errors import ConfigError, DataError, Problem
from kindling.serve.folder import damaged, read_bounded
from kindling.serve.labelled import Labelled
from kindling.types import DataSpec

# What a config.yaml says is read as plain data: it may choose among these, and nothing else.
MAKERS: dict[str, Callable[..., DataModule]] = {
    f"{make.__module__}.{make.__name__}": make for make in (table, images, digits)
}
NOT_TAKEN = {"cache", "num_workers", "on_device"}  # where to write, and what only costs time
MAX_CONFIG = 2**20  # bytes


def recall(run: Path, spec: DataSpec) -> Labelled:
    """Read a run's rows from where its config.yaml says they are, and split them as it did.

    Raises:
        ConfigError: the run has no config.yaml, or one with a data set of the user's own code.
        DataError: the rows are gone, or are not those of the run any more.
    """
    settings = read_settings(run)
    data = make_data(settings)
    files = data.source.missing()
    if files:
        raise DataError(*files, _other_rows("the run's own rows", "type a FILE that is there"))
    data.setup()
    test = data.split["test"]
    labels = data.raw.y[test]
    _refuse_changed(run, data.raw.names[test], labels)
    truth = labels if spec.is_regression else _codes(labels, spec)
    return Labelled(_take(data.raw, test), truth, {})


def read_settings(run: Path) -> dict[str, Any]:
    """Read config.yaml as plain values."""
    if not (run / "config.yaml").is_file():
        got, fix = f"no config.yaml in {run}", "type a FILE with labelled rows"
        raise ConfigError(Problem("test rows are found through a run's config.yaml", got, fix))
    try:
        settings = yaml.safe_load(read_bounded(run / "config.yaml", MAX_CONFIG))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise damaged(run / "config.yaml", str(error).splitlines()[0]) from error
    return settings if isinstance(settings, dict) else {}


def make_data(settings: dict[str, Any]) -> DataModule:
    """Make the DataModule that a config describes, if it is one of ours; nothing is read yet."""
    given = settings.get("data")
    given = given if isinstance(given, dict) else {}
    make = MAKERS.get(str(given.get("_target_")))
    if make is None:
        rule = "only a table, a folder of images and the digits can be read again"
        got, fix = f"data._target_={given.get('_target_')}", "type a FILE with labelled rows"
        raise ConfigError(Problem(rule, got, fix))
    known = {*inspect.signature(make).parameters, *inspect.signature(DataModule).parameters}
    taken = {key: value for key, value in given.items() if key in known - NOT_TAKEN}
    return make(**taken, num_workers=0)


def _take(raw: Raw, positions: np.ndarray) -> Any:
    """Return raw rows by their number among all of a run's rows."""
    if isinstance(raw.x, np.ndarray):
        return raw.x[positions]
    tables = [table.take(inside) for table, inside in raw.parts(positions)]
    return pa.concat_tables(tables, promote_options="default")


def _refuse_changed(run: Path, names: np.ndarray, labels: np.ndarray) -> None:
    """Hold rows and labels against those that the run has written down."""
    written = pd.read_csv(run / "predictions.csv", dtype=str, keep_default_na=False)
    found = pd.DataFrame({"row": names, "truth": labels})
    read = pd.read_csv(io.StringIO(found.to_csv(index=False)), dtype=str, keep_default_na=False)
    if not read.equals(written[["row", "truth"]]):
        raise DataError(_other_rows("other rows than the run has tested", "bring the file back"))


def _other_rows(got: str, fix: str) -> Problem:
    rule = "without a FILE, the rows of the run are read again from where they were"
    return Problem(rule, got, f"{fix}, or type a FILE with labelled rows")


def _codes(labels: np.ndarray, spec: DataSpec) -> np.ndarray:
    codes = {name: code for code, name in enumerate(spec.classes)}
    return np.array([codes[str(label)] for label in labels.tolist()], dtype=np.int64)
