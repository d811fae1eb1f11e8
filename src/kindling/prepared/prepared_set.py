"""Write a set that is read, split, checked and transformed into a folder, and read it again.

FOLDER/: prepared.json (written last) and the files that it lists. x.npy has the rows as a network
takes them, each addressable by its number; y.npy, rows.npy and splits.npy the targets, names and
splits of all rows; test.parquet the raw cells of the test rows, which a report, a bundle and
`kindling evaluate` look at; schema.json, preprocess.skops and data.json are a run's own formats.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from kindling.bounded_files import damaged, read_bounded
from kindling.bundle import description, preprocess_file
from kindling.contract import DescribedData
from kindling.data_record import DataRecord, make_record, read_record, write_record
from kindling.errors import ConfigError, DataError, Problem
from kindling.files import write_atomically
from kindling.json_codec import InvalidFile, decode, parse, to_bytes
from kindling.kept_findings import findings_from_plain, findings_to_plain
from kindling.prepared.blocks import AGAIN, FileBlocks, describe, map_array, verify, write_array
from kindling.registry import PREPROCESSING, load, registered
from kindling.runs import DATA_FILE
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema
from kindling.types import SPLITS, Split, Transform
from kindling.version import __version__

FORMAT = 1
LIST, X, Y, ROWS = "prepared.json", "x.npy", "y.npy", "rows.npy"
SPLIT_FILE, TEST_FILE = "splits.npy", "test.parquet"
SCHEMA, PREPROCESS, FINDINGS = "schema.json", "preprocess.skops", "findings.json"
FILES = {X, Y, ROWS, SPLIT_FILE, TEST_FILE, SCHEMA, PREPROCESS, FINDINGS, DATA_FILE}
MAX_BYTES = 1 << 28  # of each file but the arrays and the test rows


@dataclass(frozen=True)
class PreparedList:
    """What prepared.json holds.

    Args:
        format: of the folder.
        created_with: package -> version.
        project: whose registered preprocessing was fitted.
        booleans: columns of 0 and 1 that it was told of.
        labels: of a classification of words: what the codes of y.npy stand for.
        is_regression, reason, notes, target_transform, on_disk: as `RawData` has them.
        num_rows, num_features: N, and F + C.
        files: by their names.
    """

    format: int
    created_with: dict[str, str]
    project: str
    booleans: tuple[str, ...]
    labels: tuple[str, ...]
    is_regression: bool
    reason: str
    notes: tuple[str, ...]
    target_transform: Transform
    on_disk: bool
    num_rows: int
    num_features: int
    files: dict[str, FileBlocks]


@dataclass(frozen=True)
class PreparedSet:
    """A set as it was read again, its arrays mapped into memory; see `RawData` and `DescribedData`.

    Args:
        about: what prepared.json says.
        splits: int64 row numbers of each split.
    """

    about: PreparedList
    target: str
    x: np.ndarray
    y: np.ndarray
    names: np.ndarray
    splits: dict[Split, np.ndarray]
    schema: TableSchema
    preprocessor: TablePreprocessor
    record: DataRecord
    findings: tuple[Problem, ...]


def write_set(folder: Path, data: DescribedData) -> None:
    """Write a set beside its place, and give it its name when it is whole.

    Raises:
        ConfigError: it is none of a table, or something lies in the folder already.
    """
    refuse_other_data(data)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        about = _write(part, data)
        write_atomically(part / LIST, to_bytes(asdict(about)))
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def refuse_other_data(data: Any) -> None:
    """Raise a ConfigError where data are no table whose preprocessing is registered."""
    fitted = getattr(data, "preprocessor", None)
    if not isinstance(data, DescribedData) or not isinstance(fitted, TablePreprocessor):
        rule = "kindling prepare is for tables"
        raise ConfigError(Problem(rule, f"a {type(data).__name__}", "train on it as it is"))
    if _project_of(fitted) is None:
        rule, fix = f"preprocessing is registered under {PREPROCESSING}", "register it"
        raise ConfigError(Problem(rule, f"{fitted.make_transformer}", fix))


def _project_of(preprocessor: TablePreprocessor) -> str | None:
    names = registered(PREPROCESSING)
    makers = {name: load(PREPROCESSING, name) for name in names}
    return next((n for n, maker in makers.items() if maker is preprocessor.make_transformer), None)


def _write(folder: Path, data: DescribedData) -> PreparedList:
    raw, preprocessor = data.raw, data.preprocessor
    is_text = raw.y.dtype == object
    codes, labels = pd.factorize(raw.y) if is_text else (raw.y, [])
    places = np.empty(len(raw.y), np.uint8)
    for place, split in enumerate(SPLITS):
        places[data.split[split]] = place
    x = data.x.numpy()
    for name, array in ((X, x), (Y, codes), (ROWS, raw.names), (SPLIT_FILE, places)):
        write_array(folder / name, np.asarray(array))
    _write_test_rows(folder / TEST_FILE, data)
    content = description.to_json(data.spec, data.schema)
    write_atomically(folder / SCHEMA, to_bytes(content))
    write_atomically(folder / PREPROCESS, preprocess_file.to_bytes(preprocessor))
    write_atomically(folder / FINDINGS, json.dumps(findings_to_plain(data.findings)))
    write_record(folder, make_record(data))
    packages = ("numpy", "scikit-learn", "skops", "pyarrow")
    return PreparedList(
        format=FORMAT,
        created_with={"kindling": __version__} | {name: version(name) for name in packages},
        project=str(_project_of(preprocessor)),
        booleans=preprocessor.booleans_,
        labels=tuple(map(str, labels)),
        is_regression=raw.is_regression,
        reason=raw.reason,
        notes=raw.notes,
        target_transform=data.spec.target_transform,
        on_disk=raw.on_disk,
        num_rows=len(raw.y),
        num_features=x.shape[1],
        files={name: describe(folder / name) for name in sorted(FILES)},
    )


def _write_test_rows(file: Path, data: DescribedData) -> None:
    """Keep the raw cells of the test rows, as they were read."""
    used = [column.name for column in data.schema.used]
    writer = None
    for table, inside in data.raw.parts(data.split["test"]):
        for chunk in table.select(inside) if len(inside) else ():
            rows = chunk.select(used)
            writer = writer or pq.ParquetWriter(file, rows.schema)
            writer.write_table(rows)
    assert writer is not None, "a split is never empty"
    writer.close()


def read_set(folder: Path) -> PreparedSet:
    """Read a set, its files held to their checksums.

    Raises:
        DataError: names the file that is damaged, and where.
    """
    about = _read_list(folder)
    for name, promised in about.files.items():
        verify(folder / name, promised, 4 * about.num_features if name == X else 0)
    with _named(folder / SCHEMA):
        spec, schema = description.from_json(parse(read_bounded(folder / SCHEMA, MAX_BYTES)))
        if not isinstance(schema, TableSchema) or spec.is_regression != about.is_regression:
            raise InvalidFile("another set's")
    with _named(folder / PREPROCESS):
        content = read_bounded(folder / PREPROCESS, MAX_BYTES)
        fitted = preprocess_file.to_preprocessor(content, schema, about.project, about.booleans)
        # A network takes numbers by their place in a row.
        if replace(spec, **fitted.describe()) != spec or fitted.num_features != about.num_features:
            raise InvalidFile("columns in another order than the schema's")
    with _named(folder / FINDINGS):
        findings = findings_from_plain(json.loads(read_bounded(folder / FINDINGS, MAX_BYTES)))
    rows = (about.num_rows,)
    record, places = read_record(folder), map_array(folder / SPLIT_FILE, "u", rows)
    if record is None or record.num_rows != about.num_rows:
        raise damaged(folder / DATA_FILE, "another set's", AGAIN)
    y = np.array(map_array(folder / Y, "iufb", rows))
    with _named(folder / Y):
        y = np.array(about.labels, dtype=object)[y] if about.labels else y
    return PreparedSet(
        about=about,
        target=spec.target,
        x=map_array(folder / X, "f", (about.num_rows, about.num_features)),
        y=y,
        names=np.array(map_array(folder / ROWS, "iu", rows)),
        splits={split: np.flatnonzero(places == place) for place, split in enumerate(SPLITS)},
        schema=schema,
        preprocessor=fitted,
        record=record,
        findings=tuple(findings),
    )


def _read_list(folder: Path) -> PreparedList:
    with _named(folder / LIST):
        content = parse(read_bounded(folder / LIST, MAX_BYTES))
        found = content.get("format") if isinstance(content, dict) else None
        if found != FORMAT:
            got = f"format {found}; this Kindling reads format {FORMAT}"
            raise damaged(folder / LIST, got, "prepare the set again")
        about: PreparedList = decode(PreparedList, content, LIST)
        if set(about.files) != FILES:
            raise InvalidFile(f"a list of other files: {sorted(about.files)}"[:200])
    return about


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Add the file's name to what is wrong with it."""
    try:
        yield
    except DataError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError, AssertionError) as error:
        raise damaged(file, str(error) or type(error).__name__, AGAIN) from error
