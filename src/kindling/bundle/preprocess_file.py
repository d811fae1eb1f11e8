"""A fitted TablePreprocessor in, the bytes of a skops file out; and the way back, checked first.

What skops gets to read is never the file's own description of objects. The transformer that
belongs to the schema is fitted anew on a few made-up rows and described by skops; a file must
hold the very same description, and only its arrays (medians, means, scales) are taken from it.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from kindling.bundle.json_codec import InvalidFile, parse
from kindling.registry import PREPROCESSING, load
from kindling.tables.column_types import MISSING
from kindling.tables.preprocessor import TablePreprocessor
from kindling.tables.schema import TableSchema

TRUSTED = ["numpy.dtype"]  # beyond scikit-learn's own classes that skops trusts
# An object's number in a memory, and the releases that wrote a file.
OF_NO_MEANING = {"__id__", "_skops_version", "_sklearn_version"}
MAX_ARRAYS, MAX_DIRECTORY = 1000, 2**20  # members of a zip; bytes that list them
SCHEMA = "schema.json"


def to_bytes(preprocessor: TablePreprocessor) -> bytes:
    """Write the fitted transformer down."""
    import skops.io  # late: half a second

    return skops.io.dumps(preprocessor.transformer_)


def to_preprocessor(content: bytes, schema: TableSchema) -> TablePreprocessor:
    """Rebuild what was fitted, for a schema that is already known to be sound."""
    given = open_zip(content)
    described = parse(given[SCHEMA])
    preprocessor = fit_template(schema, booleans_in(described))
    template = open_zip(to_bytes(preprocessor))
    names = dict(_pairs(described, parse(template[SCHEMA]), ""))
    extra = sorted(set(given) - set(names.values()) - {SCHEMA})
    if extra:
        raise InvalidFile(f"an array {ascii(extra[0])[:60]} that nothing refers to")
    arrays = {mine: _array(given, theirs, template[mine]) for mine, theirs in names.items()}
    preprocessor.transformer_ = _load(template | arrays)
    return preprocessor


def _load(files: dict[str, bytes]) -> Any:
    import skops.io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return skops.io.loads(buffer.getvalue(), trusted=TRUSTED)


def booleans_in(described: Any) -> set[str]:
    """Look up which columns a description calls booleans; everything else will have to agree."""
    try:
        _, step, _ = described["content"]["content"]["transformers"]["content"]
        names = [json.loads(name["content"]) for name in step["content"][2]["content"]]
        return {str(name) for name in names}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidFile("a description of something else than three steps for columns") from error


def fit_template(schema: TableSchema, booleans: set[str]) -> TablePreprocessor:
    """Fit on made-up rows that have the kinds and levels of the schema, but not its numbers."""
    cells: dict[str, pd.Series] = {}
    for column in schema.used:
        for name in column.features:
            if column.column_type == "category":
                cells[name] = pd.Series([MISSING] * 3, dtype=object)
            else:
                cells[name] = pd.Series([0.0, 1.0, 1.0 if name in booleans else 2.0])
    return TablePreprocessor(load(PREPROCESSING)).fit(pd.DataFrame(cells), schema)


def open_zip(content: bytes) -> dict[str, bytes]:
    """Read a zip whose members are neither packed nor more than there are bytes."""
    # The end of a zip, as we write it: the directory's size, no remark, no wider numbers.
    end, size = content[-22:-18], int.from_bytes(content[-10:-6], "little")
    if end != b"PK\5\6" or content[-42:-38] == b"PK\6\7" or size > MAX_DIRECTORY:
        raise InvalidFile("no zip, or one with a directory of its own kind")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS or len({m.filename for m in members}) < len(members):
                raise InvalidFile(f"a zip of {len(members)} members, too many or of the same name")
            packed = any(m.compress_type or m.file_size != m.compress_size for m in members)
            if packed or sum(m.file_size for m in members) > len(content):
                raise InvalidFile("a zip that is packed: it could unfold to any size")
            files = {m.filename: archive.read(m) for m in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(f"no zip that can be read: {error}") from error
    if SCHEMA not in files:
        raise InvalidFile(f"a zip without {SCHEMA}")
    return files


def _pairs(given: Any, mine: Any, where: str) -> Iterator[tuple[str, str]]:
    """Refuse any difference; yield (my array, the file's array) for each that is referred to."""
    if isinstance(mine, dict) and isinstance(given, dict):
        _same(sorted(given), sorted(mine), where)
        for key in mine:
            if key == "file":
                yield mine[key], str(given[key])
            elif key not in OF_NO_MEANING:
                yield from _pairs(given[key], mine[key], f"{where}.{key}")
    elif isinstance(mine, list) and isinstance(given, list):
        _same(len(given), len(mine), where)
        for number, (theirs, ours) in enumerate(zip(given, mine, strict=True)):
            yield from _pairs(theirs, ours, f"{where}[{number}]")
    else:
        _same((type(given), given), (type(mine), mine), where)


def _same(given: Any, mine: Any, where: str) -> None:
    if given != mine:
        near = where.replace(".content", "")[-80:]
        raise InvalidFile(f"{str(given)[:60]} at {near}, where {str(mine)[:60]} belongs")


def _array(files: dict[str, bytes], name: str, mine: bytes) -> bytes:
    """Return an array's bytes, if shape and dtype are those of my own one and it is finite."""
    if name not in files:
        raise InvalidFile(f"no array {ascii(name)[:60]}")
    content, my_array = files[name], np.load(io.BytesIO(mine), allow_pickle=False)
    start = len(mine) - my_array.nbytes
    if len(content) != len(mine) or content[:start] != mine[:start]:
        raise InvalidFile(
            f"an array {ascii(name)[:60]} of another dtype or shape than {my_array.shape}"
        )
    numbers = np.frombuffer(content[start:], my_array.dtype)
    if numbers.dtype.kind == "f" and np.isnan(numbers).any():
        raise InvalidFile(f"an array {ascii(name)[:60]} with nan in it")
    return content
