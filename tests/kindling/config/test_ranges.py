"""The range of a value belongs to the parameter that it is for, and is declared beside it."""

import subprocess
import sys

import pytest

from kindling.config.signatures import read_signature

pytestmark = pytest.mark.slow  # a second for each signature

NETWORK = """
import torch
import typing
from typing import Annotated, Literal, Optional
from kindling.config import ranges
from kindling.config.ranges import Range as Between, OneOf

Share = Annotated[float, Between(0, 1, "[)")]

class Own(torch.nn.Module):
    def __init__(self, spec, *, {parameters}):
        super().__init__()
"""
YAML = "_target_: {target}\n_partial_: true\n{keys}"


def test_a_parameter_without_a_range_takes_any_value_whatever_it_is_called(
    own_module, own_conf, problems
):
    parameters = "size=1, mode='a', width=(1, 2), channels=4, memory='x', lr=0, device='tpu'"
    own_module("own_names", NETWORK.format(parameters=parameters))
    keys = "size: 64\nmode: x\nwidth: [64, 32]\nchannels: 5\nmemory: all\nlr: -1\ndevice: tpu\n"
    conf = own_conf(model__own=YAML.format(target="own_names.Own", keys=keys))
    assert problems("model=own", conf=conf) == []
    assert problems("model=own", "model.size=65", "model.width=[8,8,8]", conf=conf) == []


DECLARED = [  # with a right value, a wrong one, and what is said of that
    ("Annotated[int, Between(2, 9)]", 9, 1.5, "a whole number >= 2 and <= 9"),
    ("Annotated[float, Between(low=0, ends='()')]", 1.5, 0, "a number > 0"),
    ("Annotated[float | None, Between(-1)]", "null", -2, "a number >= -1, or null"),
    ("Annotated[float, Between(0)] | None", "null", -2, "a number >= 0, or null"),
    ("'Annotated[int, Between(1)]'", 1, 0, "a whole number >= 1"),
    ("Share", 0.5, 1, "a number >= 0 and < 1"),
    ("Annotated[int, ranges.Range(1)]", 1, 0, "a whole number >= 1"),
    ("Annotated[int, 'of units', Between(1)]", 1, 0, "a whole number >= 1"),
    ("Optional[Annotated[int, Between(1)]]", "null", 0, "a whole number >= 1, or null"),
    ("typing.Union[None, Literal['a']]", "null", "b", "a or null"),
    ("Literal['a', 'b']", "a", "c", "a or b"),
    ("Literal['a'] | None", "null", "c", "a or null"),
    ("Literal['auto'] | Annotated[int, Between(1)]", "auto", 0, "auto, or a whole number >= 1"),
    ("Annotated[str | int, OneOf('x', 3)]", 3, "y", "x or 3"),
]


def test_a_range_in_an_own_signature_is_enforced(own_module, own_conf, problems):
    parameters = ", ".join(f"knob{k}: {declared}" for k, (declared, *_) in enumerate(DECLARED))
    own_module("own_ranges", NETWORK.format(parameters=parameters))
    keys = "".join(f"knob{k}: {right}\n" for k, (_, right, *_) in enumerate(DECLARED))
    conf = own_conf(model__own=YAML.format(target="own_ranges.Own", keys=keys))
    assert problems("model=own", conf=conf) == []
    wrong = [f"model.knob{k}={value}" for k, (_, _, value, _) in enumerate(DECLARED)]
    found = problems("model=own", *wrong, conf=conf)
    assert len(found) == len(DECLARED)
    for k, (_, _, value, words) in enumerate(DECLARED):
        assert any(p.startswith(f"model.knob{k} must be {words} | {value} |") for p in found), words


@pytest.mark.parametrize(
    "declared", ["int", "'no annotation'", "Literal[Color.RED]", "Annotated[int, Own(1)]", "list"]
)
def test_an_annotation_of_another_kind_declares_no_range(own_module, request, declared):
    name = f"own_kind_{abs(hash(request.node.name))}"
    own_module(name, NETWORK.format(parameters=f"knob: {declared}"))
    assert read_signature(f"{name}.Own").rules == {"spec": None, "knob": None}


def test_an_edited_file_is_read_anew(own_module, own_conf, problems):
    own_module("own_edited", NETWORK.format(parameters="knob=1"))
    conf = own_conf(model__own=YAML.format(target="own_edited.Own", keys="knob: 0\n"))
    assert problems("model=own", conf=conf) == []
    own_module("own_edited", NETWORK.format(parameters="knob: Annotated[int, Between(1)]"))
    assert problems("model=own", conf=conf)


def test_a_value_out_of_range_in_a_yaml_is_found_too(own_module, own_conf, problems):
    own_module("own_yaml", NETWORK.format(parameters="knob: Annotated[int, Between(2)]"))
    conf = own_conf(model__own=YAML.format(target="own_yaml.Own", keys="knob: 1\n"))
    assert "model.knob must be a whole number >= 2" in problems("model=own", conf=conf)[0]


def test_a_range_that_would_have_to_be_computed_is_an_error_of_its_own(
    own_module, own_conf, problems
):
    own_module("own_computed", NETWORK.format(parameters="knob: Annotated[int, Between(len('a'))]"))
    conf = own_conf(model__own=YAML.format(target="own_computed.Own", keys="knob: 1\n"))
    (problem,) = problems("model=own", conf=conf)
    assert "must be written with plain values" in problem
    assert "own_computed.py, line 11" in problem


@pytest.mark.parametrize("target", ["builtins.dict", "__main__.x"])
def test_what_cannot_be_found_is_left_alone(own_conf, problems, target):
    conf = own_conf(model__own=YAML.format(target=target, keys="width: [1, 2]\nsize: 1\n"))
    assert problems("model=own", "+model.more=1", conf=conf) == []


def test_of_a_package_that_is_not_installed_there_is_nothing_to_ask(own_conf, problems):
    conf = own_conf(model__own=YAML.format(target="nowhere.at.All", keys="size: 1\n"))
    (problem,) = problems("model=own", "+model.more=1", conf=conf)
    assert "nowhere.at.All in conf/model/own.yaml, line 1 | install nowhere" in problem


def test_a_subclass_has_the_ranges_of_its_base_class(own_module):
    own_module(
        "own_subclass",
        "from project.models.mlp import MLP\n"
        "from project.data.datamodule import DataModule\n"
        "class A(MLP): pass\n"
        "class B(MLP):\n    def __init__(self, spec, *, extra, **more): ...\n"
        "class C(MLP):\n    def __init__(self, spec, *, width): ...\n"
        "class D(DataModule): pass\n",
    )
    a, b, c = (read_signature(f"own_subclass.{name}") for name in "ABC")
    assert set(a.rules) == {"spec", "width", "depth", "dropout"}
    assert set(b.rules) == {*a.rules, "extra"}
    assert set(c.rules) == {"spec", "width"}
    assert [signature.is_open for signature in (a, b, c)] == [False] * 3
    assert b.rules["width"](0)
    assert c.rules["width"] is None
    loading = read_signature("own_subclass.D.from_config").rules
    assert loading["batch_size"](0)
    assert "source" in loading


def test_a_part_that_is_taken_out_takes_its_ranges_with_it(own_module, own_conf, problems):
    own_module(
        "own_part",
        "def make(*, batch_size=0, val_fraction=3, fold=9, num_folds=5, on_device=1,\n"
        "         lr=-1, betas=0): ...",
    )
    keys = "batch_size: 0\nval_fraction: 3\nfold: 9\nnum_folds: 5\non_device: true\n"
    conf = own_conf(
        data__own=f"_target_: own_part.make\n{keys}",
        optimizer__own="_target_: own_part.make\n_partial_: true\nlr: -1\nbetas: x\n",
        task__own="_target_: own_part.make\nbatch_size: 0\n",
    )
    parts = ["data=own", "optimizer=own", "task=own"]
    assert problems(*parts, "~callbacks.early_stopping", conf=conf) == []
    # The task has no clip_norm to type instead: Lightning's own key does the work.
    assert problems(*parts, "+trainer.gradient_clip_val=1", conf=conf) == []
    (problem,) = problems(*parts, "callbacks.early_stopping.patience=0", conf=conf)
    assert "callbacks.early_stopping.patience must be a whole number >= 1" in problem


def test_the_source_of_the_data_brings_its_own_keys(own_module, own_conf, problems):
    own_module(
        "own_source",
        "from typing import Annotated\nfrom kindling.config.ranges import Range\n"
        "class Arrays:\n"
        "    def __init__(self, folder, *, stride: Annotated[int, Range(1)] = 1): ...",
    )
    yaml = "defaults: [loading, _self_]\n_target_: project.data.datamodule.DataModule.from_config\n"
    conf = own_conf(data__own=f"{yaml}source: own_source.Arrays\nfolder: there\n")
    assert problems("data=own", "+data.stride=2", "+data.augment=light", conf=conf) == []
    assert "data.stride must be a whole" in problems("data=own", "+data.stride=0", conf=conf)[0]
    assert "there is no key data.target" in problems("data=own", "+data.target=y", conf=conf)[0]
    assert "data.batch_size must" in problems("data=own", "data.batch_size=0", conf=conf)[0]


def test_signatures_are_read_without_importing_anything():
    code = """
import sys
from kindling.config.signatures import read_signature
for target in ("project.training.task.SupervisedTask", "torch.optim.AdamW", "lightning.Trainer"):
    assert read_signature(target).rules
assert not {"project", "torch", "lightning", "hydra", "numpy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
