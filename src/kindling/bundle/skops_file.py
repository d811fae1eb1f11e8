"""Hold a skops file of unknown origin against one of our own, and take over what it may decide.

A skops file is a zip: schema.json describes the objects, and each array is a .npy beside it. The
file's description must be ours; its arrays must have the dtypes and shapes of ours. What has been
learnt by an estimator that is not in STRICT may also differ in numbers and in lengths of arrays.
"""

import io
import math
import zipfile
from typing import Any

import numpy as np

from kindling.json_codec import InvalidFile, parse
from kindling.tables.column_types import LARGEST

DESCRIPTION = "schema.json"  # skops's name for it
STRICT = {
    *("ColumnTransformer", "Pipeline", "SimpleImputer", "OrdinalEncoder"),
    *("StandardScaler", "RobustScaler", "MinMaxScaler", "MaxAbsScaler"),
}
NUM_ROWS = "n_samples_seen_"  # of the train rows; a plain number in some scalers
# An object's number in a memory, and the releases that wrote a file.
OF_NO_MEANING = {"__id__", "_skops_version", "_sklearn_version"}
CHANGED = "train again if the project's preprocessing was changed since, or take the change back"
MAX_MEMBERS, MAX_DIRECTORY = 1000, 2**20  # files in a zip; bytes that list them


def read_zip(content: bytes) -> dict[str, bytes]:
    """Read a zip whose members are neither packed nor more than there are bytes."""
    # The end of a zip, as we write it: the directory's size, no comment, no wider numbers.
    end, size = content[-22:-18], int.from_bytes(content[-10:-6], "little")
    if end != b"PK\5\6" or content[-42:-38] == b"PK\6\7" or size > MAX_DIRECTORY:
        raise InvalidFile("no zip, or one whose directory was not written so")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or len({m.filename for m in members}) < len(members):
                raise InvalidFile(f"a zip of {len(members)} members, too many or of the same name")
            packed = any(m.compress_type or m.file_size != m.compress_size for m in members)
            if packed or sum(m.file_size for m in members) > len(content):
                raise InvalidFile("a zip that is packed: it could unfold to any size")
            files = {m.filename: archive.read(m) for m in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(f"no zip that can be read: {error}") from error
    if DESCRIPTION not in files:
        raise InvalidFile(f"a zip without {DESCRIPTION}")
    return files


def write_zip(files: dict[str, bytes]) -> bytes:
    """Write files into a zip, not packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class Takeover:
    """Takes from a file what may differ from the template, and refuses any other difference.

    Args:
        given: the members of the file's zip.
        template: those of the template's.
    """

    arrays: dict[str, bytes]  # of the file, under the template's names

    def __init__(self, given: dict[str, bytes], template: dict[str, bytes]) -> None:
        self.given, self.template = given, template
        self.arrays, self.named, self.num_learnt = {}, set[str](), 0

    def compare(self, given: Any, mine: Any) -> None:
        """Refuse any other difference between two descriptions, and members that neither names.

        Args:
            given: the file's description.
            mine: the template's; numbers that the file may decide are put into it.
        """
        self._compare(given, mine, "", is_free=False)
        extra = sorted(set(self.given) - self.named - {DESCRIPTION})
        if extra:
            raise InvalidFile(f"an array {ascii(extra[0])[:60]} that nothing refers to")

    def _compare(self, given: Any, mine: Any, where: str, *, is_free: bool) -> None:
        if isinstance(mine, dict) and isinstance(given, dict):
            _same(sorted(given), sorted(mine), where)
            is_estimator = mine.get("__loader__") == "ObjectNode"
            is_free = is_free or (is_estimator and mine["__class__"] not in STRICT)
            may_differ = is_free or where.endswith(f".{NUM_ROWS}")
            if may_differ and _are_learnt_numbers(given, mine, where):
                self.num_learnt += 1
                # A number of its own for skops, which builds objects of one number only once.
                mine |= {"content": given["content"], "__id__": -self.num_learnt}
            for key in mine:
                if key == "file":
                    self._take_array(str(given[key]), mine[key], is_free=is_free)
                elif key not in OF_NO_MEANING:
                    self._compare(given[key], mine[key], f"{where}.{key}", is_free=is_free)
        elif isinstance(mine, list) and isinstance(given, list):
            _same(len(given), len(mine), where)
            for number, (theirs, ours) in enumerate(zip(given, mine, strict=True)):
                self._compare(theirs, ours, f"{where}[{number}]", is_free=is_free)
        else:
            _same((type(given), given), (type(mine), mine), where)

    def _take_array(self, name: str, mine: str, *, is_free: bool) -> None:
        """Take an array of the template's dtype and shape; a free one may have other lengths."""
        if name not in self.given:
            raise InvalidFile(f"no array {ascii(name)[:60]}")
        self.named.add(name)
        content, own = self.given[name], self.template[mine]
        my_array = np.load(io.BytesIO(own), allow_pickle=False)
        start = len(own) - my_array.nbytes
        is_same = len(content) == len(own) and content[:start] == own[:start]
        if not is_same:
            if not is_free:
                wanted = f"{my_array.dtype} {my_array.shape}"
                got = f"an array {ascii(name)[:60]} of another dtype or shape than {wanted}"
                raise InvalidFile(got)
            start = _start_of_numbers(content, my_array)
        numbers = np.frombuffer(content[start:], my_array.dtype)
        if numbers.dtype.kind == "f" and np.isnan(numbers).any():
            raise InvalidFile(f"an array {ascii(name)[:60]} with nan in it")
        if is_free and numbers.dtype.kind in "fc" and not np.isfinite(numbers).all():
            raise InvalidFile(f"an array {ascii(name)[:60]} with infinity in it")
        if self.arrays.setdefault(mine, content) != content:
            raise InvalidFile(f"an array {ascii(name)[:60]} where another one is referred to again")


def _are_learnt_numbers(given: dict[str, Any], mine: dict[str, Any], where: str) -> bool:
    """Say whether both describe a number, in what scikit-learn calls an attribute it has learnt."""
    is_learnt = where.endswith("_") and not where.endswith("__")
    if not is_learnt or not mine.get("__loader__") == given.get("__loader__") == "JsonNode":
        return False
    numbers = [parse(str(node["content"]).encode()) for node in (given, mine)]
    types = {type(number) for number in numbers}
    return len(types) == 1 and types <= {int, float} and math.fabs(numbers[0]) <= LARGEST


def _start_of_numbers(content: bytes, mine: np.ndarray) -> int:
    """Return where the numbers of a .npy begin, if it holds exactly as many as its shape says."""
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):  # the version that skops writes
            raise ValueError
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a header may hold anything, and its reader raise anything
        raise InvalidFile("an array that is no .npy") from error
    is_alike = dtype == mine.dtype and len(shape) == mine.ndim and shape[1:] == mine.shape[1:]
    has_room = len(content) - stream.tell() == math.prod(shape) * dtype.itemsize
    if not is_alike or min(shape, default=1) < 0 or not has_room:
        wanted = f"{mine.dtype} of {mine.shape} but for the first length"
        raise InvalidFile(f"an array {dtype} {shape} in {len(content):,} bytes, not {wanted}")
    return stream.tell()


def _same(given: Any, mine: Any, where: str) -> None:
    if given != mine:
        near = where.replace(".content", "")[-80:]
        got = f"{str(given)[:60]} at {near}, where {str(mine)[:60]} belongs"
        raise InvalidFile(got, CHANGED)
