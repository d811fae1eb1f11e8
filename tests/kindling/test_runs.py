"""A run is found by what a person calls it; what cannot be found is answered with what there is."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from kindling.errors import ConfigError
from kindling.runs import CHECKPOINT_FOLDER, RUNS, TENSORBOARD_FOLDER, find_run, list_runs

FIRST, SECOND, LAST = (
    "penguins_auto/2026-01-02_10-00-00_aa11",
    "penguins_auto/2026-01-02_10-00-00_bb22",
    "digits_cnn/2026-01-03_09-00-00_cc33",
)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Three finished runs and one that was stopped, below ./runs."""
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate((LAST, FIRST, SECOND)):
        folder = tmp_path / "runs" / name
        (folder / "bundle").mkdir(parents=True)
        for file in ("config.yaml", "overrides.txt", "metrics.json", "bundle/MANIFEST.json"):
            (folder / file).write_text("{}")
        os.utime(folder / "metrics.json", (age, age))
    (tmp_path / "runs" / "digits_cnn" / "2026-01-04_09-00-00_dd44").mkdir()
    (tmp_path / "runs" / "digits_cnn" / "2026-01-04_09-00-00_dd44" / "overrides.txt").touch()
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        (f"runs/{FIRST}", FIRST),
        (f"runs/{FIRST}/bundle", FIRST),
        (f"runs/{FIRST}/", FIRST),
        ("latest", LAST),
        (FIRST, FIRST),
        ("2026-01-03_09-00-00_cc33", LAST),
        ("bb22", SECOND),
        ("digits", LAST),
        ("penguins_auto/2026-01-02_10-00-00_a", FIRST),
    ],
)
def test_a_run_is_found_by_its_path_and_by_any_part_of_its_name(runs, word, name):
    assert find_run(word).absolute() == runs / name


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("penguins_auto", "which 2 runs have"),
        ("aa12", "did you mean aa11"),
        ("digits_cmn/2026-01-03_09-00-00_cc33", "did you mean"),
        ("nothing", f"type one of {LAST}, "),
        ("", "type a folder in runs/, or latest"),
        ("runs", f"has 3 runs in it; type runs/{LAST}"),
        ("runs/penguins_auto", f"has 2 runs in it; type runs/{SECOND}"),
        ("runs/digits_cnn/2026-01-04_09-00-00_dd44", "python train.py resume=runs/"),
        ("dd44", "RUN must be"),
        ("x" * 5000, "RUN must be"),
        ("a\0b", "RUN must be"),
    ],
)
def test_what_is_no_run_is_answered_with_what_there_is(word, hint):
    with pytest.raises(ConfigError) as caught:
        find_run(word)
    assert hint in str(caught.value)


def test_without_runs_a_person_is_told_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"python train\.py makes one"):
        find_run("latest")


def test_latest_is_by_the_time_in_the_name_then_by_the_end_of_the_run(runs):
    (runs / LAST / "metrics.json").unlink()
    assert find_run("latest").absolute() == runs / SECOND


def test_a_trial_is_as_new_as_its_search(runs):
    trial = runs / "digits_cnn" / "2026-01-03_10-00-00_ee55" / "trial-002"
    shutil.copytree(runs / FIRST, trial)
    assert find_run("latest").absolute() == trial


def test_a_bundle_that_lies_by_itself_is_found_by_its_path(runs, tmp_path):
    (runs / LAST / "bundle").rename(tmp_path / "copy")
    assert find_run(tmp_path / "copy") == tmp_path / "copy"


def test_all_finished_runs_are_listed_and_the_others_with_a_reason(runs):
    (runs / ".hidden" / "run").mkdir(parents=True)
    (runs / ".hidden" / "run" / "overrides.txt").touch()
    (runs / FIRST / "config.yaml").unlink()
    finished, skipped = list_runs(runs)
    assert sorted(finished) == sorted([runs / SECOND, runs / LAST])
    assert skipped == {
        runs / FIRST: "it has no config.yaml",
        runs / "digits_cnn" / "2026-01-04_09-00-00_dd44": "it is not finished: no metrics.json",
    }
    assert list_runs(runs / SECOND)[0] == [runs / SECOND]


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_runs_are_looked_for_in_folders_only(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="PATH must be a folder"):
        list_runs(tmp_path / name)


def test_conf_makefile_and_gitignore_name_the_same_folders():
    root = Path(__file__).parents[2]
    conf = {
        name: yaml.safe_load((root / "conf" / f"{name}.yaml").read_text())
        for name in ("train", "callbacks/default", "logger/tensorboard")
    }
    hydra = conf["train"]["hydra"]
    assert hydra["sweep"]["dir"] == "${runs:}"
    assert hydra["run"]["dir"] == f"${{runs:}}/{hydra['sweep']['subdir']}"
    assert f"{RUNS}/" in (root / ".gitignore").read_text().splitlines()
    assert f"tensorboard --logdir {RUNS} " in (root / "Makefile").read_text()
    folders = {part["dirpath"] for part in conf["callbacks/default"].values() if "dirpath" in part}
    assert folders == {f"${{run_dir}}/{CHECKPOINT_FOLDER}"}
    assert conf["logger/tensorboard"]["save_dir"] == f"${{run_dir}}/{TENSORBOARD_FOLDER}"
