"""Read the test rows of a finished run again, from where its config.yaml says they are.

For `kindling evaluate` and `kindling export` without a FILE. A config.yaml may come from anywhere,
so it is read as plain data: it chooses a registered data module, and as its source one of the
toolkit's or a class that the package of that data module defines; nothing else is imported.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml  # type: ignore[import-untyped]

from kindling.bounded_files import damaged, read_bounded
from kindling.bundle.evaluation_set import EvaluationSet
from kindling.contract import DescribedData
from kindling.data_differences import differences
from kindling.data_record import make_record, read_record
from kindling.errors import ConfigError, DataError, Problem, UserError
from kindling.formatting import printable
from kindling.raw_data import RawData, Source
from kindling.registry import DATA, import_inside, registered
from kindling.runs import CONFIG_FILE, DATA_FILE
from kindling.types import DataSpec

TOOLKIT_SOURCES = {
    "kindling.tables.source.TableSource",
    "kindling.prepared.prepared_source.PreparedSource",
    "kindling.images.image_source.ImageSource",
    "kindling.images.digits.DigitsSource",
}
NOT_READ = {"cache", "on_device"}  # where to write, and what only costs time
MAX_CONFIG = 2**20  # bytes
OWN_ROWS = "without a FILE, the rows of the run are read again from where they were"
TYPE_A_FILE = "type a FILE with labelled rows"


def read_own_test_rows(run: Path, spec: DataSpec) -> EvaluationSet:
    """Read a run's rows from where its config.yaml says they are, and split them as it did.

    Args:
        run: the folder of a finished run.
        spec: of its bundle.

    Raises:
        ConfigError: the run has no config.yaml, or one whose data cannot be read without running
            code that no installed project has registered.
        DataError: the rows are gone, or are not those of the run any more.
    """
    data = make_data(run / CONFIG_FILE)
    if problems := data.missing():
        raise DataError(*problems, _other_rows("the run's own rows", "type a FILE that is there"))
    data.setup("test")
    if not isinstance(data, DescribedData):
        rule = "test rows are read again from a DescribedData (kindling/contract.py)"
        raise ConfigError(Problem(rule, f"a {type(data).__name__}", TYPE_A_FILE))
    _refuse_changed(run, data)
    test = data.split["test"]
    labels = data.raw.y[test]
    truth = labels if spec.is_regression else _codes(labels, spec)
    return EvaluationSet(_take(data.raw, test), truth, {})


def make_data(file: Path) -> Any:
    """Build the data module that a config.yaml describes; nothing of its rows is read yet."""
    given = _read_data_section(file)
    name = given.get("_target_")
    points = registered(DATA).values()
    point = next((p for p in points if name == p.value.replace(":", ".")), None)
    if point is None or not _is_source(given.get("source"), point.module.partition(".")[0]):
        rule = "test rows are read again by a registered data module, from a source of its package"
        got = f"data._target_={name}, data.source={given.get('source')}"
        raise ConfigError(Problem(rule, ascii(got)[1:-1], TYPE_A_FILE))
    keys = {key: value for key, value in given.items() if key[:1] != "_" and key not in NOT_READ}
    if "num_workers" in keys:
        keys["num_workers"] = 0
    build = point.load()
    try:
        return build(**keys)
    except UserError:
        raise
    except Exception as error:  # a constructor, given whatever a file holds
        reason = printable(next(iter(str(error).splitlines()), ""))
        raise damaged(file, f"data: {type(error).__name__}: {reason}", TYPE_A_FILE) from error


def _read_data_section(file: Path) -> dict[str, Any]:
    if not file.is_file():
        rule, got = "test rows are found through a run's config.yaml", f"no {file.name} in "
        raise ConfigError(Problem(rule, f"{got}{file.parent}", TYPE_A_FILE))
    try:
        settings = yaml.safe_load(read_bounded(file, MAX_CONFIG))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise damaged(file, str(error).splitlines()[0]) from error
    data = settings.get("data") if isinstance(settings, dict) else None
    return {str(key): value for key, value in data.items()} if isinstance(data, dict) else {}


def _is_source(name: Any, package: str) -> bool:
    """Say whether a dotted name is a source of the toolkit, or a class that the package defines.

    Modules are looked for on the disk, inside the package. A class that one of them has only
    imported from elsewhere does not count, and neither does one without the methods of a source.
    """
    if not isinstance(name, str):
        return False
    if name in TOOLKIT_SOURCES:
        return True
    module_name, _, class_name = name.rpartition(".")
    if not f"{module_name}.".startswith(f"{package}."):
        return False
    module = import_inside(import_module(package), module_name[len(package) + 1 :])
    found = vars(module).get(class_name) if module is not None else None
    return (
        isinstance(found, type)
        and f"{found.__module__}.".startswith(f"{package}.")
        and issubclass(found, Source)
    )


def _take(raw: RawData, positions: np.ndarray) -> Any:
    """Return raw rows by their number among all of a run's rows."""
    if isinstance(raw.x, np.ndarray):
        return raw.x[positions]
    tables = [table.take(inside) for table, inside in raw.parts(positions)]
    return pa.concat_tables(tables, promote_options="default")


def _refuse_changed(run: Path, data: DescribedData) -> None:
    """Raise a DataError that says how the data differ from those that the run is made of."""
    before = read_record(run)
    if before is None:
        raise DataError(_other_rows(f"no {DATA_FILE} in {run}", f"bring {DATA_FILE} back"))
    found = differences(before, make_record(data), OWN_ROWS, f"bring them back, or {TYPE_A_FILE}")
    if found:
        raise DataError(*found)


def _other_rows(got: str, fix: str) -> Problem:
    return Problem(OWN_ROWS, got, f"{fix}, or {TYPE_A_FILE}")


def _codes(labels: np.ndarray, spec: DataSpec) -> np.ndarray:
    codes = {name: code for code, name in enumerate(spec.classes)}
    return np.array([codes[str(label)] for label in labels.tolist()], dtype=np.int64)
