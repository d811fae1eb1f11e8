"""Checkpoints wait in memory, and are on the disk whenever somebody may need them."""

import signal

import pytest
import torch

from kindling.trainer import buffered_checkpoints as checkpoints
from kindling.trainer.buffered_checkpoints import BufferedCheckpointIO


def state(value):
    return {"state_dict": {"w": torch.full((2,), value)}, "epoch": int(value), "list": [(1, 2)]}


def on_disk(path):
    return torch.load(path, weights_only=True)["epoch"] if path.exists() else None


def test_the_first_checkpoint_is_written_at_once_and_the_next_ones_wait(tmp_path):
    io, last = BufferedCheckpointIO(every_s=60), tmp_path / "deep" / "last.ckpt"
    io.save_checkpoint(state(1.0), last)
    io.save_checkpoint(state(2.0), last)
    assert on_disk(last) == 1
    io.teardown()
    assert on_disk(last) == 2


@pytest.mark.parametrize(
    ("epoch_s", "on_disk_after"),
    [
        (60.0, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]),
        (3.0, [(1, 1), (1, 1), (3, 3), (3, 3), (5, 5), (5, 5)]),
    ],
)
def test_a_file_is_as_old_as_seconds_and_not_as_old_as_an_epoch(
    tmp_path, monkeypatch, epoch_s, on_disk_after
):
    io, best, last = BufferedCheckpointIO(every_s=5), tmp_path / "best.ckpt", tmp_path / "last.ckpt"
    seen = []
    for epoch in range(1, 7):
        monkeypatch.setattr(checkpoints.time, "monotonic", lambda epoch=epoch: epoch * epoch_s)
        for path in (best, last):  # as Lightning does after each epoch that was better
            io.save_checkpoint(state(float(epoch)), path)
        seen.append((on_disk(best), on_disk(last)))
    assert seen == on_disk_after


def test_what_waits_is_a_copy(tmp_path):
    io, last, given = BufferedCheckpointIO(every_s=60), tmp_path / "last.ckpt", state(1.0)
    io.save_checkpoint(state(0.0), last)
    io.save_checkpoint(given, last)
    given["state_dict"]["w"].zero_()
    given["list"].append(3)
    io.write()
    written = torch.load(last, weights_only=True)
    assert written["list"] == [(1, 2)]
    assert written["state_dict"]["w"].tolist() == [1, 1]


def test_whoever_loads_gets_the_newest(tmp_path):
    io, last = BufferedCheckpointIO(every_s=60), tmp_path / "last.ckpt"
    for value in (1.0, 2.0):
        io.save_checkpoint(state(value), last)
    assert io.load_checkpoint(last, weights_only=True)["epoch"] == 2


def test_a_state_is_never_on_the_disk_before_the_best_weights_that_it_counts_on(tmp_path):
    io, best, last = (
        BufferedCheckpointIO(every_s=60),
        tmp_path / "best.ckpt",
        tmp_path / "last.ckpt",
    )
    for path in (best, last):
        io.save_checkpoint(state(0.0), path)
    for path, epoch in ((best, 1.0), (last, 1.0), (last, 2.0), (best, 3.0), (last, 3.0)):
        io.save_checkpoint(state(epoch), path)
        assert list(io.waiting)[-1] == path
    (tmp_path / ".last.ckpt.part").mkdir()  # the disk gives up half-way
    with pytest.raises(OSError, match="part"):
        io.write()
    assert (on_disk(best), on_disk(last)) == (3, 0)


def test_what_ctrl_c_interrupts_is_written_at_the_end(tmp_path, monkeypatch):
    io, path = BufferedCheckpointIO(every_s=60), tmp_path / "last.ckpt"
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            io.save_checkpoint(state(1.0), path)
    assert on_disk(path) is None
    io.teardown()
    assert on_disk(path) == 1


def test_what_was_taken_back_is_not_written(tmp_path):
    io, path = BufferedCheckpointIO(every_s=60), tmp_path / "a.ckpt"
    io.save_checkpoint(state(1.0), path)
    io.save_checkpoint(state(2.0), path)
    io.remove_checkpoint(path)
    io.teardown()
    assert not path.exists()


@pytest.mark.parametrize("ends", ["at its end", "in an error", "by Ctrl-C"])
def test_a_training_leaves_its_last_epoch_behind(build, tmp_path, ends):
    data, task, trainer = build("trainer.max_epochs=4")
    step = task.training_step

    def failing(chunk, batch_idx):
        if trainer.current_epoch == 3 and ends != "at its end":
            raise KeyboardInterrupt if ends == "by Ctrl-C" else RuntimeError
        step(chunk, batch_idx)

    task.training_step = failing
    if ends == "at its end":
        trainer.fit(task, data)
    else:
        with pytest.raises(SystemExit if ends == "by Ctrl-C" else RuntimeError):
            trainer.fit(task, data)
    last = torch.load(next(tmp_path.rglob("last.ckpt")), weights_only=True)
    assert last["epoch"] == (3 if ends == "at its end" else 2)
    assert not list(tmp_path.rglob("*.part"))
