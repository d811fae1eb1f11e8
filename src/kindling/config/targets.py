"""Check that the class which a `_target_` names is there, and find the one that was meant.

By reading files only: of a package of ours, or of the clone's, and of one that is not installed.
What another package has is asked of the package itself, when it is imported.
"""

import ast
import difflib
import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from kindling.config.definitions import find, read_module, with_bases
from kindling.errors import Problem
from kindling.registry import NETWORKS, registered

DEFINED = re.compile(r"^( {4}|)(class|def) (\w+)", re.MULTILINE)
TOOLKIT = __name__.partition(".")[0]


def target_problem(
    key: str, target: str, root: Path, where: Callable[[str], str]
) -> Problem | None:
    """Say that a dotted name leads nowhere; None where it leads to something, or may do so.

    Args:
        key: dotted, of the section.
        target: its `_target_`.
        root: the folder of the clone.
        where: names the file and the line of a dotted key.
    """
    names = target.split(".")
    if "${" in target or find(names) is not None:
        return None
    dotted = f"{key}._target_" if key else "_target_"
    rule, got = f"{dotted} must name a class or a function", f"{target} in {where(dotted)}"
    folder = _folder_of(names[0])
    if folder is None:
        if _is_installed(names[0]):
            return None
        tops = difflib.get_close_matches(
            names[0], [*_own_packages(root), "torch", "lightning"], n=1
        )
        meant = ".".join([*tops, *names[1:]])
        fix = f"did you mean {meant}?" if tops else f"install {names[0]}, or correct its name"
        return Problem(rule, got, fix)
    if names[0] not in _own_packages(root):
        return None
    missing = _missing(names)
    if missing is None:
        return None
    near = _nearest(target, folder)
    return Problem(rule, got, f"did you mean {near}?" if near else f"there is no {missing}")


def _missing(names: list[str]) -> str | None:
    """Return the shortest part of a dotted name that cannot be there; None in case of doubt."""
    for end in range(1, len(names)):
        module = read_module(".".join(names[: end + 1]))
        if module is not None:
            continue
        above = read_module(".".join(names[:end]))
        if above is None:
            return None  # not to be parsed: importing it shows where
        source, name = above.file.read_text(encoding="utf-8"), names[end]
        if "import *" in source or "__getattr__" in source:
            return None
        folder = above.file.parent / name
        is_module = above.file.name == "__init__.py" and folder.with_suffix(".py").exists()
        if is_module or folder.is_dir():  # one that cannot be parsed, or without __init__.py
            return None
        if re.search(rf"\b{name}\b", source) is None:
            return ".".join(names[: end + 1])
        return _missing_method(names, end)
    return None


def _missing_method(names: list[str], end: int) -> str | None:
    """Return the method that neither the class nor any class above it has."""
    found = find(names[: end + 1])
    if found is None or not isinstance(found.node, ast.ClassDef) or len(names) != end + 2:
        return None
    for each in with_bases(found):
        if each is None or re.search(rf"\b{names[-1]}\b", ast.unparse(each.node)):
            return None
    return ".".join(names)


def _nearest(target: str, folder: Path) -> str | None:
    """Find the class, function or method of a package that is most like a name."""
    known = set(_defined(folder))
    last = target.rpartition(".")[2]
    same = [name for name in known if name.rpartition(".")[2] == last]
    module = target.rpartition(".")[0]
    inside = [name for name in known if name.rpartition(".")[0] == module]
    for some, cutoff in ((same, 0.0), (inside, 0.6), (known, 0.8)):
        near = difflib.get_close_matches(target, sorted(some), n=1, cutoff=cutoff)
        if near:
            return near[0]
    return None


def _defined(folder: Path) -> Iterator[str]:
    """Give the dotted names of what is defined in a package, and of the methods of its classes."""
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        owner = ""
        for indent, kind, name in DEFINED.findall(file.read_text(encoding="utf-8")):
            if not indent:
                owner = f"{module}.{name}" if kind == "class" else ""
                yield f"{module}.{name}"
            elif owner:
                yield f"{owner}.{name}"


def _folder_of(top: str) -> Path | None:
    """Return the folder of a package; None where there is none."""
    module = read_module(top)
    is_package = module is not None and module.file.name == "__init__.py"
    return module.file.parent if module is not None and is_package else None


def _is_installed(top: str) -> bool:
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return True  # importing it says what is wrong


def _own_packages(root: Path) -> set[str]:
    """Name the toolkit, the packages beside conf/ and those of installed projects."""
    beside = {file.parent.name for file in root.glob("src/*/__init__.py")}
    installed = {point.value.partition(".")[0] for point in registered(NETWORKS).values()}
    return {TOOLKIT, *beside, *installed}
