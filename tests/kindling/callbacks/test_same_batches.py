"""callbacks.same_batches and experiment=overfit: one batch, again and again."""

import json

import pytest
from lightning.pytorch.callbacks import Callback

from kindling.callbacks.same_batches import learnt_line
from kindling.errors import ConfigError


class Rows(Callback):
    """Notes the rows of each batch."""

    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.seen.append(batch.row.tolist())


@pytest.mark.slow
@pytest.mark.parametrize("is_same", [True, False])
def test_each_epoch_has_the_rows_of_the_first(build, is_same):
    words = [] if is_same else ["~callbacks.same_batches"]
    data, task, trainer = build("experiment=overfit", "model=mlp", *words)
    trainer.callbacks.append(rows := Rows())
    trainer.fit(task, data)
    assert len(rows.seen) == 3
    assert (rows.seen[0] == rows.seen[1] == rows.seen[2]) is is_same
    assert bool(learnt_line(trainer)) is is_same


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "told"), [("seed=0", "learnt by heart"), ("optimizer.lr=1e-9", "NOT learnt")]
)
def test_a_batch_is_learnt_or_the_run_says_that_it_is_not(run, capsys, word, told):
    folder = run("experiment=overfit", "trainer.max_epochs=200", "model=mlp", word)
    assert f"in 200 epochs: {told}" in capsys.readouterr().out
    assert json.loads((folder / "metrics.json").read_text())["best_epoch"] == 200


@pytest.mark.slow
def test_a_loader_that_draws_anew_is_refused(build):
    data, task, trainer = build("experiment=overfit", "model=mlp")
    from torch.utils.data import DataLoader

    dataset = data.train_dataloader
    data.train_dataloader = lambda: DataLoader(dataset().dataset, shuffle=True)
    with pytest.raises(ConfigError, match="shuffle=False"):
        trainer.fit(task, data)
