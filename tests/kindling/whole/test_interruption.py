"""A run that was interrupted at any step ends with the bits of one that was not.

Weights, optimizer, scheduler, every callback's state, random states and the logged scalars.
"""

import csv

import pytest
import torch
from torch import nn

from kindling.checkpoints import list_checkpoints
from tests.conftest import newest
from tests.kindling.test_contract import TUTORIAL, Tutorial
from tests.kindling.thinning import thin
from tests.kindling.whole.interruption import differences, ending, fit, killed, scalars

EACH = ["task.steps_per_call=1", "callbacks.checkpoint.every_n_steps=1", "trainer.max_epochs=2"]
TABLE = ["data=penguins", "model=mlp", "model.dropout=0.1"]  # 8 batches of 32 in an epoch
IMAGES = ["data=digits", "model=cnn", "model.width=4", "data.augment=strong", "data.flip=true"]
IMAGES += ["data.batch_size=300"]  # 5 batches in an epoch; a CNN has BatchNorm and dropout
AVERAGE = "+callbacks.average._target_=lightning.pytorch.callbacks.EMAWeightAveraging"
FEW = ["data.batch_size=80"]  # 3 batches of penguins


def broken(compose, words, steps, then=()):
    """Say for each step after which the run was interrupted what differs in the end.

    Args:
        compose: the fixture.
        words: of the run.
        steps: optimizer steps, counted over both epochs.
        then: more words, of the part that goes on.
    """
    whole = ending(fit(compose, *words, folder="whole"))
    found = {}
    for step in steps:
        fit(compose, *words, folder=f"at {step}", stop_at=step)
        run = fit(compose, *words, *then, folder=f"at {step}", resume=True)
        found |= {step: wrong} if (wrong := differences(whole, ending(run))) else {}
    return found


@pytest.mark.slow
def test_a_table_interrupted_within_an_epoch(compose):
    assert broken(compose, [*TABLE, *EACH, *FEW], [4]) == {}


def parts(steps, count):
    """Deal steps to several tests, each of which has steps all over the training."""
    return [steps[start::count] for start in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "steps"),
    [
        *thin([(TABLE, steps) for steps in parts(range(1, 17), 2)], 2, pytest.mark.nightly),
        *thin([(IMAGES, steps) for steps in parts(range(1, 11), 3)], 4, pytest.mark.nightly),
        pytest.param(
            [*TABLE, "task.accumulate=3"], range(1, 7), id="accumulate", marks=pytest.mark.nightly
        ),
        pytest.param(
            [*TABLE, "data.target=body_mass_g"], (3, 11), id="regression", marks=pytest.mark.nightly
        ),
        pytest.param(
            [*TABLE, "task.class_weight=balanced"], (3, 11), id="weights", marks=pytest.mark.nightly
        ),
        pytest.param([*TABLE, "optimizer=sgd"], (3, 11), id="sgd", marks=pytest.mark.nightly),
        pytest.param([*TABLE, AVERAGE], (3, 8, 11), id="average"),
    ],
)
def test_interrupted_at_every_step(compose, words, steps):
    assert broken(compose, [*words, *EACH], steps) == {}


@pytest.mark.slow
def test_interrupted_with_workers(compose):
    found = broken(compose, [*TABLE, *EACH, "data.num_workers=2"], (3, 8, 11))
    # A loader's first start draws more from torch's own generator than the next ones.
    assert {d for ds in found.values() for d in ds} <= {"/state/kindling/random/torch"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    thin(
        [
            ["model=tabm"],
            ["model=realmlp"],
            ["model=ft_transformer", "model.width=16"],
            ["model=ensemble", "model.members=2"],
            ["data=digits", "model=resnet", "model.width=4", "data.batch_size=450"],
            ["data=digits", "model=cct", "data.batch_size=450"],
        ],
        3,
        pytest.mark.nightly,
    ),
    ids=lambda words: words[-2] if words[0] == "data=digits" else words[0],
)
def test_each_network_interrupted_at_some_steps(compose, words):
    assert broken(compose, [*FEW, *words, *EACH], (2, 3, 4)) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chunk", "then"), thin([(3, 1), (3, 5), (1, 3), (2, 64)], 4, pytest.mark.nightly)
)
def test_chunks_may_have_another_size_in_the_part_that_goes_on(compose, chunk, then):
    words = [*TABLE, "trainer.max_epochs=2", "callbacks.checkpoint.every_s=0.0"]
    words += [f"task.steps_per_call={chunk}"]
    found = broken(compose, words, range(1, 17, 3), [f"task.steps_per_call={then}"])
    assert without_counts(found) == set()


def without_counts(found):
    """Leave out how often Lightning has called this or that in all."""
    return {place for places in found.values() for place in places if "/loops/" not in place}


def drawn_lines(run):
    with (run / "csv" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("logger", ["tensorboard", "csv"])
def test_curves_of_a_run_that_was_killed_have_neither_duplicates_nor_gaps(compose, logger):
    words = [*TABLE, *EACH, f"logger={logger}", "trainer.log_every_n_steps=1"]
    whole = fit(compose, *words, folder="whole")
    killed(compose, *words, folder="parts", step=5)
    killed(compose, *words, folder="parts", step=11, resume=True)
    parts = fit(compose, *words, folder="parts", resume=True)
    if logger == "csv":
        assert drawn_lines(parts) == drawn_lines(whole)
    else:
        assert differences(ending(whole), ending(parts)) == []


@pytest.mark.slow
def test_a_log_that_a_part_of_a_run_did_without_is_kept(compose):
    words = [*TABLE, *EACH, "trainer.max_epochs=3"]
    fit(compose, *words, folder="run", stop_at=10)
    fit(compose, *words, "logger=csv", folder="run", stop_at=18, resume=True)
    run = fit(compose, *words, folder="run", resume=True)
    steps = [step for name, step, _ in scalars(run) if name == "train/loss"]
    assert steps == [7, 23]
    assert [line["step"] for line in drawn_lines(run) if line["train/loss"]] == ["15"]


@pytest.mark.slow
def test_logs_outside_of_the_runs_folder_are_left_alone(compose, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    other = shared / "events.out.tfevents.1.other"
    other.write_bytes(b"of another run")
    words = [*TABLE, *EACH, f"logger.tensorboard.save_dir={shared}"]
    fit(compose, *words, folder="run", stop_at=3)
    fit(compose, *words, folder="run", resume=True)
    assert other.read_bytes() == b"of another run"


class Dropping(Tutorial):
    """Draws from torch's own generator, and from NumPy's, as users do."""

    def __init__(self, lr=0.05):
        super().__init__(lr)
        self.layer = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.3), nn.Linear(8, 2))


class OnPlateau(Dropping):
    """Halves its rate after every epoch: no loss is ever low enough."""

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max", factor=0.5, patience=0, threshold=10.0
        )
        plan = {"scheduler": scheduler, "monitor": "val_loss"}
        return {"optimizer": optimizer, "lr_scheduler": plan}


@pytest.mark.slow
@pytest.mark.parametrize("task", [Dropping, OnPlateau])
def test_a_tutorials_modules_go_on_with_the_same_bits_at_an_epochs_end(compose, task):
    def tutorial(*words, folder):
        cfg = compose("monitor=val_loss", *words, folder=folder)
        cfg.data = TUTORIAL["data"]
        cfg.task = TUTORIAL["task"] | {"_target_": f"{__name__}.{task.__name__}"}
        return cfg

    found = broken(tutorial, ["trainer.max_epochs=3"], (7, 12, 13, 17))
    assert without_counts(found) == set()


@pytest.mark.slow
def test_a_damaged_state_is_passed_over_and_the_end_is_the_same(compose, capsys):
    words = [*TABLE, *EACH]
    whole = ending(fit(compose, *words, folder="whole"))
    run = fit(compose, *words, folder="parts", stop_at=11)
    damaged = newest(run)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 16
    damaged.write_bytes(content)
    fit(compose, *words, folder="parts", resume=True)
    assert f"passed over: {damaged.name}: its content is not" in capsys.readouterr().out
    assert differences(whole, ending(run)) == []
    assert damaged not in [file.path for file in list_checkpoints(damaged.parent)]


@pytest.mark.slow
def test_a_state_whose_best_weights_are_gone_is_passed_over(compose, capsys):
    words = [*TABLE, *EACH, "callbacks.checkpoint.keep=9", "trainer.max_epochs=2"]
    whole = ending(fit(compose, *words, folder="whole"))
    run = fit(compose, *words, folder="parts", stop_at=12)
    lost = newest(run, best=True)  # of the first epoch, behind which steps 9 to 12 are
    lost.unlink()
    fit(compose, *words, folder="parts", resume=True)
    told = capsys.readouterr().out
    assert f"its best weights, {lost.name}: it can't be read" in told
    assert "from epoch=1-step=7" in told
    assert differences(whole, ending(run)) == []
