"""Imports go down the floors only: never up, never sideways into the room next door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "kindling"
FLOORS = {
    "__init__": 0,
    "types": 0,
    "codes": 0,
    "errors": 0,
    "keyed": 0,
    "pixels": 0,
    "runs": 0,
    "data": 1,
    "model": 1,
    "task": 2,
    "callback": 3,
    "check": 3,
    "measure": 3,
    "speed": 3,
    "report": 3,
    "serve": 3,
    "run": 4,
    "cli": 5,
}
FRONT_DOOR = SRC / "__init__.py"  # `load` imports what it needs when it is called
FILES = sorted(SRC.rglob("*.py"))
PREFLIGHT = {SRC / "callback" / f"{name}.py" for name in ("preflight", "checks", "watch")}


def room(file):
    return file.relative_to(SRC).with_suffix("").parts[0]


def imported_rooms(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "kindling":
                yield rest.partition(".")[0] or "__init__"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SRC)))
def test_imports_go_down_the_floors_only(file):
    own = room(file)
    for other in imported_rooms(file) if file != FRONT_DOOR else ():
        same_room = other == own
        ground = FLOORS[own] == 0 == FLOORS[other]  # one room without walls
        assert same_room or ground or other == "__init__" or FLOORS[other] < FLOORS[own], (
            f"{own} (floor {FLOORS[own]}) imports {other} (floor {FLOORS[other]})"
        )


def test_the_front_door_imports_nothing_until_it_is_asked():
    code = "import sys; from kindling import load; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pandas", "kindling.serve"} & set(done.stdout.split())


def test_every_room_has_a_floor():
    assert {room(file) for file in FILES} <= set(FLOORS)


def test_nothing_but_run_and_cli_knows_the_report():
    users = {room(file) for file in FILES if "report" in imported_rooms(file)}
    assert users <= {"report", "run", "cli"}


def test_nothing_but_run_knows_what_makes_steps_quick():
    assert {room(file) for file in FILES if "speed" in imported_rooms(file)} == {"speed", "run"}


def test_the_preflight_check_can_be_taken_out():
    modules = {f"kindling.callback.{file.stem}" for file in PREFLIGHT}
    for file in set(FILES) - PREFLIGHT:
        assert not [name for name in modules if name in file.read_text(encoding="utf-8")]


def is_reading(file):
    """How files of all kinds become rows: to be looked up when a file of one's own is odd."""
    return file.parent.name in ("columns", "pictures")


def test_the_core_can_be_read_in_an_afternoon():
    core = ("types", "errors", "keyed", "pixels", "data", "model", "task", "callback", "run")
    files = [f for f in FILES if room(f) in core and f not in PREFLIGHT and not is_reading(f)]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert sum(bool(line.strip()) for line in lines) <= 3100


@pytest.mark.parametrize("word", [".cuda(", 'to("cuda', "to('cuda", "pickle.load", "torchvision"])
def test_no_source_holds(word):
    assert not [file for file in FILES if word in file.read_text(encoding="utf-8")]
