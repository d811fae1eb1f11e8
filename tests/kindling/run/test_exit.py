"""Every kind of exception ends in the exit code that the contract gives it."""

import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest
from hydra.errors import InstantiationException
from omegaconf import OmegaConf

from kindling.errors import ConfigError, DataError, Problem
from kindling.run.exit import exit_codes

PROBLEM = Problem("a rule", "a thing", "type that")


def wrapped(error):
    try:
        raise InstantiationException("in conf") from error
    except InstantiationException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(PROBLEM), 2),
        (DataError(PROBLEM), 3),
        (wrapped(ConfigError(PROBLEM)), 2),
        (InstantiationException("Target 'os.system' is blocked"), 2),
        (InstantiationException("Error locating target 'nope.Nope'"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_error_has_its_exit_code(error, code, capsys):
    with pytest.raises(SystemExit) as left, exit_codes(debug=False):
        raise error
    assert left.value.code == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), wrapped(TypeError("ours"))])
def test_a_fault_of_ours_is_shown_with_its_traceback(error, capsys):
    with pytest.raises(SystemExit) as left, exit_codes(debug=False):
        raise error
    assert left.value.code == 1
    assert "Traceback" in (err := capsys.readouterr().err)
    assert "Error: ours" in err


def test_a_wrong_interpolation_is_the_users(capsys):
    cfg = OmegaConf.create({"a": "${nowhere}"})
    with pytest.raises(SystemExit) as left, exit_codes(debug=False):
        _ = cfg.a
    assert left.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def interrupted_trainer():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        sys.exit(1)  # what Lightning's Trainer does


def test_ctrl_c_inside_lightning_is_an_interruption():
    with pytest.raises(SystemExit) as left, exit_codes(debug=False):
        interrupted_trainer()
    assert left.value.code == 130


def interrupted_writer():
    try:
        raise KeyboardInterrupt
    finally:
        raise RuntimeError("unexpected pos 598784")  # what torch.save does


def test_what_breaks_because_of_ctrl_c_is_an_interruption(capsys):
    with pytest.raises(SystemExit) as left, exit_codes(debug=False):
        interrupted_writer()
    assert left.value.code == 130
    assert capsys.readouterr().err == ""


def test_one_screen_has_rule_got_and_fix_and_debug_adds_the_traceback(capsys):
    for debug in (False, True):
        with pytest.raises(SystemExit), exit_codes(debug=debug):
            raise DataError(PROBLEM, Problem("another [rule]", "b", "c"))
        err = capsys.readouterr().err
        assert "2 problems in the data" in err
        assert all(word in err for word in ("a rule", "a thing", "type that", "another [rule]"))
        assert ("Traceback" in err) is debug


@pytest.mark.parametrize(
    "line", ["print('a' * 100)", "import rich.console; rich.console.Console().print('a' * 100)"]
)
def test_a_closed_pipe_ends_quietly(line):
    code = f"from kindling.run.exit import exit_codes\nwith exit_codes(debug=False): {line}"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_letter_that_the_terminal_does_not_know_is_written_otherwise(monkeypatch):
    """Windows writes into a pipe in an encoding of 256 letters."""
    written = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written, encoding="cp1252"))
    with exit_codes(debug=False):
        sys.stdout.write("größe 犬\n")
    assert written.getvalue().decode("cp1252").splitlines() == ["größe \\u72ac"]
