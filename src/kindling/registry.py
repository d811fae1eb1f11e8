"""What installed projects register for the toolkit: entry points, which only an installation can add.

A bundle or a run folder may name nothing else, so that loading one runs only code that is installed.

    [project.entry-points."kindling.networks"]
    leafnet = "leafnet.models"
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from kindling.errors import ConfigError, Problem

NETWORKS = "kindling.networks"  # a package whose modules define networks
DATA = "kindling.data"  # what builds the data module of a data section of conf/
PREPROCESSING = "kindling.preprocessing"  # the make_transformer of its tables
METRICS = "kindling.metrics"  # its registry of metrics


def registered(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by the name of the project; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=group))}


def load(group: str, project: str | None = None) -> Any:
    """Import what a project has registered; without a name, what the first one has.

    Raises:
        ConfigError: nothing of that kind is registered.
    """
    points = registered(group)
    point = next(iter(points.values()), None) if project is None else points.get(project)
    if point is None:
        rule = f"an installed project must register an entry point {group}"
        fix = "type pip install -e . where train.py lies"
        raise ConfigError(Problem(rule, f"{project or 'none'} of {sorted(points)}", fix))
    return point.load()
