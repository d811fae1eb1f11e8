"""A resumed run is held against its folder: what does not fit is refused, and nothing touched."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import kindling
from kindling.checkpoints import write_checkpoint
from kindling.cli.command_line import main
from kindling.errors import ConfigError, DataError
from tests.conftest import CONF, newest

QUICK = ["trainer.max_epochs=2", "baselines=false", "report=false", "device=cpu", "threads=1"]

pytestmark = pytest.mark.slow  # whole runs


def train(*words):
    """Compose, check and train as the command line does, in this process."""
    from train import train

    return train(kindling.compose(*words, conf=CONF))


def contents(run):
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


@pytest.fixture
def refused():
    """Resume a run with these words; return what was said, with no file of the run touched."""

    def resume(run, *words, error=DataError):
        before = contents(run)
        with pytest.raises(error) as caught:
            train(f"resume={run}", "trainer.max_epochs=4", *words)
        assert contents(run) == before
        return str(caught.value)

    return resume


def evaluate(run):
    """Return the exit code of `kindling evaluate RUN`."""
    try:
        main(["evaluate", str(run)])
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.fixture
def image_run(tmp_path, image_folder):
    run = tmp_path / "run"
    train("data=images", f"data.path={image_folder}", f"hydra.run.dir={run}", *QUICK)
    return run


def test_other_images_are_refused_and_the_run_goes_on_when_they_are_back(
    tmp_path, image_run, image_folder, refused, capsys
):
    other = tmp_path / "other"
    shutil.copytree(image_folder, other)
    rng = np.random.default_rng(1)
    for k in range(6):
        pixels = rng.integers(0, 255, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(image_folder / "red" / f"new{k}.png")
    names = ", ".join(f"red/new{k}.png" for k in range(5))
    assert f"new images: {names} and 1 more" in refused(image_run)
    assert evaluate(image_run) == 3
    assert f"new images: {names} and 1 more" in capsys.readouterr().err

    # Other classes, of the same number and of another one.
    (other / "red").rename(other / "xerus")
    assert "classes 'xerus' new; 'red' gone" in refused(image_run, f"data.path={other}")
    shutil.copytree(other / "blue", other / "green")
    assert "classes 'green', 'xerus' new; 'red' gone" in refused(image_run, f"data.path={other}")

    # The same images elsewhere are the same data.
    for file in image_folder.glob("*/new*"):
        file.unlink()
    moved = tmp_path / "it's moved"
    image_folder.rename(moved)
    train(f"resume={image_run}", "trainer.max_epochs=3", f"data.path={moved}")
    assert json.loads((image_run / "metrics.json").read_text())["epochs"] == 3
    assert evaluate(image_run) == 0


@pytest.fixture
def table_run(tmp_path, table_csv):
    folder = tmp_path / "Ann's work, [new]"
    folder.mkdir()
    file = folder / "train.csv"
    shutil.copy(table_csv, file)
    run = folder / "run"
    keys = ["data=table", f"data.path={file}", "data.target=label", f"hydra.run.dir={run}"]
    train(*keys, *QUICK)
    return run


def test_a_table_that_changed_is_refused_in_words(table_run, refused):
    file = table_run.parent / "train.csv"
    frame = pd.read_csv(file)
    other = {"small": "large", "large": "small"}[frame.label[0]]
    for change, words in (
        (pd.concat([frame, frame.tail(3).assign(noise=3.0)]), "new rows: row 64, row 65, row 66"),
        (frame.sample(frac=1, random_state=0), "the same rows in another order"),
        (frame.assign(label=[other, *frame.label[1:]]), "other labels in: row 0"),
        (frame.drop(columns="town"), "columns 'town' gone"),
    ):
        change.to_csv(file, index=False)
        assert words in refused(table_run)
    frame.to_csv(file, index=False)
    train(f"resume={table_run}", "trainer.max_epochs=3")


@pytest.mark.nightly
def test_settings_that_a_checkpoint_would_overrule_are_refused(table_run, refused):
    words = ["seed=3", "data.val_fraction=0.3", "optimizer.lr=0.00001", "data.ignore=[town]"]
    said = refused(table_run, *words, "callbacks.early_stopping.patience=3", error=ConfigError)
    for word in (
        *("seed=3, which was 0", "data.val_fraction=0.3, which was 0.15", "optimizer.lr=1e-05"),
        *("data.ignore=[town], which was []", "patience=3, which was 15"),
    ):
        assert word in said
    assert "data.seed" not in said  # a copy of what was typed
    assert "optimizer" in refused(table_run, "optimizer=sgd", error=ConfigError)


def test_a_checkpoint_that_does_not_fit_is_told_in_words(table_run, refused):
    whole = torch.load(newest(table_run), weights_only=True)
    state = whole["state_dict"]
    name = next(iter(state))

    def write(step, **changed):
        write_checkpoint(table_run / "checkpoints", whole | changed, epoch=9, step=step)

    write(1000, data_digest="other")
    assert "trained on other data than data.json describes" in refused(table_run)
    write(1001, state_dict=state | {name: torch.zeros(3, 3)})
    assert f"{name}: (3, 3), where" in refused(table_run, error=ConfigError)
    write(1002)
    (table_run / "data.json").unlink()
    assert "must say what data it is made of" in refused(table_run, error=ConfigError)
    for file in (table_run / "checkpoints").iterdir():
        file.write_bytes(file.read_bytes()[:500])
    assert "its content is not what was written" in refused(table_run, error=ConfigError)


def test_a_copied_run_goes_on_in_its_own_folder(tmp_path, table_run):
    copy = tmp_path / "copy"
    shutil.copytree(table_run, copy)
    away = tmp_path / "away"
    table_run.rename(away)
    before = contents(away)
    train(f"resume={copy}", "trainer.max_epochs=2")  # no epoch more: the best is that of the copy
    assert contents(away) == before


def test_a_run_folder_of_somebody_else_runs_no_code(tmp_path, table_run, refused):
    evil = f"+callbacks.x={{_target_: pathlib.Path.mkdir, self: {tmp_path}/marker}}"
    (table_run / "overrides.txt").write_text(f"python train.py '{evil}'\n")
    train(f"resume={table_run}", "trainer.max_epochs=2")
    settings = json.loads((table_run / "settings.json").read_text())
    value = {"_target_": "pathlib.Path.mkdir", "self": str(tmp_path / "marker")}
    settings["settings"].append({"operation": "add", "key": "callbacks.x", "value": value})
    (table_run / "settings.json").write_text(json.dumps(settings))
    assert "type it again, if you trust it" in refused(table_run, error=ConfigError)
    assert not (tmp_path / "marker").exists()


@pytest.mark.nightly
def test_a_run_that_began_with_anothers_weights_goes_on_from_its_own(
    tmp_path, table_run, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    donor = tmp_path / "runs" / "first" / "2026-01-01_00-00-00_aaaa"
    donor.parent.mkdir(parents=True)
    shutil.copytree(table_run, donor)
    run, file = tmp_path / "second", table_run.parent / "train.csv"
    keys = ["data=table", f"data.path={file}", "data.target=label", f"hydra.run.dir={run}"]
    train(*keys, *QUICK, "init_from=latest", "freeze=[body.*]")
    assert "tensors of runs/first" in capsys.readouterr().out
    # What `latest` was is written down: tomorrow it would be another run.
    for name in ("config.yaml", "overrides.txt", "settings.json"):
        assert str(donor) in (run / name).read_text()
        assert "latest" not in (run / name).read_text()
    shutil.rmtree(donor)
    train(f"resume={run}", "trainer.max_epochs=3")
    told = capsys.readouterr().out
    assert "those of its own checkpoint" in told
    assert "parameters are trained" in told
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 3
    with pytest.raises(ConfigError, match="freeze"):
        train(f"resume={run}", "trainer.max_epochs=4", "freeze=[]")
