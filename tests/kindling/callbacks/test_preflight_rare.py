"""Rarer faults, each on top of the MLP: what torch would say late, or without a name."""

import re

import pytest
import torch
from torch import nn

from kindling.errors import ConfigError, DataError
from project.models.mlp import MLP


class Elsewhere(MLP):
    def forward(self, x):
        return super().forward(x).to("meta")


class NoWayBack(torch.autograd.Function):
    @staticmethod
    def forward(_, x):
        return x.clone()

    @staticmethod
    def backward(_, grad):
        raise NotImplementedError("no derivative")


class BackwardFails(MLP):
    def forward(self, x):
        return NoWayBack.apply(super().forward(x))


class PlainTensor(MLP):
    def __init__(self, spec):
        super().__init__(spec)
        self.scale = torch.ones(1, requires_grad=True)

    def forward(self, x):
        return super().forward(x) * self.scale


class InDict(MLP):
    def __init__(self, spec):
        super().__init__(spec)
        self.parts = {"last": nn.Linear(spec.num_outputs, spec.num_outputs)}

    def forward(self, x):
        return self.parts["last"](super().forward(x))


class InClosure(MLP):
    def __init__(self, spec):
        super().__init__(spec)
        last = nn.Linear(spec.num_outputs, spec.num_outputs, bias=False)
        self.last = lambda x: last(x)

    def forward(self, x):
        return self.last(super().forward(x))


class NanBehindTheLayers(MLP):
    def forward(self, x):
        return super().forward(x) / 0


NETWORKS = {
    Elsewhere: r"outputs must be on cpu; got meta, first from network \(Elsewhere\)",
    BackwardFails: "the backward pass must run; got NotImplementedError: no derivative",
    PlainTensor: r"must be registered; got scale \(Tensor\);",
    InDict: r"must be registered; got parts\['last'\] \(Linear\);",
    InClosure: r"must be registered; got a parameter of shape \(3, 3\);",
    NanBehindTheLayers: r"first not finite in network \(NanBehindTheLayers\)",
}


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_a_rare_fault_is_refused_by_name(fly, network):
    error = fly(network)
    assert isinstance(error, ConfigError)
    assert len(error.problems) == 1
    assert re.search(NETWORKS[network], str(error)), str(error)


def test_a_batch_that_was_left_elsewhere_is_refused(fly):
    def leave_elsewhere(data):
        data.on_after_batch_transfer = lambda batch, _: batch._replace(x=batch.x.to("meta"))

    error = fly(None, spoil_data=leave_elsewhere)
    assert isinstance(error, DataError)
    assert "batch.x must be on cpu; got meta" in str(error)


def test_the_names_are_few_on_one_screen(fly):
    error = fly(lambda spec: MLP(spec, depth=9).double())
    assert "and 16 more" in str(error)
    assert len(error.problems) == 1
