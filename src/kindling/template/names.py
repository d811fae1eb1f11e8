"""The name of a project: which names can be a package, and how text is moved to another one."""

import builtins
import keyword
import re
import sys
from pathlib import Path

from kindling.errors import Problem

LIMIT, WIDTH = 30, 100  # characters of a name, and of a line of code
# What lies beside the package, and packages whose import name is not that of their distribution.
OWN = {"kindling", "project", "tests", "train", "conf", "data", "docs", "runs", "setup"}
IMPORTED_AS = {"attr", "dateutil", "google", "hydra", "pil", "pkg_resources", "sklearn", "yaml"}


def name_problem(name: str, constraints: str) -> Problem | None:
    """Say why a name cannot be that of a project's package; None where it can.

    Args:
        name: as it was typed.
        constraints: the text of constraints.txt: packages that are installed beside it.
    """
    rule = "NAME must be a package's: lower-case letters, digits and _, such as leafnet"
    near = re.sub(r"\W+", "_", name.strip().lower()).strip("_")
    fix = f"type NAME={near}" if near and near != name else "type another NAME"
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LIMIT:
        got = f"{name}, longer than {LIMIT}" if len(name) > LIMIT else name or "nothing"
        return Problem(rule, got, fix if len(near) <= LIMIT else "type a shorter NAME")
    pinned = re.findall(r"^([\w.-]+)==", constraints.lower(), re.MULTILINE)
    taken = {
        "a word of Python's": {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)},
        "a module of Python's": sys.stdlib_module_names,
        "used here": OWN,
        "a package that is installed beside it": {re.sub("[.-]", "_", pin) for pin in pinned}
        | IMPORTED_AS,
    }
    for why, names in taken.items():
        if name in names:
            return Problem(rule, f"{name}, which is {why}", f"type another NAME, such as my_{name}")
    return None


def rename(text: str, old: str, new: str, members: set[str]) -> str:
    """Write a package's new name wherever a text of Python, YAML, TOML or Markdown names it.

    Args:
        text: of a file.
        old: name of the package.
        new: its new one.
        members: modules and packages in it: `project.models` is one of it, `project.name` is none.
    """
    inside = "|".join(sorted(members))
    places = (
        rf"\b{old}(?=\.(?:{inside})\b)",
        rf"(?<=src/){old}\b|(?<=tests/){old}\b|(?<=import ){old}\b",
        rf"(?<=from ){old}(?= import)|(?<=\"){old}(?=\")|^{old}(?= = )",
    )
    renamed = re.sub("|".join(places), new, text, flags=re.MULTILINE)
    return re.sub(r"^from (\S+) import ([^(\n]+)$", _wrapped, renamed, flags=re.MULTILINE)


def _wrapped(line: re.Match[str]) -> str:
    """Put the names of an import that has become too long on a line each, as ruff format does."""
    if len(line[0]) <= WIDTH or "#" in line[0]:
        return line[0]
    names = "".join(f"    {name.strip()},\n" for name in line[2].split(","))
    return f"from {line[1]} import (\n{names})"


def members_of(package: Path) -> set[str]:
    """Name the modules and packages that lie in a package."""
    return {file.stem for file in package.iterdir() if file.suffix == ".py" or file.is_dir()} - {
        "__init__",
        "__pycache__",
    }
