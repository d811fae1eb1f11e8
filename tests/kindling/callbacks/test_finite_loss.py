"""A loss that is not finite ends the training, with rows, layer, and the states before it kept."""

import pandas as pd
import pytest
import torch
from torch import nn

from kindling.errors import ConfigError
from tests.conftest import newest

WORDS = ["data=penguins", "model=mlp"]


class Breaks(nn.Module):
    """The network it holds, until its n-th call in training."""

    def __init__(self, network, call):
        super().__init__()
        self.network, self.left, self.factor = network, call, nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.left -= self.training
        spoiled = self.factor * (float("nan") if self.training and self.left < 0 else 1.0)
        return self.network(x) * spoiled


def test_the_rows_of_the_batch_are_named_and_written_and_the_state_before_stays(build, tmp_path):
    data, task, trainer = build(*WORDS, "~callbacks.preflight")
    rows, step = [], task.training_step

    def seeing(chunk, batch_idx):
        rows.append(chunk.row)
        step(chunk, batch_idx)

    task.training_step = seeing
    task.network = Breaks(task.network, 10)  # the third batch of the second epoch
    with pytest.raises(ConfigError, match="nan at batch 3 of epoch 2, which has") as caught:
        trainer.fit(task, data)
    its = data.raw.names[rows[1][64:96]]
    written = pd.read_csv(tmp_path / "run" / "non_finite.csv")
    assert written.columns.tolist() == ["row", "target", "largest_input"]
    assert written.row.astype(str).tolist() == [str(name) for name in its]
    assert "optimizer.lr=" in str(caught.value)
    kept = torch.load(newest(tmp_path / "run"), weights_only=True)
    assert kept["global_step"] == 8
    assert all(tensor.isfinite().all() for tensor in kept["state_dict"].values())


def test_a_state_that_is_due_is_not_saved_behind_such_a_loss(build, tmp_path):
    data, task, trainer = build(*WORDS, "~callbacks.preflight", "callbacks.checkpoint.every_s=0.0")
    task.network = Breaks(task.network, 3)
    with pytest.raises(ConfigError, match="nan at batch 4 of epoch 1"):
        trainer.fit(task, data)
    assert not list((tmp_path / "run").glob("checkpoints/*"))


@pytest.mark.parametrize("place", ["output", "gradient"])
def test_detect_anomaly_names_the_layer(build, place):
    words = [*WORDS, "~callbacks.preflight", "trainer.detect_anomaly=true"]
    data, task, trainer = build(*words)

    class Rooted(nn.Module):
        def forward(self, x):
            # At 0 the root is finite, and its slope is not.
            return x.log() if place == "output" else x + (x * 0).abs().sqrt()

    task.network.body = nn.Sequential(task.network.body, Rooted(), nn.Identity())
    match = {
        "output": r"the output of \S+body\.1 ",
        "gradient": r"the gradient of the output of \S+body\.0",
    }
    with pytest.raises(ConfigError, match=match[place]):
        trainer.fit(task, data)
