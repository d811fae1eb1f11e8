"""Make a project of one's own of the template: `make new` and `make mine`, NAME=leafnet.

python -m kindling.template.own_project leafnet --dest ../leafnet --without serve,export
python -m kindling.template.own_project leafnet --in-place

Standard library only, so that nothing has to be set up before it.
"""

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from kindling.errors import ConfigError, Problem, UserError
from kindling.formatting import did_you_mean
from kindling.rooms import ROOMS
from kindling.template.names import members_of, name_problem, rename
from kindling.template.packaging import (
    make_constraints,
    make_index,
    make_makefile,
    make_pyproject,
    make_readme,
    unlink_missing,
)
from kindling.template.toolkit_files import remove_rooms, write_record
from kindling.version import __version__

ROOT = Path(__file__).resolve().parents[3]
README = Path(__file__).with_name("README.md.in")
PACKAGE = "project"  # the owner's, as it is called here
# What goes into a project as it is, or under its new name; all else is the template's own.
KEPT = (
    *("conf", "data", "src", "tests/conftest.py", "tests/project", "train.py"),
    *(".github/workflows/ci.yml", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"),
    *("pyproject.toml", "Makefile", "constraints.txt", "docs/extend", "docs/own-data"),
    *(f"docs/{name}.md" for name in ("extend", "transfer", "own-data", "configuration")),
    *(f"docs/{name}.md" for name in ("notebooks", "debugging", "probabilities")),
    *(file for room in ROOMS.values() for file in room.files if file.startswith("docs/")),
)
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*cache", "local")
TEXT = {".py", ".yaml", ".toml", ".md"}
ALL = "all"


def main(words: Sequence[str] | None = None) -> None:
    """Make the project that was asked for, and say what to type next."""
    parser = argparse.ArgumentParser(prog="make new", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--dest", help="a folder that is not there, or empty (../NAME)")
    parser.add_argument("--without", default="", help=f"of {','.join(ROOMS)}; or {ALL}")
    parser.add_argument("--holder", default="", help="of the copyright (git's user.name)")
    parser.add_argument("--in-place", action="store_true", help="turn this repository into it")
    given = parser.parse_args(words)
    try:
        folder = ROOT if given.in_place else Path(given.dest or ROOT.parent / given.name)
        without, holder = rooms_out(given.without), given.holder or git_setting("user.name")
        refuse(given.name, folder, holder, in_place=given.in_place)
        if given.in_place:
            turn_into(ROOT, given.name, without, holder)
        else:
            make_project(ROOT, folder, given.name, without, holder)
            commit(folder, given.name, holder)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    where = "" if given.in_place else f"cd {folder} && "
    sys.stdout.write(f"{given.name} is in {folder}. Next: {where}make test, then README.md\n")


def rooms_out(words: str) -> tuple[str, ...]:
    """Return the rooms that WITHOUT names.

    Raises:
        ConfigError: there is no such room.
    """
    names = [*ROOMS] if words == ALL else [word.strip() for word in words.split(",") if word]
    unknown = [name for name in names if name not in ROOMS]
    if unknown:
        rule = f"WITHOUT takes {', '.join(ROOMS)}, or {ALL}"
        fix = did_you_mean(unknown[0], list(ROOMS)) or "leave it out"
        raise ConfigError(Problem(rule, ", ".join(unknown), fix))
    return tuple(names)


def refuse(name: str, folder: Path, holder: str, *, in_place: bool) -> None:
    """Raise a ConfigError with all that is in the way."""
    problem = name_problem(name, (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    problems = [] if problem is None else [problem]
    if not (ROOT / "src" / PACKAGE).is_dir():
        rule = "a project is made of the template, once"
        got = f"no src/{PACKAGE} in {ROOT}: it is a project already"
        problems.append(Problem(rule, got, "type it in a clone of the template"))
    if not holder:
        rule = "LICENSE names who holds the copyright"
        problems.append(Problem(rule, "no user.name of git's", 'type HOLDER="A. Person"'))
    if in_place:
        problems += changed_files(folder)
    elif folder.resolve().is_relative_to(ROOT):
        rule = "DEST must lie outside of the template"
        problems.append(Problem(rule, str(folder), f"type DEST=../{name}"))
    elif folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        rule = "DEST must be a folder that is not there, or empty"
        problems.append(Problem(rule, str(folder), "type another DEST"))
    if problems:
        raise ConfigError(*problems)


def changed_files(folder: Path) -> list[Problem]:
    """Refuse to move what git could not bring back."""
    done = git("status", "--porcelain", folder=folder)
    if done is None:
        rule = "a project is made in place in a git repository: then nothing can be lost"
        return [Problem(rule, f"none in {folder}", "type make new, or git init and git commit")]
    if done:
        rule, got = "all files must be committed before they are moved", done.splitlines()[0]
        return [Problem(rule, got.strip(), "type git add -A && git commit, then make mine again")]
    return []


def make_project(
    source: Path, folder: Path, name: str, without: Sequence[str], holder: str
) -> None:
    """Write all files of a project.

    Args:
        source: the template.
        folder: the project's, not there or empty.
        name: of its package.
        without: rooms that are left out.
        holder: of the copyright.
    """
    for place in (*KEPT, *pages_named(source).difference(KEPT)):
        new = re.sub(rf"\b{PACKAGE}$", name, place)
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        if (source / place).is_dir():
            shutil.copytree(source / place, folder / new, ignore=LEFT_BEHIND)
        else:
            shutil.copy(source / place, folder / new)
    shutil.move(folder / "src" / PACKAGE, folder / "src" / name)
    toolkit = folder / "src" / "kindling"
    for beside in ("LICENSE", "CHANGELOG.md"):
        shutil.copy(source / beside, toolkit)
    members = members_of(source / "src" / PACKAGE)
    for file in owners_texts(folder):
        change(file, rename(read(file), PACKAGE, name, members))
    for file in folder.glob("conf/**/.schema.json"):  # a key `project` stays: W&B's logger has one
        change(file, re.sub(rf"\b{PACKAGE}(?=\.)", name, read(file)))
    remove_rooms(folder, (ROOMS[room] for room in without))
    remove_keys(folder, without)
    remove_typed(folder, without)
    write_packaging(source, folder, name, without)
    change(folder / "README.md", make_readme(read(README), name, without))
    year = f"{datetime.date.today():%Y}"
    notice = f"Copyright (c) {year} {holder}"
    change(folder / "LICENSE", re.sub(r"Copyright .*", lambda _: notice, read(source / "LICENSE")))
    index = make_index(read(source / "docs/README.md"), folder / "docs")
    change(folder / "docs/README.md", index)
    for page in folder.glob("docs/**/*.md"):
        change(page, unlink_missing(read(page), page.parent))
    write_record(folder)


def pages_named(source: Path) -> set[str]:
    """Name the pages that messages of the toolkit refer to."""
    texts = (read(file) for file in source.glob("src/kindling/**/*.py"))
    named = {page for text in texts for page in re.findall(r"\bdocs/[\w/-]+\.md\b", text)}
    return {page for page in named if (source / page).exists()}


def owners_texts(folder: Path) -> list[Path]:
    """List the texts of a project that name its package; the toolkit's are left as they are."""
    found = (file for file in folder.rglob("*") if file.suffix in TEXT)
    kept = folder / "src" / "kindling", folder / "data"
    return [file for file in found if not any(map(file.is_relative_to, kept))]


def remove_keys(folder: Path, without: Sequence[str]) -> None:
    """Remove the keys of rooms, and their groups, from conf/ and from what editors know of it."""
    for room in (ROOMS[name] for name in without):
        for name, start in ((room.key, " *"), (room.group, "  - ")):
            line = rf"^{start}{name}:.*\n" if name else r"(?!)"
            for file in folder.glob("conf/**/*.yaml"):
                change(file, re.sub(line, "", read(file), flags=re.MULTILINE))
    gone = {word for name in without for word in (ROOMS[name].key, ROOMS[name].group)}
    schema = json.loads(read(folder / "conf/.schema.json"))
    schema["properties"] = leave_out(gone, schema["properties"])
    change(folder / "conf/.schema.json", f"{json.dumps(schema, indent=1, sort_keys=True)}\n")


def leave_out(names: Container[str], node: Any) -> Any:
    """Return plain values without the entries of these names, at any depth."""
    if isinstance(node, dict):
        return {name: leave_out(names, at) for name, at in node.items() if name not in names}
    return [leave_out(names, at) for at in node] if isinstance(node, list) else node


def remove_typed(folder: Path, without: Sequence[str]) -> None:
    """Remove the commands of rooms from pages, and their keys from other commands."""
    for room in (ROOMS[name] for name in without):
        commands = "|".join(Path(file).stem for file in room.files if "/cli/" in file)
        line = rf"^kindling (?:{commands}) .*\n" if commands else r"(?!)"
        word = rf', "{room.key}=false"|(?<=\S) {room.key}=false(?= |$)' if room.key else r"(?!)"
        for page in folder.glob("docs/**/*.md"):
            shorter = re.sub(f"{line}|{word}", "", read(page), flags=re.MULTILINE)
            change(page, re.sub(r"^```\n```\n\n?", "", shorter, flags=re.MULTILINE))


def write_packaging(source: Path, folder: Path, name: str, without: Sequence[str]) -> None:
    """Write pyproject.toml, constraints.txt and Makefile."""
    before = read(folder / "pyproject.toml")
    after = make_pyproject(before, name, without)
    change(folder / "pyproject.toml", after)
    pins = read(source / "constraints.txt")
    change(folder / "constraints.txt", make_constraints(pins, before, after))
    change(folder / "Makefile", make_makefile(read(source / "Makefile")))


def turn_into(folder: Path, name: str, without: Sequence[str], holder: str) -> None:
    """Put a project in the place of the template: all files that git knows are exchanged."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        make_project(folder, Path(made) / name, name, without, holder)
        # Installed metadata would still register the old package.
        for left in (*folder.glob("src/*.egg-info"), *folder.glob("[st]*/**/__pycache__")):
            shutil.rmtree(left)
        for file in (git("ls-files", "-z", folder=folder) or "").split("\0"):
            if file:
                (folder / file).unlink(missing_ok=True)
                remove_empty(folder, (folder / file).parent)
        shutil.copytree(Path(made) / name, folder, dirs_exist_ok=True)


def remove_empty(root: Path, folder: Path) -> None:
    """Remove a folder that holds nothing any more, and those around it."""
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def commit(folder: Path, name: str, holder: str) -> None:
    """Begin a history with one commit; without git there is none."""
    if git("init", "--quiet", "--initial-branch=main", folder=folder) is None:
        sys.stderr.write("git is not there, or too old: the project has no history yet\n")
        return
    who = ["-c", f"user.name={holder}", "-c", f"user.email={git_setting('user.email')}"]
    git("add", "--all", folder=folder)
    message = f"Begin {name} on Kindling {__version__}"
    if git(*who, "commit", "--quiet", "--message", message, folder=folder) is None:
        sys.stderr.write("git has not committed: type git commit\n")


def git(*words: str, folder: Path = ROOT) -> str | None:
    """Return what git says; None where it fails, or is not there."""
    command = ["git", "-C", str(folder), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def git_setting(key: str) -> str:
    """Return a setting of git's; "" where there is none."""
    return (git("config", key) or "").strip()


def read(file: Path) -> str:
    """Read a text."""
    return file.read_text(encoding="utf-8")


def change(file: Path, text: str) -> None:
    """Write a text."""
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
