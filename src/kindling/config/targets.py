"""Check that the class which a `_target_` names is there, and find the one that was meant.

By reading files only. What cannot be known so, such as a module that makes its names at run time,
is asked of the package itself, when it is imported.
"""

import ast
import difflib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kindling.config.definitions import find, imported, read_module, with_bases
from kindling.errors import Problem
from kindling.formatting import first_few
from kindling.registry import DATA, NETWORKS, registered

DEFINED = re.compile(r"^( {4}|)(class|def) (\w+)", re.MULTILINE)
# A module whose source has one of these may have names that do not stand in it.
MAKES_NAMES = ("import *", "__getattr__", "globals()", "setattr(", "exec(", "sys.modules")
# What Lightning's loggers import once they are built: module, and the package that has it.
PACKAGES: dict[str, dict[str, str]] = {
    "WandbLogger": {"wandb": "wandb"},
    "MLFlowLogger": {"mlflow": "mlflow-skinny"},
    "CometLogger": {"comet_ml": "comet-ml"},
    "NeptuneLogger": {"neptune": "neptune"},
}
TOOLKIT = __name__.partition(".")[0]


def target_problem(
    key: str, target: str, root: Path, where: Callable[[str], str]
) -> Problem | None:
    """Say that a dotted name leads nowhere; None where it leads to something, or may do so.

    Args:
        key: dotted, of what names it.
        target: the dotted name.
        root: the folder of the clone.
        where: names the file and the line of a dotted key.
    """
    names = target.split(".")
    if "${" in target or find(names) is not None:
        return None
    rule, got = f"{key} must name a class or a function", f"{target} in {where(key)}"
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
    missing = _missing(names)
    if missing is None:
        return None
    is_own = names[0] in _own_packages(root)
    near = _nearest(target, folder) if is_own else _nearest_beside(missing, names)
    return Problem(rule, got, f"did you mean {near}?" if near else f"there is no {missing}")


def source_problem(
    key: str, section: Mapping[str, Any], root: Path, where: Callable[[str], str]
) -> Problem | None:
    """Say that the `source` of a data section leads nowhere; see `target_problem`.

    A class of another package may call anything a source, so its value is left alone.
    """
    target, source = section["_target_"], section.get("source")
    builders = {point.value.replace(":", ".") for point in registered(DATA).values()}
    if not isinstance(source, str) or target not in builders:
        return None
    return target_problem(f"{key}.source", source, root, where)


def package_problem(
    key: str, section: Mapping[str, Any], where: Callable[[str], str]
) -> Problem | None:
    """Say which packages one of Lightning's loggers needs that are not installed."""
    target = section["_target_"]
    needed = PACKAGES.get(target.rpartition(".")[2], {}) if target.startswith("lightning.") else {}
    if "sqlite:" in str(section.get("tracking_uri")):
        needed = needed | {"sqlalchemy": "sqlalchemy", "alembic": "alembic"}
    missing = [package for module, package in needed.items() if not _is_installed(module)]
    if not missing:
        return None
    rule, got = f"{key} needs the package {first_few(missing)}", f"{target} in {where(key)}"
    return Problem(rule, got, f"pip install {' '.join(missing)}")


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
        if any(word in source for word in MAKES_NAMES):
            return None
        # One that cannot be parsed, is compiled, or is a folder without __init__.py.
        beside = {path.name.partition(".")[0] for path in above.file.parent.glob(f"{name}*")}
        if above.file.name == "__init__.py" and name in beside:
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


def _nearest_beside(missing: str, names: list[str]) -> str | None:
    """Find what a module defines or imports that is most like a name which it has not."""
    above, _, name = missing.rpartition(".")
    module = read_module(above)
    if module is None:
        return None
    known = {
        new
        for line in module.tree.body
        for new in [getattr(line, "name", ""), *(new for new, _ in imported(line, module))]
    }
    near = difflib.get_close_matches(name, sorted(known - {""}), n=1)
    rest = names[missing.count(".") + 1 :]
    return ".".join([above, near[0], *rest]) if near else None


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
