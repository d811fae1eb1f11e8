"""What is typed wrong is listed whole, with the nearest right word, before anything is built."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from kindling.config.overrides import check_overrides
from kindling.config.values import value_problems
from kindling.errors import ConfigError
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # composes conf/ for each case

CONF = Path(__file__).parents[3] / "conf"


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["data=digits", "model=cnn", "model.width=8", "seed=0"],
        ["data=table", "data.path=a.csv", "data.target=price", "data.ignore=[Order,PID]"],
        ["data=table", "data.path=a.csv", "data.target='price in EUR (2019)'"],
        ["data=table", "data.path=a.csv", "data.target=2019"],
        ["data=images", "data.path=photos", "data.size=[32,32]", "data.channels=1"],
        ["experiment=smoke", "trainer.precision=bf16-mixed", "device=cuda:1"],
        ["optimizer.lr=1", "task.clip_norm=null", "task.class_weight=balanced"],
        ["~callbacks.early_stopping", "logger=[csv,tensorboard]", "data.kinds={year: category}"],
        ["+trainer.limit_train_batches=0.5", "++seed=3"],
        ["+callbacks.mine._target_=lightning.pytorch.callbacks.Timer"],
        ["+task.loss.label_smoothing=0.1", "+callbacks.early_stopping.verbose=true"],
        ["+optimizer.amsgrad=true", "hydra.run.dir=elsewhere"],
        ["data.on_device=true", "compile=reduce-overhead", "matmul_precision=highest"],
        ["data.on_device=auto", "data.num_workers=1", "compile=off"],
    ],
)
def test_what_is_right_passes(problems, overrides):
    assert problems(*overrides) == []


WRONG = [
    ("trainer.max_epoch=5", "did you mean trainer.max_epochs?"),
    ("+trainer.max_epoch=5", "did you mean trainer.max_epochs?"),
    ("+trainer.nonsense=5", "there is no key trainer.nonsense"),
    ("modle.width=5", "did you mean model.width?"),
    ("lr=0.1", "did you mean optimizer.lr?"),
    ("schedule=cosine", "did you mean scheduler=cosine?"),
    ("modl=mlp", "did you mean model=mlp?"),
    ("+task.loss.gamma=2", "there is no key task.loss.gamma"),
    ("model=mlpp", "did you mean model=mlp? there are auto, "),
    ("data=penguin", "did you mean data=penguins?"),
    ("optimizer.lr=abc", "optimizer.lr must be a number > 0"),
    ("optimizer.lr=0", "optimizer.lr must be a number > 0"),
    ("optimizer.lr=null", "optimizer.lr must be a number > 0"),
    ("optimizer.fused=2", "optimizer.fused must be true or false"),
    ("data.ignore=3", "data.ignore must be a list"),
    ("model.dropout=1.5", "model.dropout must be a number >= 0 and < 1"),
    ("model.width=0", "model.width must be a whole number >= 1"),
    ("model.depth=1.5", "model.depth must be a whole number >= 1"),
    ("seed=-1", "seed must be a whole number >= 0"),
    ("data.batch_size=true", "data.batch_size must be auto, or a whole number"),
    ("data.test_fraction=0", "data.test_fraction must be a number > 0 and < 1"),
    ("data.task=regresion", "data.task must be auto or classification or regression"),
    ("device=tpu", "device must be auto, cpu, cuda"),
    ("trainer.precision=bf16-true", "would corrupt the codes"),
    ("trainer.precision=16-mixed", "a CPU would silently take bf16"),
    ("+trainer.gradient_clip_val=1", "task.clip_norm does the work"),
    ("+trainer.accumulate_grad_batches=2", "task.accumulate does the work"),
    ("trainer.accelerator=gpu", "device does the work"),
    ("+model.dropout=0.5", "type model.dropout=0.5"),
    ("data.kinds=category", "data.kinds must be {column: number"),
    ("logger=null", "logger must name a file"),
    ("logger=[csv,tensorbord]", "did you mean logger=tensorboard?"),
    ("logger=[]", "logger must name a file"),
    ("model=[mlp,cnn]", "model must name a file"),
    ("experiment=null", "experiment must name a file"),
    ("~data", "data cannot be taken out"),
    ("~seed", "seed cannot be taken out"),
    ("~callbacks.checkpoint", "callbacks.checkpoint cannot be taken out"),
    ("sead=1", "did you mean seed?"),
    ("seed=4294967296", "<= 4294967295"),
    ("optimizer.betas=[1,2]", "optimizer.betas must be two numbers >= 0 and < 1"),
    ("data.num_workers=1000", "data.num_workers must be a whole number"),
    ("data.on_device=yes", "data.on_device must be auto, true or false"),
    ("compile=true", "compile must be off or default or reduce-overhead"),
    ("compile=fast", "compile must be off or default or reduce-overhead"),
    ("matmul_precision=full", "matmul_precision must be highest or high or medium"),
    ("+trainer.fast_dev_run=true", "type experiment=smoke"),
    ("+trainer.overfit_batches=1", "type experiment=overfit"),
    ("callbacks.clock=null", "type '~callbacks.clock' to take it out"),
    ("callbacks.checkpoint=null", "callbacks.checkpoint cannot be taken out"),
    ("seed=0,1", "type -m"),
    ("~callbacks.nothing", "there is no key callbacks.nothing"),
    ("data.target=price in EUR (2019)", "type \"data.target='price in EUR (2019)'\""),
    ("data=table", "data.path must be given"),
    ("data=images", "data.path must be given"),
]


def command_lines():
    """Deal wrong overrides into few command lines: no key twice, and a group's choice alone."""
    lines, seen = defaultdict(list), Counter()
    for override, words in WRONG:
        key = override.lstrip("+~").partition("=")[0]
        is_group = (CONF / key).is_dir()
        lines[override if is_group else seen[key]].append((override, words))
        seen[key] += not is_group
    return lines.values()


@pytest.mark.parametrize("cases", thin([*command_lines()], 2, pytest.mark.nightly))
def test_what_is_wrong_is_named_with_what_to_type(problems, cases):
    found = problems(*(override for override, _ in cases))
    for _, words in cases:
        assert any(words in problem for problem in found), words


def test_a_value_that_needs_quotes_is_the_only_thing_wrong(problems):
    (said,) = problems("data=table", "data.path=a.csv", "data.target=price in EUR (2019)")
    assert """type "data.target='price in EUR (2019)'\"""" in said


def test_everything_is_listed_at_once(problems):
    found = problems("model=clip", "trainer.max_epoch=3", "optimizer.lr=-1", "data.val_fraction=2")
    assert len(found) == 4


def test_fractions_must_leave_rows_to_train_on(problems):
    found = problems("data.val_fraction=0.5", "data.test_fraction=0.5")
    assert "0.5 + 0.5 = 1" in found[0]


def test_rows_on_a_gpu_and_workers_exclude_each_other(problems):
    word = "data.num_workers=2"
    (found,) = problems("data.on_device=true", word)
    assert "takes data.num_workers=0" in found
    assert "type data.on_device=auto" in found
    assert problems("data.on_device=auto", word) == []


def test_an_interval_is_for_a_search_and_both_its_ends_are_checked(problems):
    drop = "model.dropout=interval(0,0.5)"
    assert problems("hydra/sweeper=optuna", "model=mlp", drop, is_sweep=True) == []
    (found,) = problems("model=mlp", drop, is_sweep=True)
    assert "an interval is for a search" in found
    (found,) = problems(
        "hydra/sweeper=optuna", "model=mlp", "model.dropout=interval(0,2)", is_sweep=True
    )
    assert "2.0" in found


def test_a_sweep_of_nothing_and_a_search_space_for_one_run_are_refused(problems):
    (found,) = problems("model=mlp", "model.width=range(8,8)", is_sweep=True)
    assert "a sweep must have a value to try" in found
    (found,) = problems("sweep=table")
    assert "sweep=table" in found
    assert "type -m to search it" in found


def test_every_value_of_a_sweep_is_checked(problems):
    assert problems("model=mlp,cnn", "seed=0,1,2", "model.width=8,16", is_sweep=True) == []
    assert problems("optimizer.lr='0.1','0.2'", "model=mlp,cln", is_sweep=True)
    found = problems("optimizer.lr=0.1,-1,0.2,abc", is_sweep=True)
    assert [row.split(" | ")[1] for row in found] == ["-1", "abc"]
    assert len(problems("optimizer.lr=-1,0,0.1", "model=mlp,cnn", is_sweep=True)) == 2


def test_values_written_into_a_yaml_are_checked_too(compose):
    cfg = compose()
    cfg.optimizer.lr = -1
    assert "optimizer.lr" in value_problems(cfg)[0].rule


def test_a_class_that_is_typed_decides_which_keys_may_be_added():
    loss = "task.loss._target_=torch.nn.HuberLoss"
    check_overrides([loss, "+task.loss.delta=2.0"], CONF, is_sweep=False)
    with pytest.raises(ConfigError, match=r"there is no key task\.loss\.delt"):
        check_overrides([loss, "+task.loss.delt=2.0"], CONF, is_sweep=False)
