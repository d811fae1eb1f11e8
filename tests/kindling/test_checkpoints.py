"""Checkpoint files: written whole under a name of their own, the newest valid one found."""

import os
from contextlib import suppress

import pytest
import torch

from kindling.checkpoints import clean_up, list_checkpoints, newest_checkpoint, write_checkpoint


def state(step):
    return {"state_dict": {"w": torch.full((64,), float(step))}, "global_step": step}


def write(folder, step, **words):
    return write_checkpoint(folder, state(step), epoch=1 + step // 10, step=step, **words)


def names(folder):
    return sorted(path.name.rpartition("-")[0] for path in folder.iterdir())


def test_a_name_says_epoch_step_and_content(tmp_path):
    path = write(tmp_path / "deep", 12)
    assert names(tmp_path / "deep") == ["epoch=2-step=12"]
    (found,) = list_checkpoints(tmp_path / "deep")
    assert (found.path, found.epoch, found.step, found.is_best) == (path, 2, 12, False)
    assert torch.load(path, weights_only=True)["state_dict"]["w"].tolist() == [12.0] * 64
    assert write(tmp_path / "deep", 12) == path  # the same content has the same name


def test_newest_is_the_most_steps_whatever_the_time_of_a_file(tmp_path):
    for step in (9, 100, 20):
        os.utime(write(tmp_path, step), (step == 9, 0))
    assert newest_checkpoint(tmp_path).file.step == 100
    assert newest_checkpoint(tmp_path / "none").file is None


def test_damaged_files_are_passed_over_by_name_newest_to_oldest(tmp_path):
    for step in (10, 20, 30):
        path = write(tmp_path, step)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    second = list_checkpoints(tmp_path)[1].path
    flipped = bytearray(second.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    second.write_bytes(flipped)
    found = newest_checkpoint(tmp_path)
    assert found.file.step == 10
    assert [words.partition("-step")[0] for words in found.damaged] == ["epoch=4", "epoch=3"]
    found.file.path.unlink()
    assert newest_checkpoint(tmp_path).file is None


def test_the_newest_stay_and_the_best_weights_that_they_count_on(tmp_path):
    for step in (10, 20, 30, 40):
        if step in (10, 20, 30):
            write(tmp_path, step, best=True)
        newest = write(tmp_path, step)
    clean_up(tmp_path, newest=newest, keep=3)
    best = ["best-epoch=3-step=20", "best-epoch=4-step=30"]
    assert names(tmp_path) == [*best, "epoch=3-step=20", "epoch=4-step=30", "epoch=5-step=40"]
    # A run that went on from step 20: what lies behind is of a way that nobody goes on.
    clean_up(tmp_path, newest=write(tmp_path, 25), keep=2)
    assert names(tmp_path) == [best[0], "epoch=3-step=20", "epoch=3-step=25"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, call):
    write(tmp_path, 10)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    failed = fail_at(monkeypatch, call, 1)
    with pytest.raises(OSError, match="injected"):
        write(tmp_path, 20)
    assert failed()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_every_damage_is_found(tmp_path):
    good, path = write(tmp_path, 10), write(tmp_path, 20)
    content = path.read_bytes()
    places = [k * (len(content) - 1) // 49 for k in range(50)]
    spoiled = [content[:length] for length in places]
    spoiled += [flipped(content, place, bit=place % 8) for place in places]
    for each in spoiled:
        path.write_bytes(each)
        found = newest_checkpoint(tmp_path)
        assert found.file.path == good
        assert found.damaged == (f"{path.name}: its content is not what was written",)


def flipped(content, place, bit):
    changed = bytearray(content)
    changed[place] ^= 1 << bit
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_whichever_call_fails_no_file_is_doubtful(tmp_path, monkeypatch, call):
    for number in range(1, 1000):
        folder = tmp_path / str(number)
        done = 0
        with monkeypatch.context() as patch:
            has_failed = fail_at(patch, call, number)
            for step in range(10, 50, 10):
                with suppress(OSError):
                    newest = write(folder, step)
                    done = step
                    clean_up(folder, newest=newest, keep=2)
        found = newest_checkpoint(folder)
        assert (found.file.step if found.file else 0, found.damaged) == (done, ())
        assert not list(folder.glob(".*"))
        if not has_failed():
            return


def fail_at(monkeypatch, call, number):
    """Let the number-th write, fsync or replace of this process fail, as a full disk would."""
    import kindling.checkpoints as module

    calls = []
    owner, name = {
        "write": (module.HashingStream, "write"),
        "fsync": (os, "fsync"),
        "replace": (os, "replace"),
    }[call]
    real = getattr(owner, name)

    def failing(*given):
        calls.append(name)
        if len(calls) == number:
            raise OSError(28, "injected")
        return real(*given)

    monkeypatch.setattr(owner, name, failing)
    return lambda: len(calls) >= number
