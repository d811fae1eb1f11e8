"""`python train.py` in another process, with signals in front of one call of a function."""

import functools
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def train(cwd, *words, place="", call=1, numbers=()):
    """Run train.py; return what became of it.

    Signals of these numbers come at a call of a place, module:function or module:Class.method.
    """
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
