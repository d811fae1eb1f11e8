"""Put a newer toolkit in the place of a project's: `make upgrade FROM=path-or-wheel`.

python -m kindling.template.upgrade ../kindling
python -m kindling.template.upgrade kindling-0.2.0-py3-none-any.whl

Only src/kindling (and what other packages belong to it) is replaced. What else has to be done is
told: names that are gone, entries of the changelog, requirements, keys of conf/. Standard library.
"""

import argparse
import re
import runpy
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindling.errors import ConfigError, Problem, UserError
from kindling.formatting import first_few
from kindling.rooms import ROOMS
from kindling.template.changelog import new_entries, touching
from kindling.template.packaging import DISTRIBUTION, distribution
from kindling.template.toolkit_files import (
    RECORD,
    edited,
    remove_rooms,
    toolkit_packages,
    write_record,
)
from kindling.template.usage import gone, keys_of, keys_read, used_names

ROOT = Path(__file__).resolve().parents[3]
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info")
REQUIRES = re.compile(r"^Requires-Dist: ([^;\n]+?)(?: ?; extra == [\"'](\w+)[\"'])?$", re.MULTILINE)


@dataclass(frozen=True)
class Toolkit:
    """A toolkit that lies somewhere.

    Args:
        src: the folder that its packages lie in.
        changelog, licence: their texts.
        requires: (extra, or "", and requirement) as of pyproject.toml.
    """

    src: Path
    changelog: str
    licence: str
    requires: tuple[tuple[str, str], ...]

    @property
    def version(self) -> str:
        return version_of(self.src)

    @property
    def rooms(self) -> Mapping[str, Any]:
        """Its optional rooms: what the code that is about to be used says."""
        return runpy.run_path(str(self.src / "kindling" / "rooms.py"))["ROOMS"]


def main(words: Sequence[str] | None = None) -> None:
    """Replace the toolkit, and tell what else has to be done."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("source", help="a folder of Kindling or of a project, or a wheel")
    parser.add_argument("--with", default="", dest="back", help="rooms to bring back: a,b")
    parser.add_argument("--force", action="store_true", help="also over edited files, or back")
    given = parser.parse_args(words)
    try:
        with opened(Path(given.source).expanduser()) as new:
            back = [word.strip() for word in given.back.split(",") if word]
            lines = upgrade(ROOT, new, force=given.force, back=back)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write("\n".join(lines) + "\n")


@contextmanager
def opened(source: Path) -> Iterator[Toolkit]:
    """Open the toolkit in a folder or in a wheel.

    Raises:
        ConfigError: there is none.
    """
    if (source / "src" / "kindling" / "rooms.py").is_file():
        inside = source / "src" / "kindling"
        home = inside if (inside / "CHANGELOG.md").is_file() else source  # a project, or Kindling
        project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"].items()
        requires = [("", each) for each in project["dependencies"]]
        requires += [(extra, each) for extra, listed in extras for each in listed]
        changelog = (home / "CHANGELOG.md").read_text(encoding="utf-8")
        licence = (home / "LICENSE").read_text(encoding="utf-8")
        yield Toolkit(source / "src", changelog, licence, tuple(requires))
    elif zipfile.is_zipfile(source):
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(source) as wheel:
            wheel.extractall(Path(folder) / "src")
            yield read_wheel(Path(folder) / "src", source)
    else:
        raise no_toolkit(source)


def read_wheel(src: Path, source: Path) -> Toolkit:
    """Read what a wheel holds beside the packages."""
    texts = {file.name: file.read_text(encoding="utf-8") for file in src.glob("*.dist-info/*/*")}
    if not (src / "kindling" / "rooms.py").is_file() or "CHANGELOG.md" not in texts:
        raise no_toolkit(source)
    (metadata,) = src.glob("*.dist-info/METADATA")
    found = REQUIRES.findall(metadata.read_text(encoding="utf-8"))
    requires = tuple((extra, requirement) for requirement, extra in found)
    return Toolkit(src, texts["CHANGELOG.md"], texts["LICENSE"], requires)


def no_toolkit(source: Path) -> ConfigError:
    """Say that there is nothing to upgrade to."""
    rule = "FROM must be a folder or a wheel of Kindling that has kindling/rooms.py"
    got = str(source) if source.exists() else f"nothing at {source}"
    return ConfigError(Problem(rule, got, "type make upgrade FROM=../kindling"))


def upgrade(
    root: Path, new: Toolkit, *, force: bool = False, back: Sequence[str] = ()
) -> list[str]:
    """Replace the toolkit of a project; return what a person should know.

    Args:
        root: the project's folder.
        new: what takes its place.
        force: whether also where files of the toolkit were edited, or an older one takes the place.
        back: rooms that the project does without, and shall have.

    Raises:
        ConfigError: it was edited, is newer, or the new one lacks rooms that the project has.
    """
    tracked = packages_in(root, new)
    left_out = [name for name, room in ROOMS.items() if not (root / room.files[0]).exists()]
    out = [name for name in left_out if name not in back]
    refuse(root, new, out, force=force, back=back)
    used, before = used_names(root), version_of(root / "src")
    lost = gone(used, new.src)
    keys = missing_keys(root, new)
    old = (root / "src" / "kindling" / "CHANGELOG.md").read_text(encoding="utf-8")
    replace_packages(root, new, out)
    lines = [f"Kindling {before} -> {new.version} in src/kindling"]
    lines += [f"gone: {name}, used in {first_few(sorted(lost[name]))}" for name in sorted(lost)]
    for entry, names in touching(new_entries(old, new.changelog), used):
        told = f" ({', '.join(sorted(names))})" if names else ""
        lines.append(f"{entry.version}, {entry.section}{told}: {entry.text}")
    required = missing_requirements(root, new, out)
    lines += [f"pyproject.toml must require {text}" for text in required]
    lines += [f"conf/train.yaml must have a key {key}" for key in keys]
    for room in (new.rooms[name] for name in left_out if name in back):
        lines += [f"conf/train.yaml must have a key {room.key}: true"] if room.key else []
        lines += [f"pyproject.toml must have an extra {room.extra}"] if room.extra else []
        lines += [f"{f} belongs to it: copy it" for f in room.files if f[:4] != "src/"]
    undo = f"git checkout {tracked} && git clean -fdq {packages_in(root, new)}"
    return [*lines, f"Next: make lint, make test. {undo} takes it back."]


def packages_in(root: Path, new: Toolkit) -> str:
    """Name the packages of the toolkit that a project has, as one types them to git."""
    packages = sorted(toolkit_packages(new.rooms))
    return " ".join(f"src/{name}" for name in packages if (root / "src" / name).is_dir())


def refuse(
    root: Path, new: Toolkit, out: Sequence[str], *, force: bool, back: Sequence[str]
) -> None:
    """Raise a ConfigError with all that is in the way."""
    if not (root / RECORD).is_file():
        got = f"no {RECORD} in {root}"
        raise ConfigError(
            Problem("a project that make new has made is upgraded", got, "type it there")
        )
    problems = [
        Problem(f"WITH takes {', '.join(new.rooms)}", name, "correct it, or leave it out")
        for name in back
        if name not in new.rooms
    ]
    anyway = "or type FORCE=true, which overwrites them"
    if (changed := edited(root)) and not force:
        rule = "the toolkit is used, not edited: what was changed in it would be lost"
        got = first_few(changed, total=len(changed))
        problems.append(Problem(rule, got, f"move the change into your own package, {anyway}"))
    if order(new.version) < order(version_of(root / "src")) and not force:
        rule, got = "an upgrade goes to a newer version", f"{new.version}, which is older"
        problems.append(Problem(rule, got, "type another FROM, or FORCE=true"))
    lacking = [
        name
        for name, room in new.rooms.items()
        if name in ROOMS and name not in out and not (new.src.parent / room.files[0]).exists()
    ]
    if lacking:
        rule, got = "FROM must have the rooms of this project", f"none of {', '.join(lacking)}"
        problems.append(Problem(rule, got, "type FROM=../kindling, the whole of it"))
    if problems:
        raise ConfigError(*problems)


def version_of(src: Path) -> str:
    """Read the version of the toolkit in a folder, without importing it."""
    return runpy.run_path(str(src / "kindling" / "version.py"))["__version__"]


def order(version: str) -> tuple[int, ...]:
    """Return what versions are compared by: their numbers."""
    return tuple(map(int, re.findall(r"\d+", version)))


def replace_packages(root: Path, new: Toolkit, out: Sequence[str]) -> None:
    """Put the new packages in the place of the old ones, without the rooms that were left out."""
    with tempfile.TemporaryDirectory(dir=root, prefix=".upgrade") as name:
        made = Path(name)
        for package in toolkit_packages(new.rooms):
            if (new.src / package).is_dir():
                shutil.copytree(new.src / package, made / "src" / package, ignore=LEFT_BEHIND)
        remove_rooms(made, (new.rooms[name] for name in out if name in new.rooms))
        toolkit = made / "src" / "kindling"
        (toolkit / "CHANGELOG.md").write_text(new.changelog, encoding="utf-8")
        (toolkit / "LICENSE").write_text(new.licence, encoding="utf-8")
        # Whole folders are exchanged: what goes wrong before this has changed nothing.
        for package in toolkit_packages(ROOMS):
            if (root / "src" / package).exists():
                (root / "src" / package).rename(made / package)
        for each in (made / "src").iterdir():
            each.rename(root / "src" / each.name)
    write_record(root)


def missing_requirements(root: Path, new: Toolkit, out: Iterable[str]) -> list[str]:
    """Name what the new toolkit requires and the project does not, or otherwise; but for rooms."""
    without = {package for room in out for package in new.rooms[room].packages}
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    missing = []
    for extra, requirement in new.requires:
        if extra not in extras or extra == "dev" or distribution(requirement) in without:
            continue
        own = {distribution(each): each.replace(" ", "") for each in extras[extra]}
        has = own.get(distribution(requirement))
        if has is None or bounds(has) != bounds(requirement):
            place = f" in the extra {extra}" if extra else ""
            missing.append(f"{requirement}{place}" + (f", it has {has}" if has else ""))
    return missing


def bounds(requirement: str) -> set[str]:
    """Return what a requirement says of versions, in whatever order."""
    return set(DISTRIBUTION.sub("", requirement.replace(" ", ""), count=1).split(","))


def missing_keys(root: Path, new: Toolkit) -> list[str]:
    """Name root keys that the new toolkit reads, the old one does not, and conf/ has not."""
    conf = root / "conf"
    has = set(keys_of((conf / "train.yaml").read_text(encoding="utf-8"), ""))
    has |= {folder.name for folder in conf.iterdir() if folder.is_dir()}
    added = keys_read(new.src / "kindling") - keys_read(root / "src" / "kindling")
    known = {room.key for room in new.rooms.values()} | set(dir(dict)) | {"hydra"}
    return sorted(added - has - known)


if __name__ == "__main__":
    main()
