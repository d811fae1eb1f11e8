"""A compiled network learns what the plain one learns, under the same names."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from kindling.errors import ConfigError
from kindling.trainer.speed import compile_training

SCRIPT = Path(__file__).with_name("compiled_run.py")
# torch's compiler itself still uses what torch advises against.
pytestmark = pytest.mark.filterwarnings("ignore:.*script_method.*deprecated:DeprecationWarning")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(6, 9), nn.Linear(9, 2)
        self.ran = []

    def forward(self, x):
        if not torch.compiler.is_compiling():
            self.ran.append(len(x))
        return self.head(self.layer(x).relu())


@pytest.fixture
def count_graphs():
    """Start anew, and count what is compiled from here on."""
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()
    return lambda: counters["stats"]["unique_graphs"]


@pytest.mark.nightly
@pytest.mark.slow
def test_full_train_batches_are_compiled_and_nothing_else(count_graphs):
    network, x = Net(), torch.randn(8, 6)
    expected = network(x)
    compile_training(network, "default", 8)
    network(x[:5])
    network.eval()(x)
    hook = network.train().register_forward_hook(lambda *_: None)
    network(x)
    hook.remove()
    assert (count_graphs(), network.ran) == (0, [8, 5, 8, 8])
    outputs = network(x)
    assert (count_graphs(), network.ran) == (1, [8, 5, 8, 8])
    assert torch.allclose(outputs, expected, atol=1e-6)
    assert list(network.state_dict()) == list(Net().state_dict())


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.usefixtures("count_graphs")
def test_a_copy_of_a_compiled_network_has_its_own_weights():
    network, x = Net(), torch.randn(8, 6)
    compile_training(network, "default", 8)
    before = network(x)
    other = copy.deepcopy(network)
    nn.init.zeros_(other.head.weight)
    nn.init.zeros_(other.head.bias)
    assert not other(x).any()
    assert torch.equal(network(x), before)


@pytest.mark.slow
@pytest.mark.parametrize("data", ["penguins", pytest.param("digits", marks=pytest.mark.nightly)])
def test_a_compiled_run_has_the_losses_and_names_of_a_plain_one(data):
    command = [sys.executable, str(SCRIPT), f"data={data}", "optimizer.lr=0.0005"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain, compiled = map(json.loads, done.stdout.splitlines())
    assert (plain["graphs"], compiled["graphs"]) == (0, 1)  # the last batch is not compiled again
    assert compiled["short"] > 0
    assert compiled["losses"] == pytest.approx(plain["losses"], rel=1e-4)
    assert compiled["names"] == plain["names"]


@pytest.mark.nightly
def test_what_changes_while_a_network_trains_is_not_compiled_again():
    command = [sys.executable, str(SCRIPT), "experiment=realmlp", "model.dropout=0.3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["graphs"] for line in done.stdout.splitlines()] == [0, 1]


@pytest.mark.slow
@pytest.mark.usefixtures("count_graphs")
def test_where_nothing_can_be_compiled_it_is_said_so():
    from torch._inductor import config

    network = Net()
    compile_training(network, "default", 8)
    with (
        config.patch({"cpp.cxx": "no-such-compiler", "force_disable_caches": True}),
        pytest.raises(ConfigError, match=r"compile=default must work.*type compile=off"),
    ):
        network(torch.randn(8, 6))
