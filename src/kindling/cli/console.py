"""What the commands have in common: JSON on stdout, and what to install where a package lacks."""

import json
import math
import sys
from importlib.util import find_spec
from typing import Any

from kindling.errors import ConfigError, Problem


def print_json(value: Any) -> None:
    """Print plain values for another program; what JSON has no number for becomes null."""
    json.dump(_finite(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def needs(package: str, extra: str) -> None:
    """Refuse to go on without an optional package, and name the extra that brings it."""
    if find_spec(package) is None:
        fix = f"where pyproject.toml is, type pip install -c constraints.txt -e '.[{extra}]'"
        raise ConfigError(Problem(f"this needs the package {package}", "it is not installed", fix))
