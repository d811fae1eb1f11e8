"""States are on the disk whenever somebody may need them, and hold all that a run needs."""

import random

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from kindling.checkpoints import list_checkpoints, newest_checkpoint
from kindling.errors import ConfigError
from kindling.trainer.random_state import random_state, set_random_state
from tests.conftest import newest
from tests.kindling.thinning import thin
from tests.kindling.whole.interruption import fit

MLP = ["model=mlp", "data=penguins"]


def load(path):
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("ends", thin(["by Ctrl-C", "in an error", "at its end"], 3))
def test_a_training_leaves_its_last_epoch_behind(build, tmp_path, ends):
    data, task, trainer = build(*MLP, "trainer.max_epochs=4")
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
    assert load(newest(tmp_path / "run"))["epoch"] == (3 if ends == "at its end" else 2)
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow
def test_short_epochs_write_few_files_and_keep_few(build, tmp_path):
    data, task, trainer = build(*MLP, "trainer.max_epochs=12")
    seen = set()

    class Looks(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            seen.update(file.epoch for file in list_checkpoints(tmp_path / "run/checkpoints"))

    trainer.callbacks.insert(0, Looks())
    trainer.fit(task, data)
    assert seen == {1}  # the first one at once; then they wait for seconds to pass, or for the end
    assert [file.epoch for file in list_checkpoints(tmp_path / "run/checkpoints")] == [12, 1]


def test_the_best_weights_are_those_of_the_best_epoch(build, tmp_path):
    data, task, trainer = build(*MLP, "trainer.max_epochs=6", "optimizer.lr=0.3")
    seen = {}

    class Looks(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            weights = {name: tensor.clone() for name, tensor in task.state_dict().items()}
            seen[trainer.current_epoch] = float(trainer.callback_metrics["val/loss"]), weights

    trainer.callbacks.insert(0, Looks())
    trainer.fit(task, data)
    best = load(newest(tmp_path / "run", best=True))
    score, weights = min(seen.values(), key=lambda pair: pair[0])
    assert trainer.checkpoint_callback.best_model_score == score
    assert trainer.checkpoint_callback.best_model_path == str(newest(tmp_path / "run", best=True))
    assert all(torch.equal(tensor, best["state_dict"][name]) for name, tensor in weights.items())


@pytest.mark.slow
def test_a_run_that_early_stopping_ended_stays_ended(compose):
    words = [*MLP, "trainer.max_epochs=9", "callbacks.early_stopping.patience=1"]
    words += ["optimizer.lr=0.5", "scheduler=constant"]
    run = fit(compose, *words, folder="run")
    state = load(newest(run))
    assert state["epoch"] < 8
    for _ in range(2):
        fit(compose, *words, folder="run", resume=True)
        assert load(newest(run))["global_step"] == state["global_step"]


def test_a_monitor_that_nothing_logs_is_refused(build):
    data, task, trainer = build(*MLP)
    trainer.checkpoint_callback.monitor = "val/nothing"
    with pytest.raises(ConfigError, match="got monitor=val/nothing; what is logged: train"):
        trainer.fit(task, data)


def test_lightnings_own_checkpoints_work_beside_it(build, tmp_path):
    data, task, trainer = build(*MLP)
    trainer.callbacks.append(ModelCheckpoint(tmp_path / "own", filename="own", monitor="val/loss"))
    trainer.fit(task, data)
    trainer.test(task, data, ckpt_path="best", weights_only=True, verbose=False)
    assert (tmp_path / "own" / "own.ckpt").is_file()
    kept = [s for k, s in load(newest(tmp_path / "run"))["callbacks"].items() if "Model" in k]
    assert kept[0]["best_model_path"] == str(tmp_path / "own" / "own.ckpt")


@pytest.mark.slow
def test_a_training_that_begins_anew_in_a_folder_leaves_no_older_state(build, tmp_path):
    for epochs in (3, 1):
        data, task, trainer = build(*MLP, f"trainer.max_epochs={epochs}")
        trainer.fit(task, data)
    assert newest_checkpoint(tmp_path / "run/checkpoints").file.epoch == 1


@pytest.mark.slow
def test_what_a_killed_write_left_behind_goes_at_the_next_start(compose):
    run = fit(compose, *MLP, folder="run")
    left = run / "checkpoints" / ".epoch=4-step=32.ckpt.part"
    left.write_bytes(b"half")
    fit(compose, *MLP, folder="run", resume=True)
    assert not left.exists()


def draws():
    return random.random(), np.random.random(), torch.rand(1).item()  # noqa: NPY002


def test_random_states_come_back(tmp_path):
    torch.save(random_state(), tmp_path / "state.pt")
    first = draws()
    assert draws() != first
    set_random_state(load(tmp_path / "state.pt"))
    assert draws() == first


@pytest.mark.slow
def test_seconds_add_up_over_the_parts_of_a_run(compose):
    words = [*MLP, "callbacks.checkpoint.every_n_steps=1", "trainer.max_epochs=2"]
    run = fit(compose, *words, folder="run", stop_at=9)
    first = load(newest(run))
    fit(compose, *words, folder="run", resume=True)
    second = load(newest(run))
    assert second["kindling"]["seconds"] > first["kindling"]["seconds"] > 0
    rows = [state["callbacks"]["kindling.Timer"]["rows"] for state in (first, second)]
    assert rows == [240 + 32, 2 * 240]
