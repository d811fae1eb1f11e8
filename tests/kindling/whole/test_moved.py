"""A run folder goes on wherever it lies, and with no more of it than is needed."""

import json
import shutil

import pytest
import torch

import kindling
from kindling.checkpoints import list_checkpoints
from tests.conftest import CONF, newest

pytestmark = pytest.mark.slow  # whole runs

QUICK = ["model=mlp", "threads=1", "device=cpu", "baselines=false", "report=false"]


def train(*words):
    from train import train

    return train(kindling.compose(*words, conf=CONF))


def ends(run):
    """Return what a run has learnt and found, bit by bit."""
    state = torch.load(newest(run), weights_only=True)
    metrics = json.loads((run / "metrics.json").read_text())
    scores = {name: metrics[name] for name in ("train", "val", "test", "best_epoch", "epochs")}
    weights = torch.cat([tensor.flatten().double() for tensor in state["state_dict"].values()])
    return weights, scores, (run / "predictions.csv").read_bytes()


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Train the first three epochs of six; return the run, and how six epochs at once end."""
    folder = tmp_path_factory.mktemp("begun")
    words = [*QUICK, "trainer.max_epochs=6", "optimizer.lr=0.05"]  # the best is not the last one
    train(*words, f"hydra.run.dir={folder}/whole")

    class Killed(BaseException):
        pass

    def killed(task):
        if task.current_epoch == 3:
            raise Killed

    from project.training.task import SupervisedTask

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SupervisedTask, "on_train_epoch_start", behind(SupervisedTask, killed))
        with pytest.raises(Killed):
            train(*words, f"hydra.run.dir={folder}/run")
    return folder / "run", ends(folder / "whole")


def behind(owner, then):
    real = owner.on_train_epoch_start

    def both(task):
        real(task)
        then(task)

    return both


def moved(run, place):
    return run.rename(place / "it's moved, [new]")


def copied(run, place):
    """Of two copies each goes on by itself; the other one stays as it is."""
    return shutil.copytree(run, place / "copy")


def shortened(run, _place):
    """What is needed: settings, data, and the newest state with the best weights."""
    state = list_checkpoints(run / "checkpoints")[0].path
    best = torch.load(state, weights_only=True)["kindling"]["best_file"]
    needed = {"config.yaml", "settings.json", "data.json", state.name, best}
    for file in run.rglob("*"):
        if file.is_file() and file.name not in needed:
            file.unlink()
    return run


@pytest.mark.parametrize("how", [moved, copied, shortened], ids=lambda how: how.__name__)
def test_a_run_goes_on_and_ends_as_one_that_was_left_alone(begun, tmp_path, how):
    run, whole = begun
    own = shutil.copytree(run, tmp_path / "own")
    place = how(own, tmp_path)
    before = {file: file.read_bytes() for file in own.rglob("*") if file.is_file()}
    train(f"resume={place}")
    found = ends(place)
    assert found[0].equal(whole[0])
    assert found[1:] == whole[1:]
    if place != own and own.exists():
        assert before == {file: file.read_bytes() for file in own.rglob("*") if file.is_file()}
