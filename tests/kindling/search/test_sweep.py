"""`python train.py -m hydra/sweeper=optuna`: as a user types it, stopped, killed, started again."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna import load_study

from kindling.config.compose import compose_unfilled, register_resolvers
from kindling.errors import ConfigError
from kindling.run.lock import locked
from kindling.search.ask_and_tell import Search
from kindling.search.study import NAME, open_storage
from kindling.search.sweep import search
from tests.conftest import CONF, ROOT

TRAIN = ROOT / "train.py"
OPTUNA = "hydra/sweeper=optuna"
QUICK = ["model=mlp", "report=false", "baselines=false", "bundle=false", "threads=1"]


def command(*words):
    return [sys.executable, str(TRAIN), "-m", *words]


def type_in(folder, *words):
    return subprocess.run(
        command(*words), cwd=folder, capture_output=True, text=True, check=False, timeout=500
    )


def trials_in(folder):
    return load_study(study_name=NAME, storage=open_storage(folder)).trials


@pytest.mark.slow
def test_a_search_from_anywhere_tells_failures_and_ends_with_the_best_command(tmp_path, table_csv):
    shutil.move(table_csv, tmp_path / "my table, 1.csv")
    data = ["data=table", "data.path='my table, 1.csv'", "data.target=label,nothing"]
    words = [*QUICK, *data, "trainer.max_epochs=2", "callbacks.progress.refresh_s=1.0"]
    options = ["hydra.sweeper.n_trials=3", "hydra.sweep.dir='a search, mine'", "seed=4"]
    done = type_in(tmp_path, OPTUNA, *words, *options)
    assert done.returncode == 0, done.stderr
    trials = trials_in(tmp_path / "a search, mine")
    states = [trial.state.name for trial in trials]
    assert {*states} == {"COMPLETE", "FAIL"}
    assert "failed with exit code 3: a column 'nothing' must be in" in done.stdout
    assert "not run again" in done.stdout  # the same settings, drawn once more
    assert re.search(r"sorted by val/loss\n.*\n.*\n.*trial-00", done.stdout)
    (again,) = re.findall(r"^again +(.*)$", done.stdout, re.MULTILINE)
    typed = shlex.split(again)
    kept = [word for word in words if word.partition("=")[0] not in ("report", "baselines")]
    kept = [word for word in kept if word not in ("bundle=false", "data.target=label,nothing")]
    assert typed == ["python", "train.py", *kept, "seed=4", "data.target=label"]


@pytest.mark.nightly
@pytest.mark.slow
def test_a_search_that_is_stopped_ends_its_trial_and_goes_on_as_it_says(tmp_path):
    words = [*QUICK, "trainer.max_epochs=300", "~callbacks.early_stopping", "model.width=8,16"]
    process = subprocess.Popen(
        command(OPTUNA, *words, "hydra.sweeper.n_trials=1"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob("runs/*/*/trial-000/checkpoints/epoch*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    (run,) = tmp_path.glob("runs/*/*/trial-000")
    with locked(run):  # nobody writes to it any more
        assert not (run / "metrics.json").exists()
    typed = shlex.split(told.partition("go on with: ")[2])
    assert typed[:3] == ["python", "train.py", "-m"]
    done = type_in(tmp_path, *typed[3:])
    assert done.returncode == 0, done.stderr
    assert "is taken up again" in done.stdout
    assert (run / "metrics.json").exists()
    assert run.with_suffix(".log").read_text().count("what lies in hydra.run.dir") == 1
    assert [trial.state.name for trial in trials_in(run.parent)] == ["COMPLETE"]


@pytest.mark.nightly
@pytest.mark.parametrize("storage", ["sqlite", "journal"])
def test_of_a_search_that_is_killed_twice_no_trial_is_lost_and_none_run_twice(tmp_path, storage):
    space = ["optimizer.lr=tag(log,interval(1e-4,1e-1))", "data.target=species,nothing"]
    options = ["n_trials=8", "pruner=halving", f"storage={storage}"]
    words = [*QUICK, *space, *(f"hydra.sweeper.{option}" for option in options)]
    words += ["trainer.max_epochs=40", "hydra.sweep.dir=here", "seed=6"]
    for log in ("trial-002.log", "trial-005.log"):
        process = subprocess.Popen(command(OPTUNA, *words), cwd=tmp_path, stdout=subprocess.DEVNULL)
        while not (tmp_path / "here" / log).exists():
            time.sleep(0.01)
        time.sleep(1)
        process.kill()
        process.wait()
    done = type_in(tmp_path, OPTUNA, *words)
    assert done.returncode == 0, done.stderr
    assert "trial 5   is taken up again" in done.stdout
    trials = trials_in(tmp_path / "here")
    assert len(trials) == 8
    assert {trial.state.name for trial in trials} == {"COMPLETE", "PRUNED", "FAIL"}
    assert len({trial.params["optimizer.lr"] for trial in trials}) == 8
    for trial in trials:
        run = tmp_path / "here" / f"trial-{trial.number:03d}"
        assert (run / "metrics.json").exists() is (trial.state.name == "COMPLETE")
        assert run.with_suffix(".log").read_text().count("trained ") <= 1
    assert not [*tmp_path.glob("here/*.failure")]
    # Nothing is left to be done, and it is said again what came of it.
    again = type_in(tmp_path, OPTUNA, *words)
    assert again.returncode == 0
    assert re.findall("^best .*", again.stdout, re.M) == re.findall("^best .*", done.stdout, re.M)


@pytest.mark.nightly
def test_a_search_in_which_nothing_goes_well_ends_early_with_the_first_failures_code(tmp_path):
    words = [*QUICK, "data=table", "data.path=none.csv", "data.target=y", "model.width=range(8,64)"]
    done = type_in(tmp_path, OPTUNA, *words, "hydra.sweeper.n_jobs=2")
    assert done.returncode == 3, done.stderr
    assert "ends: none of the first" in done.stdout
    assert len([*tmp_path.glob("runs/*/*/*.log")]) <= 4


@pytest.mark.nightly
def test_a_trial_of_two_processes_is_ended_early_as_a_whole(tmp_path):
    words = [*QUICK, "optimizer.lr=choice(0.01,0.0001)", "trainer.devices=2", "device=cpu"]
    options = ["n_trials=3", "pruner=halving"]
    words += [f"hydra.sweeper.{option}" for option in options]
    done = type_in(tmp_path, OPTUNA, *words, "trainer.max_epochs=6", "hydra.sweep.dir=here")
    assert done.returncode == 0, done.stderr
    states = [
        (each.params["optimizer.lr"], each.state.name) for each in trials_in(tmp_path / "here")
    ]
    assert set(states) == {("0.01", "COMPLETE"), ("0.0001", "PRUNED")}
    assert "2 processes" in (tmp_path / "here" / "trial-002.log").read_text()


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begin a search in this process, as Hydra does; it must not come to a trial."""
    monkeypatch.chdir(tmp_path)

    def go(*words, conf=CONF):
        register_resolvers(conf.parent)
        typed = [word for word in words if not word.startswith("hydra")]
        kept = [word for word in words if "," not in word]
        cfg = compose_unfilled(conf, kept, with_hydra=True)
        search(cfg, typed, {**cfg.hydra.sweeper})

    return go


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["model.width=3,-4"], "model.width must be"),
        (["model.widht=3,4"], "did you mean model.width?"),
        (["model.width=3,4", "hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials must be"),
        (["model.width=3,4", "hydra.sweeper.storage=disk"], "must be one of sqlite, journal"),
        (["model.width=3,4", "run_dir=here"], "each trial has a folder of its own"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_a_trial(begin, words, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        begin(OPTUNA, "model=mlp", *words)
    assert not [*Path.cwd().iterdir()]


def test_without_optuna_it_is_said_what_to_install(begin, monkeypatch):
    monkeypatch.setattr("kindling.cli.input_output.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install .*\.\[sweep\]"):
        begin(OPTUNA, "model=mlp", "model.width=3,4")


def test_a_file_of_a_search_sets_nothing_that_its_trials_would_not_get(begin, tmp_path):
    conf = tmp_path / "clone" / "conf"
    shutil.copytree(CONF, conf)
    text = (conf / "sweep" / "table.yaml").read_text()
    (conf / "sweep" / "mine.yaml").write_text(f"{text}\nseed: 7\n")
    with pytest.raises(ConfigError, match=r"sets keys of hydra\.sweeper only; got seed"):
        begin("sweep=mine", conf=conf)


@pytest.mark.slow
def test_a_space_of_conf_is_checked_before_a_trial(begin, tmp_path):
    conf = tmp_path / "clone" / "conf"
    shutil.copytree(CONF, conf)
    file = conf / "sweep" / "table.yaml"
    file.write_text(file.read_text().replace("model.width", "model.widht"))
    with pytest.raises(ConfigError, match=r"did you mean model\.width\?"):
        begin("sweep=table", conf=conf)


def test_trials_at_a_time_share_cores_and_devices(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)

    def shared(slot, **options):
        options = {"n_jobs": 1, "devices": []} | options
        return Search(None, {}, [], Path(), "val/loss", 0, options).environment(slot)

    assert shared(0) == {}
    assert shared(1, n_jobs=3) == {"OMP_NUM_THREADS": "2"}
    both = [shared(slot, n_jobs=4, devices=["0", "3"]) for slot in range(4)]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in both] == ["0", "3", "0", "3"]
