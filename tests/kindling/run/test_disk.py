"""A disk that is full or read-only: one screen, what was written before stays, the run goes on."""

import contextlib
import errno
import os
import subprocess

import pytest
import torch

import kindling
from kindling.callbacks.run_checkpoint import RunCheckpoint
from kindling.checkpoints import newest_checkpoint
from kindling.disk import disk_error, refuse_small_disk
from kindling.errors import ConfigError, DataError
from kindling.run.exit import as_user_error
from tests.conftest import CONF
from tests.kindling.placed import train
from tests.kindling.thinning import thin

QUICK = ["model=mlp", "report=false", "baselines=false", "threads=1", "bundle=false"]
OFTEN = ["data.batch_size=16", "callbacks.checkpoint.every_n_steps=1", "~callbacks.early_stopping"]


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of some kB, at most; where nobody may, the test is skipped."""
    folder, mounted = tmp_path / "small", []

    def mount(options):
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    try:
        yield mount
    finally:
        for place in mounted:
            subprocess.run(["umount", place], check=True)


def test_a_disk_without_room_for_three_checkpoints_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="must have room for 3 checkpoints"):
        refuse_small_disk(tmp_path / "not" / "there", 10**18, 0)
    refuse_small_disk(tmp_path, 1, 7)


def test_a_refusal_of_the_disk_is_found_behind_what_torch_makes_of_it():
    class Full:
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device", "a.ckpt")

    with pytest.raises((RuntimeError, OSError)) as caught:
        torch.save({"w": torch.zeros(10_000)}, Full())
    assert disk_error(caught.value).errno == errno.ENOSPC
    told = str(as_user_error(caught.value))
    assert "what was written before is as it was" in told
    assert "No space left on device: a.ckpt" in told
    assert disk_error(ValueError("another")) is None


@pytest.fixture
def filled(monkeypatch):
    """Let the disk be full for the checkpoints written from one call to another."""

    def fill(first, last):
        calls, real = iter(range(10**6)), os.fsync

        def fsync(descriptor):
            if first <= next(calls) < last:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        monkeypatch.setattr("kindling.files.os.fsync", fsync)

    return fill


@pytest.mark.parametrize("full_disk", thin(["stop", "go_on"], 2))
def test_a_full_disk_stops_the_training_or_is_told_once(build, tmp_path, filled, capsys, full_disk):
    data, task, trainer = build("model=mlp", *OFTEN, f"callbacks.checkpoint.full_disk={full_disk}")
    filled(8, 20)
    stops = pytest.raises(OSError, match="No space") if full_disk == "stop" else None
    with stops or contextlib.nullcontext():
        trainer.fit(task, data)
    newest = newest_checkpoint(tmp_path / "run" / "checkpoints")
    assert newest.damaged == ()
    assert not list(tmp_path.rglob("*.part"))
    told = capsys.readouterr().err
    assert told.count("no checkpoint could be written") == (full_disk == "go_on")
    assert (newest.file.step == trainer.global_step) is (full_disk == "go_on")


@pytest.mark.slow
def test_what_is_not_on_the_disk_at_the_end_is_never_taken_for_written(build, filled):
    data, task, trainer = build("model=mlp", *OFTEN, "callbacks.checkpoint.full_disk=go_on")
    filled(8, 10**6)
    with pytest.raises(OSError, match="No space"):
        trainer.fit(task, data)
    (checkpoint,) = (c for c in trainer.callbacks if isinstance(c, RunCheckpoint))
    assert checkpoint.state is not None


@pytest.mark.slow
@pytest.mark.parametrize("size_kb", thin([1200, 300, 2900], 3, pytest.mark.nightly))
def test_a_run_on_a_small_disk_ends_in_words_and_goes_on_with_room(small_disk, size_kb):
    disk = small_disk(f"size={size_kb}k")
    words = [*QUICK, *OFTEN, "trainer.max_epochs=4", f"hydra.run.dir={disk}/run"]
    done = train(disk.parent, *words)
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert "No space left on device" in done.stderr or "must have room for 3" in done.stderr
    subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
    done = train(disk.parent, *words, "resume=auto")
    assert done.returncode == 0, done.stderr


@pytest.mark.nightly
@pytest.mark.slow
def test_a_read_only_folder_is_refused_and_a_finished_run_in_it_is_not(small_disk):
    disk = small_disk("size=20m")
    words = [*QUICK, f"hydra.run.dir={disk}/run"]
    assert train(disk.parent, *words, "trainer.max_epochs=1").returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    done = train(disk.parent, f"resume={disk}/run")
    assert (done.returncode, done.stderr) == (0, "")
    for resumed in ([f"resume={disk}/run", "trainer.max_epochs=2"], [f"hydra.run.dir={disk}/new"]):
        done = train(disk.parent, *QUICK[:1], *resumed)
        assert "Traceback" not in done.stderr
        assert done.returncode == 2
        assert "Read-only file system" in done.stderr


@pytest.mark.slow
def test_a_table_that_is_gone_at_the_end_is_named_and_the_training_kept(
    table_csv, tmp_path, monkeypatch, capsys
):
    from project.training.task import SupervisedTask
    from train import train as command

    def gone(_task):
        table_csv.rename(tmp_path / "away.csv")

    words = ["data=table", f"data.path={table_csv}", "data.target=label", "data.memory=disk"]
    words += [
        "model=mlp",
        "baselines=false",
        "trainer.max_epochs=2",
        f"hydra.run.dir={tmp_path}/run",
    ]
    with monkeypatch.context() as patch:
        patch.setattr(SupervisedTask, "on_fit_end", gone)
        with pytest.raises(DataError, match=r"table\.csv.*No such file.*bring the file back"):
            command(kindling.compose(*words, conf=CONF))
    assert f"go on with: python train.py resume={tmp_path}/run" in capsys.readouterr().err
    (tmp_path / "away.csv").rename(table_csv)
    command(kindling.compose(f"resume={tmp_path}/run", conf=CONF))
    assert (tmp_path / "run" / "metrics.json").exists()
