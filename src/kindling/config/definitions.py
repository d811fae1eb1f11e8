"""Find where a dotted name is defined, by reading source files; nothing is imported.

Importing what a configuration names would import torch, which takes seconds; parsing a file takes
milliseconds.
"""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

MAX_STEPS = 8  # from one module to the next, after a name that each of them only imports
NOT_READ = {"object", "ABC", "Protocol", "Generic"}  # base classes without a constructor


@dataclass(frozen=True)
class Module:
    """A source file, parsed; `name` is the dotted one."""

    name: str
    file: Path
    tree: ast.Module


@dataclass(frozen=True)
class Definition:
    """Where a name is defined: a class, a function, or the value that is assigned to it.

    `owner` is the class that a method was asked of; a base class of it may define the method.
    """

    module: Module
    node: ast.AST
    owner: "Definition | None" = None


def find(names: list[str], steps: int = MAX_STEPS) -> Definition | None:
    """Find what a dotted name means, through modules that only import it from another."""
    for end in range(len(names) - 1, 0, -1):
        module = read_module(".".join(names[:end]))
        if module is not None:
            return look_up(module, names[end:], steps)
    return None


@functools.cache
def read_module(name: str) -> Module | None:
    """Parse the source file of a module; the packages above it are not imported."""
    top, *inner = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # ValueError: of __main__
        return None
    if spec is None:
        return None
    files = [Path(spec.origin or "")]
    if inner:
        folders = [Path(folder, *inner) for folder in spec.submodule_search_locations or ()]
        files = [f for folder in folders for f in (folder / "__init__.py", Path(f"{folder}.py"))]
    file = next((file for file in files if file.suffix == ".py" and file.is_file()), None)
    try:
        return None if file is None else Module(name, file, ast.parse(file.read_bytes()))
    except SyntaxError:  # importing it will show where
        return None


def look_up(module: Module, names: list[str], steps: int = MAX_STEPS) -> Definition | None:
    """Find a name that stands at the top of a module, or is imported there."""
    name, *inner = names
    for node in reversed(module.tree.body):  # the last one counts
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            found = Definition(module, node)
            return _method(found, inner[0]) if inner else found
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in _assigned(node):
            return None if inner or node.value is None else Definition(module, node.value)
        origin = next((old for new, old in imported(node, module) if new == name), None)
        if origin is not None:
            return find([*origin, *inner], steps - 1) if steps else None
    return None


def _method(found: Definition, name: str) -> Definition | None:
    """Find a method of a class, in the class or in the first base class that has it."""
    for each in with_bases(found):
        method = None if each is None else own_method(each, name)
        if method is not None:
            return replace(method, owner=found)
    return None


def own_method(found: Definition, name: str) -> Definition | None:
    """Find a method that the class itself defines."""
    for line in getattr(found.node, "body", ()):
        if isinstance(line, ast.FunctionDef) and line.name == name:
            return Definition(found.module, line, found)
    return None


def with_bases(found: Definition) -> Iterator[Definition | None]:
    """Give a class, its first base class, the bases of that, and so on; None for one not found."""
    yield found
    for base in getattr(found.node, "bases", ()):
        names = ast.unparse(base).partition("[")[0].split(".")
        if names[-1] in NOT_READ:
            continue
        above = look_up(found.module, names)
        if above is None or not isinstance(above.node, ast.ClassDef):
            yield None
        else:
            yield from with_bases(above)


def _assigned(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def imported(node: ast.AST, module: Module) -> Iterator[tuple[str, list[str]]]:
    """Give each name that a line imports, and the dotted name of what it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            names = alias.name.split(".")
            yield (alias.asname, names) if alias.asname else (names[0], names[:1])
    elif isinstance(node, ast.ImportFrom):
        origin = node.module.split(".") if node.module else []
        if node.level:  # relative: one dot is the module's own package
            package = module.name.split(".")
            up = node.level - (module.file.name == "__init__.py")
            origin = package[: len(package) - up] + origin
        for alias in node.names:
            yield alias.asname or alias.name, [*origin, alias.name]
