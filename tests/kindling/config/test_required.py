"""What a section of conf/ must give and does not is named before anything is imported."""

import pytest

PARTIAL = "_target_: {}\n_partial_: true\n"
ONE_CYCLE = PARTIAL.format("torch.optim.lr_scheduler.OneCycleLR")
STEP = PARTIAL.format("torch.optim.lr_scheduler.StepLR")
OWN = """
import dataclasses
import functools
from kindling.config.ranges import Range

class Net:
    def __init__(self, spec, *, width, depth=2): ...

class Child(Net):
    pass

class Loss:
    def __init__(self, spec, gamma, class_weight): ...

class Callback:
    def __init__(self, path, *, digits=6): ...

class Source:
    def __init__(self, path, *, labels="labels.json", target="label"): ...

class Plain:
    def __init__(self, lr, width=3): ...

@dataclasses.dataclass
class Fields:
    path: str
    digits: int = 3

class Handing(Net):
    def __init__(self, spec, **keys):
        super().__init__(spec, width=8, **keys)

class Made:
    def __new__(cls, *args, **keys):
        return functools.partial(Net)

    def __init__(self, path): ...

def fills(function):
    return functools.partial(function, path="here")

@fills
def decorated(path): ...
"""
DATA = "defaults: [loading, _self_]\n_target_: project.data.datamodule.DataModule.from_config\n"
CALLBACK = "defaults: [default, _self_]\nmine:\n  _target_: owning.{}\n"
LOSS = "defaults: [supervised, _self_]\nloss:\n  _target_: owning.{}\n"

CASES = {
    "scheduler": (
        {"scheduler__mine": f"{ONE_CYCLE}pct_start: 0.3\n"},
        "scheduler.max_lr must be given: torch.optim.lr_scheduler.OneCycleLR",
        "conf/scheduler/mine.yaml, line 1",
        "type +scheduler.max_lr=...",
    ),
    "another scheduler": (
        {"scheduler__mine": STEP},
        "scheduler.step_size must be given",
        "conf/scheduler/mine.yaml, line 1",
        "add step_size:",
    ),
    "model": (
        {"model__mine": PARTIAL.format("owning.Net")},
        "model.width must be given: owning.Net",
        "conf/model/mine.yaml, line 1",
        "type +model.width=...",
    ),
    "inherited": (
        {"model__mine": f"# a note\n{PARTIAL.format('owning.Child')}"},
        "model.width must be given: owning.Child",
        "conf/model/mine.yaml, line 2",
        "add width:",
    ),
    "loss": (
        {"task__mine": f"{LOSS.format('Loss')}  _partial_: true\n"},
        "task.loss.gamma must be given: owning.Loss",
        "conf/task/mine.yaml, line 3",
        "type +task.loss.gamma=...",
    ),
    "loss that is not called": (
        {"task__mine": f"{LOSS.format('Loss')}  _partial_: false\n  gamma: 1\n"},
        "task.loss must have _partial_: true, as code gives owning.Loss its spec",
        "none in conf/task/mine.yaml, line 3",
        "add the line there",
    ),
    "callback": (
        {"callbacks__mine": CALLBACK.format("Callback")},
        "callbacks.mine.path must be given: owning.Callback",
        "conf/callbacks/mine.yaml, line 3",
        "type +callbacks.mine.path=...",
    ),
    "fields": (
        {"callbacks__mine": CALLBACK.format("Fields")},
        "callbacks.mine.path must be given: owning.Fields",
        "conf/callbacks/mine.yaml, line 3",
        "add path:",
    ),
    "source": (
        {"data__mine": f"{DATA}source: owning.Source\n"},
        "data.path must be given",
        "conf/data/mine.yaml, line 2",
        "type +data.path=...",
    ),
    "plain task": (
        {"task__mine": "_target_: owning.Plain\n"},
        "task.lr must be given: owning.Plain",
        "conf/task/mine.yaml, line 1",
        "type +task.lr=...",
    ),
}
FEW = {"scheduler"}


@pytest.fixture
def given(problems, own_conf, own_module):
    """List what is wrong with an own file of one group, the module `owning` beside it."""

    def check(*words, **files):
        own_module("owning", OWN)
        chosen = [f"{choice.partition('__')[0]}=mine" for choice in files]
        return problems(*chosen, *words, conf=own_conf(**files))

    return check


@pytest.mark.parametrize(
    "case", [c if c in FEW else pytest.param(c, marks=pytest.mark.slow) for c in CASES]
)
def test_an_argument_that_is_left_out_is_named_with_the_section(given, case):
    files, rule, got, fix = CASES[case]
    (found,) = given(**files)
    assert rule in found
    assert got in found
    assert fix in found


@pytest.mark.slow
def test_what_is_typed_is_given(given):
    assert given("+scheduler.max_lr=0.1", scheduler__mine=ONE_CYCLE) == []
    words = ["scheduler._target_=torch.optim.lr_scheduler.StepLR", "~scheduler.factor"]
    (found,) = given("scheduler=constant", *words)
    assert "scheduler.step_size must be given" in found
    assert "what was typed" in found


@pytest.mark.slow
def test_a_misspelt_one_is_named_once(given):
    (found,) = given(scheduler__mine=f"{ONE_CYCLE}max_rl: 0.1\n")
    assert "did you mean scheduler.max_lr?" in found


QUIET = {
    "steps": {"scheduler__mine": PARTIAL.format("torch.optim.lr_scheduler.CosineAnnealingLR")},
    "own steps": {
        "scheduler__mine": PARTIAL.format("project.training.schedulers.warmup_cosine")
        + "warmup_fraction: 0\nfinal_fraction: 0\n"
    },
    "optimizer": {"optimizer__mine": PARTIAL.format("torch.optim.RMSprop")},
    "reference": {"scheduler__mine": f"{ONE_CYCLE}max_lr: ${{optimizer.lr}}\n"},
    "arguments": {"callbacks__mine": f"{CALLBACK.format('Callback')}  _args_: [a.csv]\n"},
    "unknown call": {"callbacks__mine": f"{CALLBACK.format('Callback')}  _partial_: true\n"},
    "handed on": {"model__mine": PARTIAL.format("owning.Handing")},
    "made elsewhere": {"callbacks__mine": CALLBACK.format("Made")},
    "filled in": {"callbacks__mine": CALLBACK.format("decorated")},
    "not recursive": {
        "callbacks__mine": f"{CALLBACK.format('Fields')}  path: a\n"
        "  _recursive_: false\n  inner:\n    _target_: owning.Callback\n"
    },
    "not built": {
        "task__mine": "_target_: owning.Plain\nlr: 1\n",
        "model__mine": PARTIAL.format("owning.Net"),
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("case", QUIET)
def test_what_code_fills_in_or_may_fill_in_is_not_asked_for(given, case):
    found = given(**QUIET[case])
    assert [each for each in found if "must be given" in each] == []
