"""One process at a time writes to a run folder; the next is told who does."""

import errno
import json
import os
import subprocess
import sys

import pytest

from kindling.errors import ConfigError
from kindling.run import lock
from kindling.run.lock import locked

HOLD = """
import os, sys, time
from pathlib import Path
from kindling.run.lock import locked
with locked(Path(sys.argv[1])):
    reads, writes = os.pipe()
    if sys.argv[2] == "fork":
        if os.fork() == 0:
            os.write(writes, b"1")  # behind what is done at a fork
            time.sleep(60)  # a worker that outlives its parent for a while
        os.read(reads, 1)
    print(os.getpid(), flush=True)
    time.sleep(60)
"""


def hold(run, how="alone"):
    """Let another process hold the lock of a run; return it once it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, run, how],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline().split() == [str(process.pid)]
    return process


def test_a_second_process_is_told_who_writes_and_touches_nothing(tmp_path):
    process = hold(tmp_path)
    written = (tmp_path / ".lock").read_bytes()
    with pytest.raises(ConfigError) as caught, locked(tmp_path):
        pass
    told = str(caught.value)
    assert f"process {process.pid} on {os.uname().nodename} since 20" in told
    assert [file.name for file in tmp_path.iterdir()] == [".lock"]
    assert (tmp_path / ".lock").read_bytes() == written
    process.kill()
    process.communicate()
    with locked(tmp_path):  # whatever is left behind of one that was killed
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_workers_that_were_forked_do_not_hold_it(tmp_path):
    process = hold(tmp_path, "fork")
    process.kill()
    process.wait()
    process.stdout.close()
    with locked(tmp_path):
        pass
    os.killpg(process.pid, 9)


def test_a_file_system_without_locks_is_told_and_used(tmp_path, monkeypatch, capsys):
    def unknown(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(lock.fcntl, "flock", unknown)
    with locked(tmp_path):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert "lies where no file can be locked" in line


def test_a_system_without_locks_leaves_no_file_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)  # Windows
    with locked(tmp_path), locked(tmp_path):
        assert (tmp_path / ".lock").exists()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path):
    (tmp_path / "file").touch()
    rule = "must be one that can be written to"
    with pytest.raises(ConfigError, match=rule), locked(tmp_path / "file" / "run"):
        pass
