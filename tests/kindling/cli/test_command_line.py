"""`kindling ...` as a person types it: help without torch, exit codes, what was meant."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kindling.cli
from kindling.cli.command_line import COMMANDS

FOLDER = Path(kindling.cli.__file__).parent
WRITTEN = [name for name in COMMANDS if (FOLDER / f"{name}.py").exists()]
HEAVY = {"torch", "lightning", "pandas", "sklearn", "hydra", "pyarrow", "numpy", "rich"}
COMMAND = [sys.executable, "-c", "from kindling.cli.command_line import main; main()"]


def type_in(*words, environment=None):
    """Run kindling in another process."""
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        env=os.environ | (environment or {}),
        check=False,
    )


@pytest.mark.parametrize("words", [[], *([name] for name in WRITTEN)], ids=" ".join)
def test_help_has_an_example_and_imports_nothing_heavy(words):
    done = type_in(*words, "--help", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "argparse" in imported
    assert not imported & HEAVY
    assert re.search(f"kindling {' '.join(words) or 'COMMAND'} ", done.stdout.partition("\n")[2])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_list(name):
    assert name in type_in("--help").stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["comapre"], "did you mean kindling compare?"),
        (["xyz"], "type kindling --help"),
        (["--verison"], "type kindling --help"),
        (["env", "--josn"], "did you mean --json?"),
        (["env", "RUN"], "type kindling env --help"),
    ],
)
def test_what_is_misspelt_is_answered_with_code_2_and_what_to_type(words, hint):
    done = type_in(*words)
    assert done.returncode == 2
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_word_at_all_shows_the_help_as_an_error():
    done = type_in()
    assert (done.returncode, done.stdout) == (2, "")
    assert "compare" in done.stderr
