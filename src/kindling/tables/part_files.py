"""Find the files of one table: a single file, those of a folder, or those that a pattern names.

Rows are numbered over all files, in the order of their names. Folders that mean more than their
files do (partitions, Delta, Hudi) are refused: what their names say would be lost.
"""

import difflib
import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path, PurePath, PurePosixPath

import numpy as np

from kindling.errors import DataError, Problem
from kindling.files import is_url
from kindling.fixes import Setting
from kindling.formatting import first_few
from kindling.tables.formats import table_suffixes
from kindling.tables.remote import CachedFile, fetch_files, list_remote, unreachable

MARKS = (".", "_")  # names of what is no rows begin with these: _SUCCESS, .part.crc, _metadata
LOGS = {"_delta_log": "Delta", ".hoodie": "Hudi"}  # folders that say which files are still valid
OPEN_FORMAT = "write its newest rows as Parquet files and give their folder"
NO_PARTITIONS = (
    "write the table without partitions, their key as a column of the files",
    "give the folder of one",
)


@dataclass(frozen=True)
class PartFiles:
    """The files that a table consists of, in the order of their rows; as text, what was typed.

    Args:
        name: what to call the table in a message.
        files: of it, one at least.
        left_out: names of what else lies there.
        starts: the number of each file's first row, where the rows are counted.
    """

    name: str
    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def num_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)

    def counted(self, sizes: Iterable[int]) -> "PartFiles":
        """Return it with the number of each file's first row."""
        return replace(self, starts=tuple(accumulate(sizes, initial=0))[:-1])

    def locate(self, rows: np.ndarray) -> tuple[str, np.ndarray]:
        """Name the file of the first of some rows, with the numbers in it of those that it has."""
        if len(self.starts) < 2:
            return self.name, rows
        which = np.searchsorted(self.starts, rows, side="right") - 1
        first = int(which[0])
        return str(self.files[first]), rows[which == first] - self.starts[first]


def locate(place: str | PartFiles, rows: np.ndarray) -> tuple[str, np.ndarray]:
    """Name the file of the first of some rows, and their numbers in it; see `PartFiles.locate`."""
    return (place, rows) if isinstance(place, str) else place.locate(rows)


def find_parts(path: str | Path) -> PartFiles:
    """List the files of a table, of a URL those in the cache; none where nothing is at the path.

    Raises:
        DataError: the names of folders say what no file does, or a store gives nothing.
    """
    if isinstance(path, CachedFile):  # fetched before
        return PartFiles(str(path), (path,))
    if is_url(path):
        return _at_url(str(path))
    place, name = Path(path), str(path)
    if place.is_file():
        return PartFiles(name, (place,))
    if place.is_dir():
        return _found(name, *_in_folder(place))
    matches = [Path(match) for match in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
    files = [match for match in matches if match.is_file()]
    for folder in {file.parent for file in files}:
        refuse_logs(name, [path.name for path in folder.iterdir()])
    refuse_partitions(name, _differing(file.parent.parts for file in files))
    return _found(name, [f for f in files if f.name[0] not in MARKS], files)


def _found(name: str, files: Sequence[Path], seen: Iterable[Path]) -> PartFiles:
    left_out = tuple(path.name for path in seen if path not in files)
    # A single file is called by its own name, so that a message names it.
    return PartFiles(str(files[0]) if len(files) == 1 else name, tuple(files), left_out)


def _at_url(url: str) -> PartFiles:
    """Fetch what a store has at a URL: a file, a folder's or a pattern's."""
    files, folders = list_remote(url)
    name = url.partition("?")[0]
    refuse_logs(name, folders)
    refuse_partitions(name, folders)
    if below := [folder for folder in folders if folder[0] not in MARKS]:
        rule = f"a table in several files must lie in one folder ({name})"
        got, fix = f"folders {first_few(below)}", "give a pattern of its files"
        raise DataError(Problem(rule, got, fix, "D021", file=name))
    tables = [file for file in files if len(files) == 1 or _is_table(PurePosixPath(file.url))]
    if not tables:
        raise unreachable(name, "no table is there")
    left_out = tuple(PurePosixPath(file.url).name for file in files if file not in tables)
    cached = tuple(fetch_files(tables))
    return PartFiles(str(cached[0]) if len(cached) == 1 else name, cached, left_out)


def _is_table(path: PurePath) -> bool:
    return path.name[0] not in MARKS and path.suffix.lower() in table_suffixes()


def _in_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the tables in a folder, and all that lies there."""
    inside = sorted(folder.iterdir(), key=lambda path: path.name)
    refuse_logs(str(folder), [path.name for path in inside])
    visible = [path for path in inside if path.name[0] not in MARKS]
    refuse_partitions(str(folder), {path.name for path in visible if path.is_dir()})
    tables = [path for path in inside if _is_table(path)]
    below = [path for path in visible if path.is_dir() and _holds_tables(path)]
    if below:
        rule = f"a table in several files must lie in one folder ({folder})"
        got = f"tables in {first_few(path.name + '/' for path in below)}"
        fix = f"give one of these folders, or a pattern such as {folder}/**/*{_ending(below[0])}"
        raise DataError(Problem(rule, got, fix, "D021", file=str(folder)))
    return [path for path in tables if path.is_file()], inside


def _holds_tables(folder: Path) -> bool:
    return any(path.suffix.lower() in table_suffixes() for path in folder.rglob("*"))


def _ending(folder: Path) -> str:
    return next(p.suffix for p in folder.rglob("*") if p.suffix.lower() in table_suffixes())


def refuse_logs(name: str, inside: Sequence[str]) -> None:
    """Raise a DataError where files are no longer valid because a log beside them says so."""
    for log, what in LOGS.items():
        if log in inside:
            rule = f"the rows of a table must be those of its files ({name})"
            got = f"{log}: a {what} table, whose log says which rows are still valid"
            raise DataError(Problem(rule, got, OPEN_FORMAT, "D021", file=name))


def refuse_partitions(name: str, folders: Iterable[str]) -> None:
    """Raise a DataError where folders hold what a column should: year=2023/, year=2024/."""
    keys = sorted(folder for folder in folders if folder.partition("=")[0].isidentifier())
    keys = [key for key in keys if "=" in key]
    if keys:
        rule = f"every column of {name} must stand in its files"
        got = f"folders {first_few(keys)}, whose names are a column"
        raise DataError(Problem(rule, got, NO_PARTITIONS, "D021", file=name))


def _differing(folders: Iterable[Sequence[str]]) -> set[str]:
    """Return the names of folders that some files lie in, and others do not."""
    names: list[set[str]] = [set(parts) for parts in folders]
    return set[str]().union(*names).difference(names[0].intersection(*names)) if names else set()


def nothing_at(key: str, path: str) -> Problem:
    """Say that a path leads to no table, and what is near to it."""
    rule, fix = f"{key} must be a file, a folder of files or a pattern", _near_file(path) or ...
    return Problem(rule, _what_is_at(path), Setting(key, fix), "D001")


def used_twice(key: str, path: str, file: Path, other: str) -> Problem:
    """Say that rows are given for two splits."""
    rule = "val and test files must differ from the training file"
    got = f"{key}={path}, which is {other}" if path == str(file) else f"{file} in {key} and {other}"
    return Problem(rule, got, Setting(key, None, "to split rows off"), "D009")


def file_identity(path: Path) -> object:
    """Return what is equal for one file under two names, such as a link to it."""
    try:
        status = path.stat()
    except OSError:
        return path.absolute()
    return status.st_dev, status.st_ino


def _what_is_at(path: str) -> str:
    """Say what was found in place of a file, and what lies beside it."""
    place = Path(path)
    if place.is_dir():
        return f"the folder {path}, with no table in it"
    near = _near_file(path)
    return f"nothing at {place.absolute()}" + (f", but there is {Path(near).name}" if near else "")


def _near_file(path: str) -> str | None:
    """Return the path of a file in the same folder whose name is nearly the same."""
    place = Path(path)
    beside = {p.name: p for p in place.parent.glob("*")} if place.parent.is_dir() else {}
    near = difflib.get_close_matches(place.name, beside, n=1)
    return str(beside[near[0]]) if near else None
