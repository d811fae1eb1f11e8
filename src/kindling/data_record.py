"""What data a run is made of: RUN/data.json, a digest of rows, labels, split, classes and columns.

It is kept with the run, and its digest in the checkpoint, so that nothing goes on, is scored or is
averaged on other rows without a word. `data_differences.py` says how two records differ.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kindling.bounded_files import damaged, read_bounded
from kindling.contract import DescribedData
from kindling.files import write_atomically
from kindling.formatting import printable
from kindling.json_codec import InvalidFile, check_format, decode, parse, to_bytes
from kindling.row_hashes import hash_file, hash_inputs, hash_labels
from kindling.runs import DATA_FILE
from kindling.tables.schema import TableSchema
from kindling.types import SPLITS

FORMAT = 1
NAMED_ROWS = 100_000  # with more, data.json would grow large: rows then differ without their names
MAX_BYTES = 1 << 26


@dataclass(frozen=True)
class FileRecord:
    """One table of rows: how many are used; of a large one the SHA-256 of its files' bytes."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class DataRecord:
    """The data of a run, as plain values.

    Args:
        format: of this record.
        target, problem_type, classes: what is learnt.
        columns: of a table: what each is taken for.
        image_shape: (channels, height, width), or None for a table.
        files: of a table.
        sizes: rows of each split.
        inputs, labels, split, test: SHA-256 of all cells or pixels in their order, of the labels,
            of what split each row is in, and of the test rows with their labels.
        names: of each row, in order: an image's path, or a row's number in its file; none, as the
            next three, where there are more than NAMED_ROWS.
        input_hashes, label_hashes: uint32 of each row, little-endian, in base64; "" where unknown.
        splits: a digit for each row, its place in SPLITS.
    """

    format: int
    target: str
    problem_type: str
    classes: tuple[str, ...]
    columns: Mapping[str, str]
    image_shape: tuple[int, ...] | None
    files: tuple[FileRecord, ...]
    sizes: Mapping[str, int]
    inputs: str
    labels: str
    split: str
    test: str
    names: tuple[str, ...]
    input_hashes: str
    label_hashes: str
    splits: str

    @property
    def num_rows(self) -> int:
        return sum(self.sizes.values())

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what is learnt; where the files lie is not part of it."""
        parts = [self.format, self.target, self.problem_type, self.classes, self.image_shape]
        parts += [dict(self.columns), [file.rows for file in self.files], dict(self.sizes)]
        return sha256(to_bytes([*parts, self.inputs, self.labels, self.split]))

    def row(self, position: int) -> str:
        """Name a row for a person."""
        name = self.names[position] if self.names else str(position)
        if self.image_shape is not None:
            return printable(name)
        ends = np.cumsum([file.rows for file in self.files])
        is_one = len(ends) < 2
        of = (
            ""
            if is_one
            else f" of {self.files[int(np.searchsorted(ends, position, 'right'))].name}"
        )
        return printable(f"row {name}{of}")


def sha256(*contents: bytes) -> str:
    """Return the SHA-256 of several pieces, in hexadecimal digits."""
    whole = hashlib.sha256()
    for content in contents:
        whole.update(content)
    return whole.hexdigest()


def make_record(data: DescribedData) -> DataRecord:
    """Describe data that are read, split and fitted."""
    raw, spec, schema = data.raw, data.spec, data.schema
    if raw.record is not None:  # the raw cells are no longer at hand
        return raw.record
    tables = raw.x if isinstance(raw.x, tuple) else ()
    files = tuple(FileRecord(Path(str(t.file)).name, len(t.rows), hash_file(t)) for t in tables)
    inputs, labels = hash_inputs(raw), hash_labels(raw.y)
    places = np.full(len(raw.y), len(SPLITS), np.uint8)
    for place, split in enumerate(SPLITS):
        places[data.split[split]] = place
    test = np.flatnonzero(places == SPLITS.index("test"))
    whole = b"".join(file.sha256.encode() for file in files) if inputs is None else inputs.tobytes()
    of_test = whole + test.tobytes() if inputs is None else inputs[test].tobytes()
    is_table = isinstance(schema, TableSchema)
    has_names = len(raw.y) <= NAMED_ROWS
    return DataRecord(
        format=FORMAT,
        target=spec.target,
        problem_type=spec.problem_type,
        classes=spec.classes,
        columns={c.name: c.column_type for c in schema.columns} if is_table else {},
        image_shape=spec.image_shape,
        files=files,
        sizes={split: len(data.split[split]) for split in SPLITS},
        inputs=sha256(whole),
        labels=sha256(labels.tobytes()),
        split=sha256(places.tobytes()),
        test=sha256(of_test, labels[test].tobytes()),
        names=tuple(map(_utf8, raw.names.tolist())) if has_names else (),
        input_hashes=_pack(inputs) if has_names and inputs is not None else "",
        label_hashes=_pack(labels) if has_names else "",
        splits="".join(map(str, places.tolist())) if has_names else "",
    )


def _utf8(name: object) -> str:
    return str(name).encode(errors="backslashreplace").decode()


def _pack(hashes: np.ndarray) -> str:
    return base64.b64encode((hashes >> np.uint64(32)).astype("<u4").tobytes()).decode()


def unpack(text: str) -> np.ndarray:
    """Return uint32 (N,) of a record's hashes."""
    return np.frombuffer(base64.b64decode(text, validate=True), "<u4")


def write_record(run: Path, record: DataRecord) -> None:
    """Write RUN/data.json, a line for each key: those of all rows are long."""
    lines = ",\n".join(
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in asdict(record).items()
    )
    write_atomically(run / DATA_FILE, f"{{\n{lines}\n}}\n")


def read_record(run: Path) -> DataRecord | None:
    """Read RUN/data.json, which may be anybody's; None where the run has none.

    Raises:
        DataError: it is not what Kindling writes.
    """
    file = run / DATA_FILE
    if not file.is_file():
        return None
    try:
        content = parse(read_bounded(file, MAX_BYTES))
        check_format(content, FORMAT)
        record: DataRecord = decode(DataRecord, content, DATA_FILE)
        for text in (record.input_hashes, record.label_hashes):
            if text and len(unpack(text)) != record.num_rows:
                raise InvalidFile("hashes of another number of rows")
        if len(record.names) not in (0, record.num_rows):
            raise InvalidFile(f"{len(record.names)} names")
        if sum(each.rows for each in record.files) not in (0, record.num_rows):
            raise InvalidFile("files of another number of rows")
    except ValueError as error:  # base64 raises it too
        fix = getattr(error, "fix", "") or "bring it back, or start a new run: leave resume= out"
        raise damaged(file, printable(str(error)), fix) from error
    return record
