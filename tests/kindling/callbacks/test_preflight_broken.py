"""Broken networks: each is refused before the first step, by name."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kindling.errors import ConfigError

pytestmark = pytest.mark.slow  # many kinds of networks


class Net(nn.Module):
    """A sound one; each broken network below breaks one thing of it."""

    def __init__(self, spec):
        super().__init__()
        self.body = nn.Linear(spec.num_numbers + len(spec.cardinalities), 16)
        self.norm = nn.BatchNorm1d(16)
        self.head = nn.Linear(16, spec.num_outputs)

    def features(self, x):
        return self.norm(self.body(x)).relu()

    def forward(self, x):
        return self.head(self.features(x))


class Double(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.head.double()


class DoubleBuffer(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.register_buffer("scale", torch.ones(16, dtype=torch.float64))


class Flat(Net):
    def forward(self, x):
        return super().forward(x)[:, 0]


class Wide(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.head = nn.Linear(16, spec.num_outputs + 1)


class TwoOutputs(Net):
    def forward(self, x):
        return super().forward(x), x


class Casting(Net):
    def forward(self, x):
        return super().forward(x).double()


class Detached(Net):
    def forward(self, x):
        return self.head(self.features(x).detach())


class NoGrad(Net):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class Unused(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.extra = nn.Linear(16, 16)


class InList(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.blocks = [nn.Linear(16, 16), nn.Linear(16, 16)]

    def features(self, x):
        for block in self.blocks:
            x = block(self.body(x) if x.shape[1] != 16 else x)
        return x + self.norm(x)


class LogOfNegative(Net):
    def features(self, x):
        return self.norm(Log()(self.body(x)))


class LogLayer(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.log = Log()

    def features(self, x):
        return self.norm(self.log(self.body(x)))


class Log(nn.Module):
    def forward(self, x):
        return x.log()


class Huge(Net):
    def forward(self, x):
        return super().forward(x) * 1000


class AlwaysDrops(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.noise = Noise()

    def features(self, x):
        return self.noise(super().features(x))


class Noise(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5, training=True)


class DropsInForward(Net):
    def features(self, x):
        return F.dropout(super().features(x), 0.5)


class NormAlwaysTrains(Net):
    def train(self, mode=True):
        super().train(mode)
        self.norm.train()
        return self


class NormTrainsInForward(Net):
    def features(self, x):
        self.norm.train()
        return super().features(x)


class BatchMean(Net):
    def features(self, x):
        x = super().features(x)
        return x - x.mean(dim=0)


class InPlace(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.tanh = nn.Tanh()

    def features(self, x):
        x = self.tanh(self.norm(self.body(x)))
        x += 1
        return x


class Mismatched(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.head = nn.Linear(8, spec.num_outputs)


class Frozen(Net):
    def __init__(self, spec):
        super().__init__(spec)
        self.requires_grad_(False)


NETWORKS = {
    Double: "must be torch.float32; got torch.float64 for head.weight of Linear",
    DoubleBuffer: "must be torch.float32; got torch.float64 for scale of DoubleBuffer",
    Flat: r"outputs must be \(13, 3\).*got \(13,\) from network \(Flat\)",
    Wide: r"outputs must be \(13, 3\): 13 rows, 3 classes; got \(13, 4\)",
    TwoOutputs: "must return one tensor; got a tuple",
    Casting: r"outputs must be torch.float32; got torch.float64, first from network \(Casting\)",
    Detached: "detached or unused: body.weight, body.bias, norm.weight, norm.bias;",
    NoGrad: "detached or unused: body.weight, .*and 1 more",
    Unused: "detached or unused: extra.weight, extra.bias;",
    InList: "every layer must be registered; got blocks.0. .Linear., blocks.1. .Linear.;",
    LogOfNegative: r"loss must be finite; got nan, first not finite in network \(LogOfNegative\)",
    LogLayer: r"loss must be finite; got nan, first not finite in log \(Log\)",
    Huge: r"must start near 1.1, as of outputs that are 0; got .*from network \(Huge\)",
    AlwaysDrops: r"two passes that differ first in noise \(Noise\)",
    DropsInForward: r"two passes that differ first in network \(DropsInForward\)",
    NormAlwaysTrains: r"still in training mode: norm \(BatchNorm1d\)",
    NormTrainsInForward: r"still in training mode: norm \(BatchNorm1d\)",
    BatchMean: r"other outputs of network \(BatchMean\) when rows are left out",
    InPlace: r"edit of what tanh \(Tanh\) keeps",
    Mismatched: r"in head \(Linear\): RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    Frozen: "must have parameters to learn; got none that requires grad",
}


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_a_broken_network_is_refused_by_name(fly, network):
    error = fly(network)
    assert isinstance(error, ConfigError)
    assert len(error.problems) == 1
    assert re.search(NETWORKS[network], str(error)), str(error)


def test_a_regression_must_not_broadcast(fly):
    error = fly(Flat, "data.target=body_mass_g")
    assert "outputs must be (13, 1): 13 rows, 1 value; got (13,) from network (Flat)" in str(error)
    assert "as of outputs that are 0" in str(fly(Huge, "data.target=body_mass_g"))


def test_all_faults_of_a_pass_are_told_at_once(fly):
    class ManyFaults(AlwaysDrops, Unused, InList):
        def forward(self, x):
            return super().forward(x) * 1000

    rules = " ".join(problem.rule for problem in fly(ManyFaults).problems)
    for words in ("start near", "registered", "gradient must reach", "evaluation must"):
        assert words in rules


def test_the_cause_is_kept_for_those_who_debug(fly):
    assert isinstance(fly(Mismatched).__cause__.__cause__, RuntimeError)
