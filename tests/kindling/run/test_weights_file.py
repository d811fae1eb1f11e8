"""Weights of a safetensors file: names, prefixes, dtypes, and what is no such file."""

import re
import shlex
import subprocess
import sys

import pytest
import torch
from lightning import LightningModule
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import nn

from kindling.errors import ConfigError
from kindling.run.warm_start import warm_start
from tests.kindling.thinning import thin

WORDS = ["model=mlp", "checks=false", "data.val_fraction=0.2"]


@pytest.fixture
def learnt(build):
    """Tensors of the network's names, none of which a constructor draws."""
    _, task, _ = build(*WORDS)
    return {name: torch.full_like(t, 3.0) for name, t in task.network.state_dict().items()}


@pytest.mark.parametrize("prefix", thin(["module.network.", "network.", ""], 3))
def test_a_prefix_is_taken_off_and_the_last_layer_is_left(build, learnt, tmp_path, prefix):
    file = tmp_path / "own.safetensors"
    content = {f"{prefix}{name}": t.bfloat16() for name, t in learnt.items()}
    content |= {"loss.weight": torch.ones(3), "other.bias": torch.ones(3)}
    save_file(content, file, metadata={"format": "pt"})
    _, task, _ = build(*WORDS, f"weights={file}")
    found = task.network.state_dict()
    body = [name for name in learnt if name.startswith("body.")]
    assert all(torch.equal(found[name], learnt[name]) for name in body)
    assert found["body.0.weight"].dtype == torch.float32
    assert not any((found[name] == 3).any() for name in ("head.weight", "head.bias"))
    told = task.warm_start.told
    assert f"{len(body)} of {len(body) + 2} tensors" in told
    assert "head.weight, head.bias (of classes that the file does not name)" in told
    assert "loss.weight, other.bias (not in this network)" in told
    assert (f"(without {prefix!r} in front)" in told) == bool(prefix)


def test_a_lightning_module_of_ones_own_takes_a_file_too_and_no_run(tmp_path):
    def settings(**given):
        return OmegaConf.create({"resume": None, "init_from": None, "weights": None, **given})

    module, content = Plain(), {"layer.weight": torch.full((2, 3), 3.0), "epoch": torch.ones(1)}
    save_file(content, tmp_path / "own.safetensors")
    start = warm_start(settings(weights=f"{tmp_path}/own.safetensors"), None, module)
    assert (module.layer.weight == 3).all()
    assert "not taken: layer.bias (not in it), epoch (not in this network)" in start.told
    with pytest.raises(ConfigError, match="data that are described"):
        warm_start(settings(init_from="latest"), None, module)
    assert warm_start(settings(init_from="latest", resume="run"), None, module) is None


class Plain(LightningModule):
    """As in a tutorial."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own.pt", "own.ckpt"])
def test_a_pickle_is_refused_and_the_command_that_is_told_converts_it(
    build, learnt, tmp_path, name
):
    file = tmp_path / name
    torch.save({"state_dict": learnt, "epoch": 3} if name == "own.ckpt" else learnt, file)
    with pytest.raises(ConfigError, match="reading a pickle can run code") as caught:
        build(*WORDS, f"weights={file}")
    (problem,) = caught.value.problems
    typed, weights = re.fullmatch(r"type (.*) then (weights=.*)", problem.do).groups()
    command = [sys.executable, *shlex.split(typed)[1:]]
    subprocess.run(command, check=True, capture_output=True)
    _, task, _ = build(*WORDS, weights)
    assert (task.network.state_dict()["body.3.weight"] == 3).all()


@pytest.mark.slow
def test_what_is_no_file_of_weights_is_refused_in_words(build, learnt, tmp_path):
    save_file({"a.weight": torch.ones(3, 3)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    broken = {name: torch.full_like(t, torch.nan) for name, t in learnt.items()}
    save_file(broken, tmp_path / "broken.safetensors")
    for name, words in (
        ("othr.safetensors", r"no file .*othr.*did you mean .*other\.safetensors"),
        ("text.safetensors", "must be a safetensors file"),
        (".", "type init_from="),
        ("other.safetensors", r"a\.weight \(not in this network\).*type weights=null"),
        ("broken.safetensors", "not finite"),
    ):
        with pytest.raises(ConfigError, match=words):
            build(*WORDS, f"weights={tmp_path / name}")
