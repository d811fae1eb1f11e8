"""What a project uses of the toolkit: names that its code imports, and keys that its conf/ has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TOOLKIT = "kindling"
KEY = re.compile(r"^( *)(?:- )?([\w/]+):(?: |$)")
DOTTED = re.compile(rf"\b{TOOLKIT}(?:\.\w+)+")
READ = re.compile(r"\bcfg(?:\.(\w+)|\[\"(\w+)\"\])")


def used_names(root: Path) -> dict[str, set[str]]:
    """Return dotted names of the toolkit, and keys, each with the files that use it."""
    found: dict[str, set[str]] = {}
    for file in own_code(root):
        for name in imported_names(file.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(file.relative_to(root).as_posix())
    for file in sorted((root / "conf").rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        for name in (*DOTTED.findall(text), *keys_of(text, section_of(file, root / "conf"))):
            found.setdefault(name, set()).add(file.relative_to(root).as_posix())
    return found


def own_code(root: Path) -> list[Path]:
    """List the Python files of a project that are not the toolkit's."""
    files = [root / "train.py", *(root / "src").rglob("*.py"), *(root / "tests").rglob("*.py")]
    toolkit = root / "src" / TOOLKIT
    return sorted(file for file in files if file.is_file() and not file.is_relative_to(toolkit))


def imported_names(text: str) -> Iterator[str]:
    """Give module.name for each name that a file imports of the toolkit, wherever it does so."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == TOOLKIT:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] == TOOLKIT)


def section_of(file: Path, conf: Path) -> str:
    """Return the key under which a file of conf/ lies: its group, or none at the root."""
    is_global = "@package _global_" in file.read_text(encoding="utf-8")
    return "" if file.parent == conf or is_global else f"{file.parent.name}."


def keys_of(text: str, section: str) -> Iterator[str]:
    """Give the dotted keys of a YAML text in block style, by its indentation."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        if found := KEY.match(line):
            depth, key = len(found[1]), found[2]
            above = [(d, k) for d, k in above if d < depth] + [(depth, key)]
            yield section + ".".join(k for _, k in above)


def gone(names: dict[str, set[str]], src: Path) -> dict[str, set[str]]:
    """Return those of the names that a toolkit does not have, with the files that use them.

    Args:
        names: see `used_names`.
        src: the folder that the toolkit lies in.
    """
    mine = {name: files for name, files in names.items() if name.split(".")[0] == TOOLKIT}
    return {name: files for name, files in mine.items() if not has_name(name, src)}


def has_name(name: str, src: Path) -> bool:
    """Say whether a dotted name is a module, or is defined in one; of methods only the class."""
    parts, place = name.split("."), src
    for number, part in enumerate(parts):
        file = (place / part).with_suffix(".py")
        if file.is_file():
            return number == len(parts) - 1 or defines(file, parts[number + 1])
        if not (place / part).is_dir():
            return number > 0 and defines(place / "__init__.py", part)
        place /= part
    return True


def defines(file: Path, name: str) -> bool:
    """Say whether a module has a name at its top: a class, a function, a value or an import."""
    text = file.read_text(encoding="utf-8")
    at_top = rf"^(?:class |def |async def ){name}\b|^{name}\b[^=\n]*=|\bimport\b[^#]*\b{name}\b"
    return re.search(at_top, text, re.MULTILINE) is not None


def keys_read(toolkit: Path) -> set[str]:
    """Name the keys at the root of a configuration that the toolkit's code reads."""
    texts = (file.read_text(encoding="utf-8") for file in toolkit.rglob("*.py"))
    return {a or b for text in texts for a, b in READ.findall(text)}
