"""Sound networks of many kinds pass the pre-flight check without a word."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from project.models.cnn import CNN
from project.models.mlp import MLP, RowLinear

pytestmark = pytest.mark.slow  # many kinds of networks


class Pipe(nn.Sequential):
    """Layers from a table's row of numbers and codes, taken as numbers, to the outputs."""

    def __init__(self, spec, *layers):
        num_columns = spec.num_numbers + len(spec.cardinalities)
        super().__init__(nn.Linear(num_columns, 16), *layers, nn.Linear(16, spec.num_outputs))


class Tied(nn.Module):
    """One matrix used twice, as in language models."""

    def __init__(self, spec):
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 16)
        self.second.weight = self.first.weight
        self.body, self.head = RowLinear(spec, 16), nn.Linear(16, spec.num_outputs)

    def forward(self, x):
        return self.head(self.second(self.first(self.body(x)).relu()))


class Embeddings(nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.num_numbers = spec.num_numbers
        self.tables = nn.ModuleList([nn.Embedding(count, 4) for count in spec.cardinalities])
        width = spec.num_numbers + 4 * len(spec.cardinalities)
        self.head = nn.Linear(width, spec.num_outputs)

    def forward(self, x):
        codes = x[:, self.num_numbers :].long()
        parts = [table(codes[:, i]) for i, table in enumerate(self.tables)]
        return self.head(torch.cat([x[:, : self.num_numbers], *parts], dim=1))


class Recurrent(nn.Module):
    """Reads a row as a sequence of single numbers."""

    def __init__(self, spec):
        super().__init__()
        self.gru = nn.GRU(1, 16, num_layers=2, dropout=0.2, batch_first=True)
        self.head = nn.Linear(16, spec.num_outputs)

    def forward(self, x):
        states, _ = self.gru(x.flatten(1).unsqueeze(2))  # (B, F) -> (B, F, 1) -> (B, F, 16)
        return self.head(states[:, -1])


class Transformer(nn.Module):
    """One token for each column."""

    def __init__(self, spec):
        super().__init__()
        num_tokens = spec.num_numbers + len(spec.cardinalities)
        self.scale = nn.Parameter(torch.randn(num_tokens, 8))
        layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.head = nn.Linear(8, spec.num_outputs)

    def forward(self, x):
        tokens = x.flatten(1).unsqueeze(2) * self.scale  # (B, T, 1) * (T, 8)
        return self.head(self.encoder(tokens).mean(dim=1))


class Residual(nn.Module):
    """A residual CNN; the blocks edit nothing that the backward pass needs."""

    def __init__(self, spec):
        super().__init__()
        self.stem = nn.Conv2d(spec.image_shape[0], 8, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.ReLU(inplace=True))
            for _ in range(2)
        )
        self.head = nn.Linear(8, spec.num_outputs)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x.mean(dim=(2, 3)))


class SometimesSkips(nn.Module):
    """Stochastic depth: while training a block is left out by chance."""

    def __init__(self, spec):
        super().__init__()
        self.body, self.block = RowLinear(spec, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, spec.num_outputs)

    def forward(self, x):
        x = self.body(x)
        if not self.training or torch.rand(()) < 0.5:
            x = x + self.block(x).relu()
        return self.head(x)


class StartsItself(nn.Module):
    """Takes its scale from the first batch it sees, and keeps a flag of its own."""

    def __init__(self, spec):
        super().__init__()
        self.body, self.head = RowLinear(spec, 16), nn.Linear(16, spec.num_outputs)
        self.scale, self.started = nn.Parameter(torch.ones(16)), False

    def forward(self, x):
        x = self.body(x)
        if not self.started:
            self.scale.data = 1 / x.detach().std(dim=0)
            self.started = True
        return self.head((x * self.scale).relu())


def frozen_backbone(spec):
    network = MLP(spec)
    network.body.requires_grad_(False)
    return network


DIGITS, VALUES = ["data=digits"], ["data.target=body_mass_g"]
SOUND = {
    "mlp": (MLP, []),
    "mlp of values": (MLP, VALUES),
    "mlp of pixels": (MLP, DIGITS),
    "cnn": (CNN, DIGITS),
    "linear": (lambda s: Pipe(s), VALUES),
    "batch norm": (lambda s: Pipe(s, nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5)), []),
    "layer norm": (lambda s: Pipe(s, nn.LayerNorm(16), nn.GELU(), nn.Dropout(0.1)), VALUES),
    "frozen backbone": (frozen_backbone, []),
    "tied weights": (Tied, []),
    "embeddings": (Embeddings, []),
    "recurrent": (Recurrent, []),
    "recurrent of pixels": (Recurrent, DIGITS),
    "transformer": (Transformer, VALUES),
    "residual cnn, group norm": (Residual, DIGITS),
    "weight norm": (lambda s: Pipe(s, parametrizations.weight_norm(nn.Linear(16, 16))), []),
    "spectral norm": (lambda s: Pipe(s, parametrizations.spectral_norm(nn.Linear(16, 16))), []),
    "stochastic depth": (SometimesSkips, []),
}


@pytest.mark.parametrize(
    "precision", ["32-true", pytest.param("bf16-mixed", marks=pytest.mark.nightly)]
)
@pytest.mark.parametrize("name", SOUND)
def test_a_sound_network_passes_without_a_word(fly, capsys, name, precision):
    make_network, overrides = SOUND[name]
    assert fly(make_network, *overrides, f"trainer.precision={precision}") is None
    assert capsys.readouterr() == ("", "")


def test_a_network_that_starts_itself_passes_but_a_resumed_run_would_start_it_again(fly):
    with pytest.warns(UserWarning, match="will end in other bits: no checkpoint holds started of"):
        assert fly(StartsItself) is None
