"""Find what installed projects register for the toolkit, by entry points in their pyproject.toml.

A bundle or a run folder may name nothing else: loading one runs only code that is installed.

    [project.entry-points."kindling.networks"]
    leafnet = "leafnet.models"
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from kindling.errors import ConfigError, Problem

NETWORKS = "kindling.networks"  # a package, or one module, that defines networks
DATA = "kindling.data"  # what builds the data module of a data section of conf/
PREPROCESSING = "kindling.preprocessing"  # the make_transformer of its tables
METRICS = "kindling.metrics"  # its registry of metrics
FORMATS = "kindling.formats"  # a file format of tables
INSTALL = "type pip install -e . where train.py lies"


def registered(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by the name of the project; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=group))}


def load(group: str, project: str | None = None) -> Any:
    """Import what a project has registered; without a name, what the first one has.

    Raises:
        ConfigError: nothing is registered for the group.
    """
    points = registered(group)
    point = next(iter(points.values()), None) if project is None else points.get(project)
    if point is None:
        rule = f"an installed project must register an entry point {group}"
        raise ConfigError(Problem(rule, f"{project or 'none'} of {sorted(points)}", INSTALL))
    return point.load()


def project_of(module: str) -> str | None:
    """Return the project whose registered networks a module belongs to."""
    for name, point in registered(NETWORKS).items():
        if module == point.value or module.startswith(f"{point.value}."):
            return name
    return None


def import_networks(project: str, module: str) -> ModuleType | None:
    """Import a module of a project's registered networks; None where it has no such module.

    Args:
        project: name of the entry point.
        module: dotted name inside what is registered, see `import_inside`.
    """
    package = load(NETWORKS, project)
    if not isinstance(package, ModuleType):  # it is registered as package:attribute
        return None
    return import_inside(package, module)


def import_inside(package: ModuleType, module: str) -> ModuleType | None:
    """Import a module of a package; None where it has no such module, or a private one.

    Args:
        package: installed, and trusted.
        module: dotted name inside it, whoever gives it; "" is the package itself. It is only
            compared: what is imported is a name found on the disk.
    """
    for found in _modules_in(package):
        if found == module:
            return import_module(f"{package.__name__}.{found}") if found else package
    return None


def _modules_in(package: ModuleType) -> Iterator[str]:
    yield ""
    for folder in map(Path, getattr(package, "__path__", ())):
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            is_public = all(part.isidentifier() and part[0] != "_" for part in parts)
            if parts and is_public:
                yield ".".join(parts)
