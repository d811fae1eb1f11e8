"""`python train.py` in another process, with a signal at one place: python placed.py PLACE CALL NUMBER words...

PLACE is module:name of a function or method, CALL which of its calls the signal comes at.
"""

import functools
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def train(cwd, *words, place="", call=1, numbers=()):
    """Run train.py, and let signals come at a call of a place; return what became of it."""
    at = [f"{place} {call} {','.join(str(int(n)) for n in numbers)}"] if place else []
    return subprocess.run(
        [sys.executable, __file__, *(at or ["-"]), *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
        # A job in the background of a script ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def put(place, call, numbers):
    """Let signals come in front of the call of a place."""
    module, _, name = place.partition(":")
    *owners, last = name.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    real, calls = getattr(owner, last), iter(range(1, sys.maxsize))

    @functools.wraps(real)
    def placed(*args, **kwargs):
        if next(calls) == call:
            for number in numbers:
                signal.raise_signal(number)
        return real(*args, **kwargs)

    setattr(owner, last, placed)


if __name__ == "__main__":
    at = sys.argv.pop(1)
    from train import train as command

    if at != "-":
        place, call, numbers = at.split()
        put(place, int(call), [int(number) for number in numbers.split(",")])
    command()
