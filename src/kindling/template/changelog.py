"""The entries of a changelog, those that concern what a project uses, and the text of a release.

python -m kindling.template.changelog v0.1.0
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kindling.errors import ConfigError, Problem
from kindling.version import __version__

ALWAYS = "Upgrading"  # a section of what everybody has to do
NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Entry:
    """One point of a changelog.

    Args:
        version: that it belongs to, or Unreleased.
        section: Added, Changed, Removed, ...
        text: on one line.
    """

    version: str
    section: str
    text: str

    @property
    def names(self) -> set[str]:
        """What it names in backticks, without values: `data.batch_size=auto` is the key."""
        return {re.split(r"[=(\s]", name.lstrip("+~"))[0] for name in NAMED.findall(self.text)}


def read_entries(text: str) -> list[Entry]:
    """Read the points below each `## version` and `### section`."""
    version = section = ""
    found: list[Entry] = []
    for block in re.split(r"\n(?=#|- )", text):
        if heading := re.match(r"## \[?([\w.]+)", block):
            version, section = heading[1], ""
        elif heading := re.match(r"### (\w+)", block):
            section = heading[1]
        elif block.startswith("- "):
            found.append(Entry(version, section, " ".join(block[2:].split())))
    return found


def new_entries(before: str, after: str) -> list[Entry]:
    """Return the entries that a changelog has and an older one has not, whatever their version."""
    known = {entry.text for entry in read_entries(before)}
    return [entry for entry in read_entries(after) if entry.text not in known]


def touching(
    entries: Iterable[Entry], used: Mapping[str, set[str]]
) -> list[tuple[Entry, set[str]]]:
    """Return each entry that names something which is used, with the names; and what all must do.

    Args:
        entries: of a changelog.
        used: dotted names and keys. An entry may name the last part only, of names of code.
    """
    by_name: dict[str, set[str]] = {}
    for name in used:
        by_name.setdefault(name, set()).add(name)
        if "." in name and name.startswith("kindling."):
            by_name.setdefault(name.rpartition(".")[2], set()).add(name)
    found = []
    for entry in entries:
        names = {full for name in entry.names for full in by_name.get(name, ())}
        if names or entry.section == ALWAYS:
            found.append((entry, names))
    return found


def read_section(text: str, version: str) -> str:
    """Return all that a changelog says of one version, without the heading; "" for nothing."""
    heading = rf"^## \[?{re.escape(version)}(?=[\] \n]).*\n"
    found = re.search(rf"{heading}((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    return found[1].strip() if found else ""


def release_text(tag: str, text: str, version: str = __version__) -> str:
    """Return what is new in a release.

    Args:
        tag: such as v0.1.0.
        text: of the changelog.
        version: that would be released.

    Raises:
        ConfigError: the tag is that of another version, or nothing is said of it.
    """
    if tag != f"v{version}":
        rule = "the tag of a release is v and the version in src/kindling/version.py"
        raise ConfigError(Problem(rule, f"{tag}, and version {version}", f"git tag v{version}"))
    found = read_section(text, version)
    if not found:
        rule = f"CHANGELOG.md must have a section ## {version}"
        raise ConfigError(Problem(rule, "none, or an empty one", "rename ## Unreleased"))
    return found


if __name__ == "__main__":
    changelog = Path(__file__).parents[3] / "CHANGELOG.md"
    try:
        told = release_text(sys.argv[1], changelog.read_text(encoding="utf-8"))
    except ConfigError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{told}\n")
