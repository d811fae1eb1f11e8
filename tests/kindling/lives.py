"""One run in many lives, each ended by SIGKILL: python lives.py SEED KILLS words... of train.py.

The lives are forked from a process that has imported all that a run imports, so that kills fall
into what a run does. The first life is left alone: it tells what that is, and what comes of a run.
"""

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]


def live(cwd, seed, kills, *words):
    """Run in "whole" at once, in "parts*" with kills; return their exit codes, and errors."""
    done = subprocess.run(
        [sys.executable, __file__, str(seed), str(kills), *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout or "[]"), done.stderr


def begin(train, *words):
    """Fork one life; return its process."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.argv[1:] = words
        code = 1
        try:
            train()
            Path("modules.json").write_text(json.dumps([*sys.modules]))
            code = 0
        except SystemExit as stop:
            code = stop.code
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def end(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(seed, kills, *words):
    from train import train

    assert end(begin(train, *words, "hydra.run.dir=whole")) == 0
    for name in json.loads(Path("modules.json").read_text()):
        with suppress(Exception):
            importlib.import_module(name)
    began_s = time.monotonic()
    assert end(begin(train, *words, "hydra.run.dir=again")) == 0
    lasts_s = time.monotonic() - began_s
    rng, codes, run = random.Random(seed), [], 0
    words = [*words, "resume=auto"]
    while codes.count(-signal.SIGKILL) < int(kills):
        pid = begin(train, *words, f"hydra.run.dir=parts{run}")
        time.sleep(rng.uniform(0, 2 / 3) * lasts_s)
        os.kill(pid, signal.SIGKILL)
        codes.append(end(pid))
        run += codes[-1] == 0  # it was through before: the other kills are the next one's
    codes.append(end(begin(train, *words, f"hydra.run.dir=parts{run}")))
    json.dump(codes, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
