"""Everything in the way of a run is found before the first step."""

import shutil

import numpy as np
import pandas as pd
import pytest

from kindling.errors import ConfigError, DataError
from kindling.run.build import build_data
from kindling.run.rates import try_rates
from project.baselines import rows_of
from project.data.datamodule import DataModule


def test_stage_three_lists_everything_at_once(build):
    with pytest.raises(ConfigError) as caught:
        build("model=cnn", "monitor=val/acc", "data.drop_last=true", "data.batch_size=500")
    rules = " ".join(problem.rule for problem in caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "model=cnn takes images" in rules
    assert "monitor must be one of" in rules
    assert "at least one full batch" in rules


def test_a_monitor_of_another_task_gets_the_nearest_one(build):
    with pytest.raises(ConfigError, match=r"type monitor=val/rmse"):
        build("data.target=body_mass_g", "monitor=val/rms")


@pytest.mark.parametrize(
    ("overrides", "near"),
    [
        (["monitor=val/macro_f1", "mode=max"], "val/accuracy"),
        (["monitor=train/roc_auc", "data=credit"], "train/accuracy"),
        (["monitor=val/mae", "data.target=body_mass_g"], "val/rmse"),
    ],
)
def test_a_metric_of_the_end_is_no_misspelt_monitor(build, overrides, near):
    with pytest.raises(ConfigError) as caught:
        build(*overrides)
    (problem,) = caught.value.problems
    assert problem.rule.startswith("monitor must be one of")
    assert near in problem.rule
    assert "which is computed once, at the end" in problem.got
    assert "set every_epoch=True in the entry of" in problem.do
    assert "project.training.metrics" in problem.do


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["monitor=test/accuracy", "mode=max"], ["choose nothing", "type monitor=val/accuracy"]),
        (["monitor=val/roc_auc"], ["is for binary", "these data are multiclass"]),
        (["monitor=test/rmse"], ["is for regression", "choose nothing"]),
    ],
)
def test_a_monitor_of_the_test_rows_or_of_other_problems_is_told_why(build, overrides, words):
    with pytest.raises(ConfigError) as caught:
        build(*overrides)
    assert all(word in str(caught.value) for word in words)


ONECYCLE = [
    "scheduler=constant",
    "~scheduler.factor",
    "scheduler._target_=torch.optim.lr_scheduler.OneCycleLR",
]


@pytest.mark.parametrize(
    "values",
    [
        ["optimizer.betas=[0.9,1.5]"],
        ["optimizer.lr=-1"],
        ["optimizer=sgd", "+optimizer.nesterov=true", "optimizer.momentum=0"],
        [
            *ONECYCLE,
            "+scheduler.max_lr=0.1",
            "+scheduler.pct_start=3",
        ],
        ["scheduler=constant", "scheduler.factor=2"],
    ],
)
def test_a_value_that_torch_refuses_is_refused_before_the_training(build, values):
    with pytest.raises(ConfigError, match=r"torch must take the values of (optimizer|scheduler)"):
        build(*values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        (["scheduler=cosine"], False),
        (["scheduler=constant"], False),
        ([*ONECYCLE, "+scheduler.max_lr=0.1"], True),
        (
            [
                *ONECYCLE,
                "+scheduler.max_lr=${optimizer.lr}",
            ],
            False,
        ),
    ],
)
def test_the_plan_says_where_the_scheduler_overrules_the_learning_rate(
    compose, build, values, is_told
):
    told = try_rates(compose(*values), build(*values)[1])
    assert ("OneCycleLR sets the learning rate" in told) == is_told


@pytest.mark.slow
def test_a_monitor_and_its_mode_must_agree(build):
    with pytest.raises(ConfigError, match="type mode=max"):
        build("monitor=val/accuracy")
    assert build("monitor=val/accuracy", "mode=max")


@pytest.mark.slow
def test_a_training_that_ends_inside_an_epoch_is_refused(build):
    with pytest.raises(ConfigError, match=r"trainer.max_steps=7 of 8 steps"):
        build("+trainer.max_steps=7")
    with pytest.raises(ConfigError, match=r"trainer.max_steps=1 of 2 steps"):
        build("+trainer.max_steps=1", "+trainer.limit_train_batches=2")
    assert build("+trainer.max_steps=2", "+trainer.limit_train_batches=2")


@pytest.mark.slow
def test_a_training_that_is_never_judged_is_refused(build):
    words = ["trainer.max_epochs=3", "+trainer.check_val_every_n_epoch=5"]
    with pytest.raises(ConfigError, match=r"type \+trainer.check_val_every_n_epoch=3"):
        build(*words)
    assert build("trainer.max_epochs=5", "+trainer.check_val_every_n_epoch=5")


def test_several_devices_in_one_process_are_refused(build):
    with pytest.raises(ConfigError, match=r"type trainer.devices=1"):
        build("trainer.devices=2", "device=cpu")


@pytest.mark.parametrize("limit", ["0", "0.001"])
def test_a_limit_that_leaves_no_step_is_refused(build, limit):
    with pytest.raises(ConfigError, match="at least one batch"):
        build(f"+trainer.limit_train_batches={limit}")


@pytest.mark.slow
def test_batchnorm_with_a_last_batch_of_one_is_refused(build):
    rows = len(build("data=digits")[0].split["train"])
    odd = next(size for size in range(20, rows) if rows % size == 1)
    with pytest.raises(ConfigError, match="BatchNorm needs two rows") as caught:
        build("data=digits", f"data.batch_size={odd}")
    assert build("data=digits", f"data.batch_size={odd}", "data.drop_last=true")
    assert build("data=digits", f"data.batch_size={odd}", "model=mlp")
    typed = caught.value.problems[0].do.split()[1].rstrip(",")
    assert build("data=digits", typed)


def test_device_and_files_are_reported_together(build):
    with pytest.raises(ConfigError) as caught:
        build("data=table", "data.path=nope.csv", "data.target=y", "device=cuda:99")
    assert len(caught.value.problems) == 2


def test_a_missing_file_alone_is_a_problem_of_the_data(build):
    with pytest.raises(DataError, match=r"data.path must be a file"):
        build("data=table", "data.path=nope.csv", "data.target=y")


def test_too_few_rows_and_one_class_are_problems_of_the_data(build, table_csv):
    frame = pd.read_csv(table_csv)
    frame.head(3).to_csv(table_csv, index=False)
    with pytest.raises(DataError, match="needs at least one row"):
        build("data=table", f"data.path={table_csv}", "data.target=price")
    frame.assign(label="small").to_csv(table_csv, index=False)
    with pytest.raises(DataError, match="at least two values"):
        build("data=table", f"data.path={table_csv}", "data.target=label")


def test_baselines_have_the_very_rows_of_the_network(build):
    data, _, _ = build()
    for stage in ("train", "test"):
        x, y = rows_of(data, stage)
        batches = list(data.eval_dataloader(stage))
        assert (x == batches[0].x.numpy()).all()
        assert (y == batches[0].y.numpy()).all()
        assert len(batches) == 1


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_val_file_that_is_the_training_file_under_another_name_is_refused(
    build, table_csv, tmp_path, link
):
    getattr(tmp_path / "other.csv", link)(table_csv)
    keys = ["data=table", f"data.path={table_csv}", "data.target=label"]
    with pytest.raises(DataError, match="val and test files must differ from the training file"):
        build(*keys, f"data.val_path={tmp_path / 'other.csv'}")


def is_disjoint_and_covers(data):
    return sorted(np.concatenate(list(data.split.values()))) == list(range(len(data.raw.y)))


@pytest.mark.slow
def test_folds_leave_given_val_rows_alone_in_tables_and_images(
    build, table_csv, image_folder, tmp_path
):
    frame = pd.read_csv(table_csv)
    for name, rows in (("train", frame[:50]), ("val", frame[50:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    for split, numbers in (("train", range(12)), ("valid", range(12, 20))):
        for label in ("red", "blue"):
            folder = tmp_path / "set" / split / label
            folder.mkdir(parents=True)
            for number in numbers:
                shutil.copy(image_folder / label / f"{number:02}.png", folder)
    table = [f"data.path={tmp_path}/train.csv", f"data.val_path={tmp_path}/val.csv"]
    for keys, num_val in (
        (["data=table", "data.target=label", *table], 14),
        (["data=images", f"data.path={tmp_path}/set"], 16),
    ):
        tested = []
        for fold in range(3):
            data, _, _ = build(*keys, f"data.fold={fold}", "data.num_folds=3")
            assert is_disjoint_and_covers(data)
            assert len(data.split["val"]) == num_val
            tested += data.split["test"].tolist()
        assert sorted([*tested, *data.split["val"]]) == list(range(len(data.raw.y)))


class Overlapping(DataModule):
    """Somebody's own data module: a test row is trained on, and a val row is in no split."""

    def setup(self, stage=None):
        super().setup(stage)
        self.split["train"] = np.append(self.split["train"], self.split["test"][:1])
        self.split["val"] = self.split["val"][1:]


def test_a_data_module_whose_splits_overlap_is_refused(compose):
    cfg = compose(f"data._target_={__name__}.Overlapping.from_config")
    with pytest.raises(DataError) as caught:
        build_data(cfg)
    assert [problem.code for problem in caught.value.problems] == ["D309", "D309"]
    assert "1 in two splits" in str(caught.value)
    assert "1 in none" in str(caught.value)
