"""One run in many lives, each ended by SIGKILL: python lives.py SEED KILLS words... of train.py.

The lives are forked from a process that has imported all there is, so that kills fall into what a
run does and not into imports. The first life is left alone, in a folder of its own.
"""

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What a run imports on its way.
LATE = ("baselines", "data.datamodule", "models.mlp", "models.cnn", "training.task")
LATER = ("run.build", "run.finish", "run.plan", "run.resume", "bundle.bundle", "bundle.verify")


def live(cwd, seed, kills, *words):
    """Let a run be killed so often, then end; return its kills and the exit codes of its lives."""
    done = subprocess.run(
        [sys.executable, __file__, str(seed), str(kills), *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout), done.stderr


def begin(train, *words):
    """Fork one life; return its process."""
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.argv[1:] = words
        code = 1
        try:
            train()
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

    for name in (*(f"project.{n}" for n in LATE), *(f"kindling.{n}" for n in LATER)):
        importlib.import_module(name)
    began_s = time.monotonic()
    assert end(begin(train, *words, "hydra.run.dir=whole")) == 0
    lasts_s = time.monotonic() - began_s
    rng, codes = random.Random(seed), []
    words = [*words, "resume=auto", "hydra.run.dir=parts"]
    while codes.count(-signal.SIGKILL) < int(kills) and 0 not in codes:
        pid = begin(train, *words)
        time.sleep(rng.uniform(0, 2 / 3) * lasts_s)
        os.kill(pid, signal.SIGKILL)
        codes.append(end(pid))
    codes.append(end(begin(train, *words)))
    json.dump({"codes": codes, "lasts_s": lasts_s}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
