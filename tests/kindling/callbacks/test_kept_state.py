"""What a network keeps to itself is named before the training; a checkpoint would lack it."""

import pytest
import torch
from torch import nn

from kindling.callbacks.kept_state import kept_to_itself


class Noise(nn.Module):
    """Draws from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.draws = torch.Generator().manual_seed(0)

    def forward(self, x):
        return x + torch.rand(x.shape, generator=self.draws) if self.training else x


class Warm(nn.Module):
    """Counts its calls in training, in a plain number or in a buffer."""

    def __init__(self, *, buffer):
        super().__init__()
        if buffer:
            self.register_buffer("calls", torch.zeros(()))
        else:
            self.calls = 0

    def forward(self, x):
        self.calls += self.training
        return x * (1 - 0.5 / (1 + self.calls)) if self.training else x


class FirstBatch(nn.Module):
    """Takes its scale from the first batch that it sees."""

    def __init__(self):
        super().__init__()
        self.scale, self.is_set = nn.Parameter(torch.ones(4)), False

    def forward(self, x):
        if not self.is_set:
            self.scale.data, self.is_set = x.std(0), True
        return x / self.scale


class Cache(nn.Module):
    """Remembers what it would compute again just so."""

    def __init__(self):
        super().__init__()
        self.mask = None

    def forward(self, x):
        self.mask = torch.ones_like(x) if self.mask is None else self.mask
        return x * self.mask


def find(*layers):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), *layers, nn.Dropout(0.5), nn.BatchNorm1d(4))
    return kept_to_itself(network, torch.randn(13, 3), torch.randn(13, 3))


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (Noise(), ["draws of 1 (Noise)"]),
        (Warm(buffer=False), ["calls of 1 (Warm)"]),
        (FirstBatch(), ["is_set of 1 (FirstBatch)"]),
        (Warm(buffer=True), []),
        (Cache(), []),
        (nn.Identity(), []),
    ],
)
def test_what_a_checkpoint_lacks_is_named(layer, named):
    assert find(layer) == named


@pytest.mark.slow
def test_the_run_is_told_and_left_as_it_is(build):
    ends = []
    for preflight in ([], ["~callbacks.preflight"]):
        data, task, trainer = build(
            "data=penguins", "model=mlp", "trainer.max_epochs=1", *preflight
        )
        task.network.body = nn.Sequential(task.network.body, Warm(buffer=False))
        if preflight:
            trainer.fit(task, data)
        else:
            with pytest.warns(UserWarning, match=r"no checkpoint holds calls of body.1 \(Warm\)"):
                trainer.fit(task, data)
        ends.append(torch.cat([p.detach().flatten() for p in task.parameters()]))
    assert torch.equal(*ends)
