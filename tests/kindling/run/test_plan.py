"""What is left out, or read in one of two ways, is on the console however much else there is."""

from types import SimpleNamespace

import pytest

from kindling.codes import CODES
from kindling.errors import Problem
from kindling.run.plan import MAX_WARNINGS, describe_findings

OTHERS = [Problem("a rule", f"number {k}", "nothing", "D207") for k in range(MAX_WARNINGS + 1)]
LOSSES = ["D016", "D018", "D414", "D417", "D443", "D444"]
READINGS = ["D010", "D011", "D017", "D019", "D114", "D121", "D124", "D125", "D423"]


@pytest.mark.parametrize("code", [*LOSSES, *READINGS])
def test_a_loss_or_a_doubt_is_told_behind_many_other_warnings(code):
    lost = Problem("another rule", "what was lost", "nothing", code)
    lines = describe_findings(SimpleNamespace(findings=[*OTHERS, lost]))
    assert "what was lost" in lines[code]
    assert lines["D207"].count("number") == MAX_WARNINGS
    assert lines["checks"].startswith("1 more")


def test_what_is_always_told_is_a_warning():
    assert {check.severity for check in CODES.values() if check.always} == {"warning"}
