"""`python train.py` in another process, with something in front of one call of a function."""

import functools
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def train(cwd, *words, place="", call=1, numbers=(), error="", rank=0, to_parent=False):
    """Run train.py; return what became of it.

    Signals of these numbers come at a call of a place, module:function or module:Class.method, or
    an error, module:Class, is raised there; in the process of this rank, or its parent gets them.
    """
    asked = {"place": place, "call": call, "numbers": [int(number) for number in numbers]}
    asked |= {"error": error, "rank": rank, "to_parent": to_parent}
    return subprocess.run(
        [sys.executable, __file__, *words],
        cwd=cwd,
        env=os.environ
        | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "PLACED": json.dumps(asked)},
        capture_output=True,
        text=True,
        check=False,
        # A job in the background of a script ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def find(place):
    """Return what has the last name of a place, and that name."""
    module, _, name = place.partition(":")
    *owners, last = name.split(".")
    return functools.reduce(getattr, owners, importlib.import_module(module)), last


def put(place, call, numbers, error, to_parent):
    """Let signals come, or an error, in front of the call of a place."""
    owner, last = find(place)
    real, calls = getattr(owner, last), iter(range(1, sys.maxsize))

    @functools.wraps(real)
    def placed(*args, **kwargs):
        if next(calls) == call:
            for number in numbers:
                os.kill(os.getppid() if to_parent else os.getpid(), number)
            if error:
                raise getattr(*find(error))(placed_problem())
        return real(*args, **kwargs)

    setattr(owner, last, placed)


def placed_problem():
    from kindling.errors import Problem

    return Problem("what is placed", "an error", "take it away")


if __name__ == "__main__":
    from train import train as command

    asked = json.loads(os.environ["PLACED"])
    if asked["place"] and int(os.environ.get("RANK", 0)) == asked.pop("rank"):
        put(**asked)
    command()
