"""Hash each row of a table or each image, and its label, so that changed rows can be named later.

64 bits tell rows apart that differ by mistake; they do not stand against forgery. A table is hashed
by its raw cells, in a few passes of NumPy over Arrow's own buffers: about 5 ns a byte of text.
"""

import functools
import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kindling.images.arrays import content_hash
from kindling.raw_data import RawData, RawTable
from kindling.tables.formats import HELD_BYTES

BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
INVERSE = pow(BASE, -1, 1 << 64)
NO_VALUE = np.uint64(0x5851F42D4C957F2D)
BLOCK_BYTES = 1 << 20


def hash_inputs(raw: RawData) -> np.ndarray | None:
    """Return uint64 (N,), equal where the raw cells or the pixels are; None where that costs much.

    A large file would have to be read once more for that: `hash_file` has to do.
    """
    if isinstance(raw.x, np.ndarray):
        if raw.content_hashes is not None:
            return raw.content_hashes
        return np.fromiter(map(content_hash, raw.x), np.uint64, len(raw.x))
    if any(is_large(table) for table in raw.x):
        return None
    names = raw.x[0].names
    hashes = [
        hash_rows(chunk.select([name for name in names if name in chunk.column_names]))
        for table in raw.x
        for chunk in table.chunks()
    ]
    return np.concatenate(hashes)


def is_large(table: RawTable) -> bool:
    """Say whether a table is read anew from its files whenever it is looked at."""
    return sum(file.stat().st_size for file in table.files) > HELD_BYTES


def hash_file(table: RawTable) -> str:
    """Return the SHA-256 of the bytes of a large table's files; "" of one whose rows are hashed."""
    if not is_large(table):
        return ""
    digest = hashlib.sha256()
    for file in table.files:
        with file.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def hash_labels(y: np.ndarray) -> np.ndarray:
    """Return uint64 (N,), equal where labels or values are."""
    if y.dtype == np.float64:
        return mix((y + 0.0).view(np.uint64))  # -0.0 becomes 0.0
    codes, distinct = pd.factorize(y)
    words = [
        hashlib.blake2b(str(label).encode(errors="surrogateescape"), digest_size=8)
        for label in distinct
    ]
    return np.array([int.from_bytes(w.digest(), "little") for w in words], np.uint64)[codes]


def hash_rows(table: pa.Table) -> np.ndarray:
    """Return uint64 (N,) of the cells of each row, whatever the order of the columns."""
    total = np.zeros(len(table), np.uint64)
    for name in table.column_names:
        seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
        parts = [hash_cells(chunk) for chunk in table.column(name).chunks]
        if parts:
            total += mix(np.concatenate(parts) ^ np.uint64(seed))
    return total


def hash_cells(cells: pa.Array) -> np.ndarray:
    """Return uint64 (N,) of the cells of one column."""
    kind = cells.type
    if pa.types.is_string(kind):
        hashes = _hash_text(cells)
    elif pa.types.is_floating(kind):
        hashes = (_to_numpy(cells, pa.float64()) + 0.0).view(np.uint64)
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        hashes = _to_numpy(cells, pa.int64()).view(np.uint64)
    else:
        hashes = _hash_text(_as_text(cells))
    return np.where(cells.is_null().to_numpy(zero_copy_only=False), NO_VALUE, mix(hashes))


def _to_numpy(cells: pa.Array, kind: pa.DataType) -> np.ndarray:
    return pc.fill_null(pc.cast(cells, kind, safe=False), 0).to_numpy(zero_copy_only=False)


def _as_text(cells: pa.Array) -> pa.Array:
    """Write cells of any type as text; lists and structures, which Arrow does not cast, as JSON."""
    try:
        return pc.cast(cells, pa.string())
    except pa.ArrowException:
        written = [None if cell is None else repr(cell) for cell in cells.to_pylist()]
        return pa.array(written, pa.string())


def _hash_text(cells: pa.Array) -> np.ndarray:
    """Hash each text as a polynomial of its bytes, all of them by one running sum."""
    _, offsets, content = cells.buffers()
    ends = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    if content is None or len(ends) == 0:
        return np.zeros(len(cells), np.uint64)
    first, last = int(ends[0]), int(ends[-1])
    letters = np.frombuffer(content, np.uint8)[first:last].astype(np.uint64) + np.uint64(1)
    ends = ends - first
    powers, inverses = _powers(max(len(letters), 1).bit_length())
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(letters * powers[: len(letters)], out=sums[1:])
    # What stands before a text shifts its bytes to higher powers: the inverse takes that back.
    return (sums[ends[1:]] - sums[ends[:-1]]) * inverses[ends[:-1]]


@functools.lru_cache(maxsize=2)
def _powers(bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first 2^bits powers of BASE and of its inverse, modulo 2^64."""
    tables = []
    for base in (BASE, INVERSE):
        powers = np.full((1 << bits) + 1, base, np.uint64)
        powers[0] = 1
        tables.append(np.multiply.accumulate(powers))
    return tables[0], tables[1]


def mix(values: np.ndarray) -> np.ndarray:
    """Scramble uint64, as `rng.mix` does one number."""
    values = values + np.uint64(BASE)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
