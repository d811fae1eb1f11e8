"""The optional rooms of the toolkit: what each consists of, and what it adds to a run.

A project can do without a room (`make new WITHOUT=serve,report`): its files, its extra and its key
are then not there, and nothing else in the toolkit imports them. Standard library only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from kindling.errors import ConfigError, Problem


@dataclass(frozen=True)
class Room:
    """What belongs to a room and to nothing else.

    Args:
        files: files and folders, from the root of a project.
        key: at the root of conf/train.yaml, true or false: whether a run uses it.
        group: of conf/, that the defaults of conf/train.yaml name.
        entries: functions that the rest of the toolkit calls where the room is there, see
            `entry`, and their modules.
        extra: of pyproject.toml.
        packages: dependencies that nothing else imports.
    """

    files: tuple[str, ...]
    key: str = ""
    group: str = ""
    entries: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""
    packages: tuple[str, ...] = ()


TOOLKIT = "src/kindling"
# What reads image files, of kindling/images; images as arrays stay.
IMAGE_FILES = (
    *("decoding", "reading", "bit_depth", "resizing", "samples", "image_cache", "image_source"),
    *("class_folders", "folder_doubts", "header_findings", "image_faults", "image_names"),
    *("label_columns", "label_rows", "labels_file", "lookalikes", "split_names"),
)
# By the name that WITHOUT takes. A new room is one of these; what uses it asks `entry`.
ROOMS: Mapping[str, Room] = {
    "checks": Room(
        (f"{TOOLKIT}/checks", f"{TOOLKIT}/cli/inspect.py", "docs/data-checks.md"),
        key="checks",
        entries={"check_data": "kindling.checks.data"},
    ),
    "images": Room(
        (
            *(f"{TOOLKIT}/images/{name}.py" for name in IMAGE_FILES),
            *(f"{TOOLKIT}/bundle/evaluation_images.py", "conf/data/images.yaml"),
        ),
        entries={
            "decode": "kindling.images.decoding",
            "read_header": "kindling.images.decoding",
            "list_labelled_images": "kindling.bundle.evaluation_images",
        },
        extra="images",
    ),
    "prepared": Room(
        (f"{TOOLKIT}/prepared", f"{TOOLKIT}/cli/prepare.py", "conf/data/prepared.yaml"),
    ),
    "report": Room(
        (f"{TOOLKIT}/report", f"{TOOLKIT}/cli/compare.py"),
        key="report",
        entries={
            "write_report": "kindling.report.page",
            "print_runs": "kindling.report.comparison_output",
        },
        packages=("jinja2",),
    ),
    "search": Room(
        (f"{TOOLKIT}/search", "src/hydra_plugins", "conf/sweep", "docs/sweeps.md"),
        group="sweep",
        extra="sweep",
    ),
    "export": Room((f"{TOOLKIT}/export", f"{TOOLKIT}/cli/export.py"), extra="onnx"),
    "serve": Room(
        (
            *(f"{TOOLKIT}/serve", f"{TOOLKIT}/cli/serve.py"),
            *("docs/deploy.md", "docs/deploy", "docs/Dockerfile", "docs/Dockerfile.dockerignore"),
            *(f"docs/{name}" for name in ("serve.png", "serve_phone.png")),
        ),
        extra="serve",
    ),
}


def has_room(root: Path, name: str) -> bool:
    """Say whether a project has an optional room."""
    return (root / ROOMS[name].files[0]).exists()


def entry(name: str, cfg: Mapping[str, Any] | None = None) -> Callable[..., Any] | None:
    """Return a function that an optional room offers; None where the project has no such room.

    Args:
        name: of the function, among the entries of a room.
        cfg: of a run: then None as well where the room's key is false.
    """
    room = next(room for room in ROOMS.values() if name in room.entries)
    parts = room.entries[name].split(".")
    is_here = Path(__file__).parent.joinpath(*parts[1:]).with_suffix(".py").is_file()
    if not is_here or (cfg is not None and not cfg[room.key]):
        return None
    return getattr(import_module(room.entries[name]), name)


def needed(name: str) -> Callable[..., Any]:
    """Return a function that an optional room offers.

    Raises:
        ConfigError: the project has no such room.
    """
    function = entry(name)
    if function is None:
        room = next(room for room, about in ROOMS.items() if name in about.entries)
        rule = f"this takes the room {room} of the toolkit"
        fix = f"type make upgrade FROM=../kindling WITH={room}"
        raise ConfigError(Problem(rule, "a project that was made without it", fix))
    return function
