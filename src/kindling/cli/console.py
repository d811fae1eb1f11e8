"""What commands have in common: JSON, files, and what to install where a package lacks."""

import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kindling.errors import ConfigError, Problem


def print_json(value: Any) -> None:
    """Print plain values for another program; what JSON has no number for becomes null."""
    json.dump(_finite(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def write_text(option: str, file: str, text: str) -> None:
    """Write a file that was asked for with an option such as --csv."""
    try:
        Path(file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        rule = f"{option} must name a file that can be written"
        fix = "type the name of a file in a folder that is there"
        raise ConfigError(Problem(rule, f"{file} ({error.strerror})", fix)) from error


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
