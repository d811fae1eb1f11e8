"""Names from files are shown, and can steer no terminal: on the console, in pages, everywhere."""

import numpy as np
import pandas as pd
import pytest

from kindling.cli.command_line import main
from kindling.errors import DataError, Problem
from kindling.formatting import printable, shorten
from kindling.run.console import show_plan, show_problems, show_scores
from kindling.run.plan import describe_findings, describe_left_out, describe_task

# A window's title, a cleared line, text from right to left, a bell, another encoding's half.
STEERING = ["\x1b]0;owned\x07", "a\x1b[2Kb", "a\u202eb", "\x9b31m", "x\udcffy", "a\rb", "\u2066z"]


@pytest.mark.parametrize("name", STEERING)
def test_what_steers_is_escaped_and_nothing_else(name):
    assert printable(name).isprintable()
    assert shorten(name).isprintable()
    assert printable(name).encode().decode("unicode_escape") == name
    for text in ("Größe (cm)", "年", "1\u202f000", "\u0646\u200c\u0641", "a b"):
        assert printable(text) == text


def steering_table(tmp_path):
    rows = {f"n{name}": np.arange(80) % 7 for name in ("\x1b]0;owned\x07", "a\x1b[2Kb")}
    rows |= {"l\x1b[1mo": 1, "w\u202ed": ["c\x1b[2K", "d\u202e"] * 40}
    frame = pd.DataFrame(rows | {"y": ["e\x1b[2Kf", "g\u202eh"] * 40})
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def shown(text):
    return all(line.isprintable() for line in text.splitlines())


def test_the_plan_and_its_warnings_are_safe(build, tmp_path, capsys):
    file = steering_table(tmp_path)
    data, _, _ = build("data=table", f"data.path={file}", "data.target=y")
    lines = {"left out": describe_left_out(data), "task": describe_task(data)}
    show_plan(lines | describe_findings(data))
    out = capsys.readouterr().out
    assert shown(out), out
    assert r"e\x1b[2Kf" in out


@pytest.mark.parametrize("name", STEERING)
def test_problems_and_scores_are_safe(name, capsys):
    error = DataError(Problem(f"a {name}", name, name))
    show_problems(error)
    show_scores({name: {name: 1.0}})
    out, err = capsys.readouterr()
    assert shown(out)
    assert shown(err)
    assert shown(str(error))


def test_inspect_is_safe(tmp_path, capsys):
    file, page = steering_table(tmp_path), tmp_path / "page.html"
    main(["inspect", str(file), "--target", "y", "--html", str(page)])
    out = capsys.readouterr().out
    assert shown(out), out
    assert shown(page.read_text())
