"""Broken batches, and networks that no longer fit their run: refused before the first step."""

import re

import pytest
import torch

from kindling.errors import ConfigError, DataError
from project.models.mlp import MLP

pytestmark = pytest.mark.slow  # whole trainings

VALUES = ["data.target=body_mass_g"]


def change(data, **tensors):
    for name, tensor in tensors.items():
        setattr(data, name, tensor)


BATCHES = {
    "double x": ([], lambda d: change(d, x=d.x.double()), "batch.x must be torch.float32; got"),
    "float labels": ([], lambda d: change(d, y=d.y.float()), "y must be torch.int64; got torch.fl"),
    "small labels": (
        [],
        lambda d: change(d, y=d.y.int()),
        "y must be torch.int64; got torch.int32",
    ),
    "codes from 1": (
        [],
        lambda d: change(d, y=d.y + 1),
        r"labels must be 0 to 2.*got 3 in rows",
    ),
    "codes as values": (VALUES, lambda d: change(d, y=d.y.long()), "y must be torch.float32"),
    "nan in y": (
        VALUES,
        lambda d: change(d, y=d.y / 0),
        "finite numbers only; got nan or inf in row",
    ),
    "nan in x": (
        [],
        lambda d: change(d, x=d.x.log()),
        "finite numbers only; got nan or inf in row",
    ),
}


@pytest.mark.parametrize("batch", BATCHES)
def test_a_broken_batch_is_a_data_error(fly, batch):
    overrides, spoil, words = BATCHES[batch]
    error = fly(None, *overrides, spoil_data=spoil)
    assert isinstance(error, DataError)
    assert re.search(words, str(error)), str(error)


def test_targets_in_a_column_are_refused(fly):
    def keep_column(data):
        data.on_after_batch_transfer = lambda batch, _: batch._replace(y=batch.y[:, None])

    error = fly(None, spoil_data=keep_column)
    assert "one target for each of the 32 rows; got shape (32, 1)" in str(error)


def test_a_layer_elsewhere_is_named(fly):
    error = fly(None, spoil_network=lambda network: network.body[0].to("meta"))
    assert "networks must be on cpu; got meta for body.0.weight of RowLinear" in str(error)
    assert "meta for body.0.offsets of RowLinear" in str(error)


def test_a_parameter_outside_the_optimizer_is_named(fly):
    class OutOfSight(MLP):
        def parameters(self, recurse=True):
            hidden = {id(p) for p in self.head.parameters()}
            return (p for p in super().parameters(recurse) if id(p) not in hidden)

    error = fly(OutOfSight)
    assert "must be in the optimizer; got head.weight, head.bias;" in str(error)


def test_a_layer_that_is_thawed_once_the_optimizer_is_made_learns(fly):
    before = {}

    def make_network(spec):
        network = MLP(spec)
        network.head.requires_grad_(False)
        before[network] = network.head.weight.clone()
        return network

    def thaw(network):
        network.head.requires_grad_(True)

    assert fly(make_network, spoil_network=thaw) is None
    ((network, weight),) = before.items()
    assert not torch.equal(network.head.weight, weight)
    assert network.head.weight.isfinite().all()


def test_pixels_that_were_not_scaled_are_refused(fly):
    def leave_bytes(data):
        data.on_after_batch_transfer = lambda batch, _: batch

    error = fly(None, "data=digits", spoil_data=leave_bytes)
    assert "batch.x must be torch.float32; got torch.uint8" in str(error)


def test_everything_that_is_wrong_is_told_at_once(fly):
    error = fly(
        lambda spec: MLP(spec).double(),
        spoil_data=lambda data: change(data, y=data.y + 7),
        spoil_network=lambda network: network.head.to("meta"),
    )
    assert isinstance(error, ConfigError)
    assert len(error.problems) == 4
