"""The folder of a finished run in; its test rows, read and split anew as it did, out."""

import inspect
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml  # type: ignore[import-untyped]

from kindling.bundle.evaluation_set import EvaluationSet
from kindling.bundle.manifest import damaged, read_bounded
from kindling.errors import ConfigError, DataError, Problem
from kindling.images.digits import DigitsSource
from kindling.images.image_source import ImageSource
from kindling.raw_data import RawData
from kindling.registry import DATA, registered
from kindling.runs import CONFIG_FILE, PREDICTIONS_FILE
from kindling.tables.source import TableSource
from kindling.types import DataSpec

# What a config.yaml says is read as plain data: it may choose among these, and nothing else.
SOURCES = {
    f"{source.__module__}.{source.__name__}": source
    for source in (TableSource, ImageSource, DigitsSource)
}
NOT_TAKEN = {
    "source",
    "cache",
    "num_workers",
    "on_device",
}  # where to write, and what only costs time
MAX_CONFIG = 2**20  # bytes


def recall(run: Path, spec: DataSpec) -> EvaluationSet:
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
    return EvaluationSet(_take(data.raw, test), truth, {})


def read_settings(run: Path) -> dict[str, Any]:
    """Read config.yaml as plain values."""
    if not (run / CONFIG_FILE).is_file():
        got, fix = f"no config.yaml in {run}", "type a FILE with labelled rows"
        raise ConfigError(Problem("test rows are found through a run's config.yaml", got, fix))
    try:
        settings = yaml.safe_load(read_bounded(run / CONFIG_FILE, MAX_CONFIG))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise damaged(run / CONFIG_FILE, str(error).splitlines()[0]) from error
    return settings if isinstance(settings, dict) else {}


def make_data(settings: dict[str, Any]) -> Any:
    """Build the data module that a config describes, if it is registered; nothing is read yet."""
    given = settings.get("data")
    given = given if isinstance(given, dict) else {}
    project = str(given.get("_target_")).partition(".")[0]
    source = SOURCES.get(str(given.get("source")))
    point = registered(DATA).get(project)
    if source is None or point is None or given["_target_"] != point.value.replace(":", "."):
        rule = "only a table, a folder of images and the digits can be read again"
        got, fix = f"data.source={given.get('source')}", "type a FILE with labelled rows"
        raise ConfigError(Problem(rule, got, fix))
    build = point.load()
    known = {*inspect.signature(source).parameters, *inspect.signature(build.__self__).parameters}
    taken = {key: value for key, value in given.items() if key in known - NOT_TAKEN}
    return build(source=given["source"], **taken | {"num_workers": 0})


def _take(raw: RawData, positions: np.ndarray) -> Any:
    """Return raw rows by their number among all of a run's rows."""
    if isinstance(raw.x, np.ndarray):
        return raw.x[positions]
    tables = [table.take(inside) for table, inside in raw.parts(positions)]
    return pa.concat_tables(tables, promote_options="default")


def _refuse_changed(run: Path, names: np.ndarray, labels: np.ndarray) -> None:
    """Hold rows and labels against those that the run has written down."""
    written = pd.read_csv(run / PREDICTIONS_FILE, dtype=str, keep_default_na=False)
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
