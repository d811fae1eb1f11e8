"""What surrounds a project's code, made to fit it: pyproject.toml, constraints, Makefile, pages."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from kindling.rooms import ROOMS
from kindling.version import __version__

# What a project is developed with; all else of the extra dev is for the template's own tests.
DEV = ("beartype", "mypy", "pytest", "pytest-xdist", "ruff")
CUT = "# What follows is the template's own"  # a project's Makefile ends here
DISTRIBUTION = re.compile(r"[\w.-]+")


def distribution(requirement: str) -> str:
    """Return the name in a requirement, such as torch of torch>=2.9, as indexes compare it."""
    found = DISTRIBUTION.match(requirement.strip())
    return re.sub(r"[_.-]+", "-", found.group().lower()) if found else ""


def make_pyproject(text: str, name: str, without: Iterable[str]) -> str:
    """Turn the template's pyproject.toml, its package renamed already, into that of a project.

    Args:
        text: of the file.
        name: of the project.
        without: rooms that are left out.
    """
    kept = [room for key, room in ROOMS.items() if key not in without]
    extras = {room.extra for room in ROOMS.values()} - {room.extra for room in kept}
    for extra in ("bench", "docs", *extras - {""}):
        text = re.sub(rf"^{extra} = \[.*?^\]\n", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(?<=^dev = \[\n).*?(?=^\])", _kept_dev, text, flags=re.MULTILINE | re.DOTALL)
    for package in packages_out(without):
        text = re.sub(rf'^  "{package}\b.*\n', "", text, flags=re.MULTILINE)
    others = list(tomllib.loads(text)["project"]["optional-dependencies"])
    changes = {
        r'^name = "kindling"': f'name = "{name}"',
        r"^dynamic = .*$": 'version = "0.1.0"',
        r"^description = .*$": 'description = "What is predicted, and from what."',
        r"^license-files = .*$": 'license-files = ["LICENSE", "src/kindling/LICENSE"]',
        r'^  "kindling\[.*\n': self_requirement(name, others),
        r"^\[tool\.setuptools\.dynamic\]\n.*\n\n": "",
        r'^"(?:benchmarks|docs)/\*\*" = .*\n': "",
    }
    for pattern, new in changes.items():
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count, pattern
    return text


def _kept_dev(block: re.Match[str]) -> str:
    """Keep the lines of what a project is developed with."""
    lines = block[0].splitlines(keepends=True)
    return "".join(line for line in lines if distribution(line.strip(' "')) in {*DEV, "kindling"})


def self_requirement(name: str, extras: Iterable[str]) -> str:
    """Let the extra for development bring all others along, where there are any."""
    others = ",".join(sorted({*extras} - {"dev"}))
    return f'  "{name}[{others}]",\n' if others else ""


def packages_out(without: Iterable[str]) -> list[str]:
    """Name the dependencies that go with rooms."""
    return [package for key in without for package in ROOMS[key].packages]


def make_constraints(text: str, before: str, after: str) -> str:
    """Leave out the pins of what one pyproject.toml requires, and the other does not."""
    gone = requirements(before) - requirements(after)
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if distribution(line) not in gone)


def requirements(text: str) -> set[str]:
    """Name all distributions that a pyproject.toml requires, with each of its extras."""
    project = tomllib.loads(text)["project"]
    listed = [project["dependencies"], *project["optional-dependencies"].values()]
    return {distribution(each) for some in listed for each in some}


def make_makefile(text: str) -> str:
    """Leave out what the template alone does."""
    return text.partition(CUT)[0].rstrip() + "\n"


def make_readme(text: str, name: str, without: Iterable[str]) -> str:
    """Fill in the README; a line that begins with {ROOM} is of that room."""
    lines = []
    for line in text.splitlines(keepends=True):
        room, told = re.fullmatch(r"(?:\{(\w+)\})?(.*\n)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        if room not in without:
            lines.append(told.replace("leafnet", name).replace("VERSION", __version__))
    return "".join(lines)


def make_index(text: str, folder: Path) -> str:
    """Leave the lines of an index whose pages are in a folder, and the sections that have any."""

    def is_kept(line: str) -> bool:
        pages = re.findall(r"\]\(([^)#]+)", line)
        return not pages or any((folder / page).exists() for page in pages)

    title, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = ["".join(filter(is_kept, each.splitlines(keepends=True))) for each in sections]
    found = "".join(each for each in kept if "](" in each)
    return f"{title.splitlines()[0]}\n\n{found.rstrip()}\n"


def unlink_missing(text: str, folder: Path) -> str:
    """Leave the words of a link whose page is not there, and no picture that is not."""

    def kept(link: re.Match[str]) -> str:
        page = link[3].partition("#")[0]
        if not page or "://" in page or (folder / page).exists():
            return link[0]
        return "" if link[1] else link[2]

    return re.sub(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)", kept, text)
