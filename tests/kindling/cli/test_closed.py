"""A file or folder that may not be read is an answer with a code, whoever asks for it."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from kindling import load
from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.cli.command_line import main
from kindling.errors import DataError

PENGUINS = Path(__file__).parents[3] / "data" / "penguins.csv"
NOBODY = 65534


@contextmanager
def as_nobody():
    """Take root's rights away, who reads whatever there is; others are what they are."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)


@pytest.fixture
def rows(penguins_run):
    """A file in a folder that everybody may enter, with a run beside it."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(penguins_run, Path(name) / "run")
        file = Path(name) / "new" / "rows.csv"
        file.parent.mkdir()
        shutil.copy(PENGUINS, file)
        Path(name).chmod(0o755)
        yield file
        file.parent.chmod(0o755)


COMMANDS = {
    "predict": ["predict", "{run}", "{file}"],
    "predict a folder": ["predict", "{run}", "{folder}"],
    "evaluate": ["evaluate", "{run}", "{file}"],
    "inspect": ["inspect", "{file}", "--target", "species"],
    "inspect columns": ["inspect", "{file}"],
}


@pytest.mark.parametrize("closed", ["file", "folder"])
@pytest.mark.parametrize(
    "command",
    ["inspect", *(pytest.param(c, marks=pytest.mark.slow) for c in COMMANDS if c != "inspect")],
)
def test_what_may_not_be_read_is_answered_with_a_code(command, closed, rows, capfd):
    places = {"run": rows.parents[1] / "run", "file": rows, "folder": rows.parent}
    words = [word.format(**places) for word in COMMANDS[command]]
    main(words)  # nobody may not import what is imported only now
    places[closed].chmod(0)
    with as_nobody(), pytest.raises(SystemExit) as stop:
        main(words)
    said = capfd.readouterr().err
    assert stop.value.code == 3
    assert "D014" in said
    assert f"chmod u+r {rows.parent}" in said


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_training_says_the_same(build, rows, closed):
    words = ["data=table", f"data.path={rows}", "data.target=species"]
    build(*words)
    (rows if closed == "file" else rows.parent).chmod(0)
    with as_nobody(), pytest.raises(DataError) as caught:
        build(*words)
    assert [problem.code for problem in caught.value.problems] == ["D014"]


@pytest.mark.slow
def test_a_class_folder_that_may_not_be_read_is_not_passed_over(digits_run):
    model = load(digits_run)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        (Path(name) / "3").mkdir(mode=0)
        with as_nobody(), pytest.raises(DataError, match="must be readable"):
            read_evaluation_set(Path(name), model)
