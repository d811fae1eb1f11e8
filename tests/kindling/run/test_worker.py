"""How one of several processes ends: with its code, having said and done what was left to do."""

import os
import subprocess
import sys

import pytest

LINES = """
import atexit, sys
from kindling.run.worker import ended_at_once

class Loud:
    def __del__(self):
        print("a destructor")

kept = Loud()
atexit.register(print, "registered")
with ended_at_once():
    print("trained", end=" ")
    {end}
"""


@pytest.mark.parametrize(
    ("end", "code"), [("pass", 0), ("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('no')", 1)]
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_process_of_several_ends_with_its_code_and_without_destructors(end, code, count):
    done = subprocess.run(
        [sys.executable, "-c", LINES.format(end=end)],
        env={**os.environ, "RANK": "0", "WORLD_SIZE": str(count)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stdout.split("\n")[0] == "trained registered"
    assert ("a destructor" in done.stdout) is (count == 1)
