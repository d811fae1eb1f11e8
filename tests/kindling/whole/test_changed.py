"""What is other than it was when a run is resumed: refused by name, or said; nothing silent."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import kindling
from kindling.errors import UserError
from tests.conftest import CONF
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # whole runs

QUICK = ["trainer.max_epochs=2", "report=false", "bundle=false", "threads=1", "baselines=false"]


def train(*words):
    """Compose, check and train as the command line does, in this process."""
    from train import train

    return train(kindling.compose(*words, conf=CONF))


def contents(run):
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Train a small network on a table of 64 rows; return the folder of both."""
    folder = tmp_path_factory.mktemp("finished")
    rng = np.random.default_rng(0)
    size = rng.normal(50, 10, 64)
    table = {
        "size": size.round(2),
        "noise": rng.normal(size=64).round(3),
        "town": rng.choice(["Ulm", "Rom", "Ys"], 64),
        "label": np.where(size > 50, "large", "small"),
    }
    pd.DataFrame(table).to_csv(folder / "table.csv", index=False)
    words = ["data=table", f"data.path={folder}/table.csv", "data.target=label", "model=mlp"]
    train(*words, f"hydra.run.dir={folder}/run", *QUICK)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def resume(folder, *words):
    return train(f"resume={folder}/run", f"data.path={folder}/table.csv", *words)


SETTINGS = {  # what is typed: what is said of it
    "seed=3": "seed=3, which was 0",
    "data.val_fraction=0.3": "data.val_fraction=0.3, which was 0.15",
    "data.test_fraction=0.3": "data.test_fraction=0.3, which was 0.15",
    "data.batch_size=8": "data.batch_size=8, which was 32",
    "data.fold=1": "data.fold=1, which was null",
    "data.group=town": "data.group=town, which was null",
    "data.ignore=[town]": "data.ignore=[town], which was []",
    "data.target=town": "data.target=town, which was label",
    "data.drop_last=true": "data.drop_last=true, which was false",
    "optimizer.lr=0.00001": "optimizer.lr=1e-05, which was",
    "optimizer.weight_decay=0.5": "optimizer.weight_decay=0.5, which was",
    "optimizer=sgd": "optimizer._target_=torch.optim.SGD, which was",
    "scheduler=constant": "scheduler._target_=torch.optim.lr_scheduler.ConstantLR, which was",
    "scheduler.warmup_fraction=0.5": "scheduler.warmup_fraction=0.5, which was 0.05",
    "model.width=8": "model.width=8, which was",
    "model.dropout=0.5": "model.dropout=0.5, which was",
    "model=tabm": "model._target_=project.models.tabm.TabM, which was",
    "task.clip_norm=0.1": "task.clip_norm=0.1, which was",
    "task.accumulate=2": "task.accumulate=2, which was 1",
    "task.class_weight=balanced": "task.class_weight=balanced, which was null",
    "task.calibrate=null": "task.calibrate=null, which was temperature",
    "trainer.precision=bf16-mixed": "trainer.precision=bf16-mixed, which was '32-true'",
    "monitor=val/accuracy mode=max": "monitor=val/accuracy, which was val/loss",
    "callbacks.early_stopping.patience=3": "patience=3, which was 15",
    "+trainer.limit_train_batches=1": "trainer.limit_train_batches=1, which was not there",
    "freeze=[body.*]": "freeze=['body.*'], which was []",
}


@pytest.mark.parametrize("words", thin(SETTINGS, 6, pytest.mark.nightly))
def test_a_setting_that_makes_another_run_is_refused(folder, words):
    before = contents(folder)
    with pytest.raises(UserError) as caught:
        resume(folder, "trainer.max_epochs=3", *words.split())
    assert caught.value.exit_code == 2
    assert SETTINGS[words] in str(caught.value)
    assert contents(folder) == before


ALLOWED = {
    "trainer.max_epochs=3": "trainer.max_epochs=3 (was 2)",
    "device=cpu": "device=cpu (was auto)",
    "threads=2": "threads=2 (was 1)",
    "matmul_precision=highest": "matmul_precision=highest (was high)",
    "data.num_workers=1": "data.num_workers=1 (was 0)",
    "data.eval_batch_size=16": "data.eval_batch_size=16 (was",
    "trainer.log_every_n_steps=1": "trainer.log_every_n_steps=1 (was 10)",
    "logger=csv": "with logger.csv",
    "name=other": "name=other (was",
    "baselines=true": "baselines=true (was false)",
    "~callbacks.early_stopping": "without callbacks.early_stopping",
}


@pytest.mark.parametrize("words", thin(ALLOWED, 6, pytest.mark.nightly))
def test_a_setting_that_leaves_the_run_what_it_is_goes_through_with_a_line(folder, words, capsys):
    resume(folder, "trainer.max_epochs=3", words)
    (line,) = re.findall(r"^resume .*$", capsys.readouterr().out, re.MULTILINE)
    assert ALLOWED[words] in line
    assert json.loads((folder / "run" / "metrics.json").read_text())["epochs"] == 3


def first_label_changed(table):
    other = {"small": "large", "large": "small"}[table.label[0]]
    return table.assign(label=[other, *table.label[1:]])


DATA = {
    "rows appended": (lambda t: pd.concat([t, t.tail(2).assign(noise=3.0)]), "new rows: row 64"),
    "rows left out": (lambda t: t.head(60), "gone: row 60, row 61, row 62, row 63"),
    "another order": (lambda t: t.sample(frac=1, random_state=0), "in another order"),
    "a label": (first_label_changed, "other labels in: row 0"),
    "a cell": (lambda t: t.assign(noise=[9.0, *t.noise[1:]]), "row 0"),
    "a column gone": (lambda t: t.drop(columns="town"), "columns 'town' gone"),
    "a column new": (lambda t: t.assign(more=t["size"] + t.noise), "columns 'more' new"),
    "a category": (lambda t: t.assign(town=t.town.replace("Ys", "Bonn")), "row "),
}


@pytest.mark.parametrize("what", thin(DATA, 3, pytest.mark.nightly))
def test_other_data_are_refused_by_name(folder, what):
    change, said = DATA[what]
    file = folder / "table.csv"
    change(pd.read_csv(file)).to_csv(file, index=False)
    before = contents(folder)
    with pytest.raises(UserError) as caught:
        resume(folder, "trainer.max_epochs=3")
    assert caught.value.exit_code == 3
    assert said in str(caught.value)
    assert contents(folder) == before


FILES = {
    "settings.json": "no settings.json in",
    "config.yaml": "config.yaml must be what Kindling wrote",
    "data.json": "no data.json in",
    "checkpoints": "a run needs a checkpoint to go on from",
}


@pytest.mark.parametrize("name", FILES)
def test_a_run_without_one_of_its_files_is_refused(folder, name):
    part = folder / "run" / name
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    before = contents(folder)
    with pytest.raises(UserError, match=FILES[name]):
        resume(folder, "trainer.max_epochs=3")
    assert contents(folder) == before


def test_a_machine_that_may_end_in_other_bits_is_named(folder, capsys):
    file = folder / "run" / "environment.json"
    environment = json.loads(file.read_text())
    environment["packages"]["torch"] = "2.9.0"
    file.write_text(json.dumps(environment | {"device": "cuda:0"}))
    (folder / "run" / "overrides.txt").write_text("")  # for people: nothing reads it
    resume(folder, "trainer.max_epochs=3")
    (line,) = re.findall(r"^bits .*$", capsys.readouterr().out, re.MULTILINE)
    assert "device cpu (was cuda:0)" in line
    assert "(was 2.9.0)" in line
