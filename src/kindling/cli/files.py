"""Files, folders and globs as they were typed in; the tables or images to read, in order, out."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from kindling.errors import DataError, Problem, permitted
from kindling.images.decoding import image_suffixes
from kindling.images.image_schema import ImageSchema
from kindling.tables.formats import table_suffixes
from kindling.tables.schema import TableSchema


def find_files(
    words: Sequence[str], schema: TableSchema | ImageSchema, not_this: Path | None = None
) -> list[Path]:
    """List the files that are meant, in the order of the words; folders by the names in them.

    Args:
        words: paths and patterns such as "photos/*.png" or "photos/**/*.png".
        schema: says whether tables or images are looked for in a folder.
        not_this: the file that will be written.
    """
    suffixes = image_suffixes(schema) if isinstance(schema, ImageSchema) else table_suffixes()
    what = "images" if isinstance(schema, ImageSchema) else "tables"
    found: list[Path] = []
    problems = []
    for word in words:
        with permitted(word):
            files = _files_of(word, suffixes)
        if not files:
            rule, fix = "FILE must be a file, or a folder or pattern with some", "correct the path"
            got = f"no {what} in {word}" if Path(word).is_dir() else f"nothing at {word}"
            problems.append(Problem(rule, got, fix))
        found += files
    if not_this is not None and any(_is_same(file, not_this) for file in found):
        rule, fix = "predictions must not replace what they are made from", "type another -o"
        problems.append(Problem(rule, f"-o {not_this}", fix))
    if problems:
        raise DataError(*problems)
    return found


def _files_of(word: str, suffixes: set[str]) -> list[Path]:
    path = Path(word)
    if path.is_dir():
        inside = (file for file in _below(path) if file.suffix.lower() in suffixes)
        return sorted(file for file in inside if file.is_file())
    if path.exists():
        return [path]
    try:
        matching = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
        return sorted(file for file in matching if file.is_file())
    except ValueError:  # "a**" is no pattern
        return []


def _below(folder: Path) -> Iterator[Path]:
    """Give what lies in a folder and those in it, but for what is hidden."""
    for name, folders, files in os.walk(folder, onerror=_raise):  # a glob leaves out what is closed
        folders[:] = [inner for inner in folders if inner[0] != "."]
        yield from (Path(name) / file for file in files if file[0] != ".")


def _raise(error: OSError) -> None:
    raise error


def _is_same(file: Path, other: Path) -> bool:
    return other.exists() and file.samefile(other)
