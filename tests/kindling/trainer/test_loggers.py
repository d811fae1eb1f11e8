"""What loggers are told of a run, and what the run says of its curves."""

import importlib.util
import sqlite3

import pytest
from hydra.utils import instantiate
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from omegaconf import OmegaConf

from kindling.config.replay import take_over_choices
from kindling.run.resume import open_run_folder
from kindling.trainer.loggers import describe_curves
from tests.kindling.pages import QUICK, ROOT, run_python


class Tracker(Logger):
    """Keeps what it is told, in the order in which it is told."""

    def __init__(self, **_):
        super().__init__()
        self.told = []

    name, version = "tracker", "1"

    def log_hyperparams(self, params, *_, **__):
        self.told.append(params)

    def log_metrics(self, metrics, step=None):
        self.told.append(metrics)


def test_a_logger_of_another_kind_is_told_the_settings_before_anything_else(build, compose):
    target = f"logger.tensorboard._target_={__name__}.Tracker"
    words = (target, "model=mlp", "seed=7", "optimizer.lr=0.01")
    data, task, trainer = build(*words)
    open_run_folder(compose(*words), data, task, trainer)
    (settings,) = trainer.logger.told
    assert settings["seed"] == 7
    assert settings["optimizer"]["lr"] == 0.01
    assert settings["model"]["width"] == 256
    assert settings["data"]["target"] == "species"


def test_a_search_for_the_rate_tells_no_logger(build):
    target = f"logger.tensorboard._target_={__name__}.Tracker"
    *_, trainer = build(target, "model=mlp", "lr_find=true")
    assert trainer.logger.told == []


def test_several_loggers_go_together_and_a_file_of_ones_own_may_stand_alone(build, compose):
    *_, trainer = build("logger=[tensorboard,csv]", "model=mlp")
    assert [type(each) for each in trainer.loggers] == [TensorBoardLogger, CSVLogger]
    cfg = compose("model=mlp")
    cfg.logger = {"_target_": f"{__name__}.Tracker"}  # a file without the line @package
    assert isinstance(instantiate(cfg.trainer).logger, Tracker)


@pytest.mark.parametrize(
    ("loggers", "expected"),
    [
        ([TensorBoardLogger("here")], "tensorboard --logdir "),
        ([CSVLogger("here", name="", version="")], "here/metrics.csv"),
        ([CSVLogger("here", name="", version=""), Tracker()], "here/metrics.csv, Tracker"),
        ([], "none (logger=tensorboard or csv writes them)"),
    ],
)
def test_the_line_of_the_curves_names_the_loggers_in_use(loggers, expected):
    assert describe_curves(loggers).startswith(expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"), [(["logger=csv"], "csv/metrics.csv"), (["trainer.logger=false"], "none")]
)
def test_a_run_ends_with_the_place_of_its_curves(run, capsys, words, expected):
    run(*words, "model=mlp")
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("curves")]
    assert expected in line
    assert "--logdir" not in line


def test_a_resumed_run_takes_over_the_ids_that_services_gave_it_and_nothing_else(compose, tmp_path):
    words = ["model=mlp", "logger=[mlflow,wandb,csv]"]
    (tmp_path / "run").mkdir()
    cfg = compose(*words)
    recorded = compose(*words)
    recorded.logger.mlflow.run_id, recorded.logger.wandb.version = "5f74", "../../other"
    recorded.logger.csv.version = "7"
    (tmp_path / "run" / "config.yaml").write_text(OmegaConf.to_yaml(recorded, resolve=True))
    take_over_choices(cfg)
    assert cfg.logger.mlflow.run_id is None  # it is not resumed
    cfg.resume = cfg.run_dir
    take_over_choices(cfg)
    assert (cfg.logger.mlflow.run_id, cfg.logger.wandb.version) == ("5f74", None)
    assert cfg.logger.csv.version == ""


def has(*modules):
    return all(importlib.util.find_spec(name) for name in modules)


@pytest.mark.nightly
@pytest.mark.skipif(
    not has("mlflow", "sqlalchemy", "alembic"),
    reason="this needs pip install mlflow-skinny sqlalchemy alembic, which are in no extra",
)
def test_a_resumed_run_goes_on_in_its_run_of_mlflow(tmp_path):
    words = [str(ROOT / "train.py"), "logger=[tensorboard,mlflow]", "model=mlp", *QUICK[1:]]
    done = run_python([*words, "trainer.max_epochs=2"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "mlflow ui --backend-store-uri sqlite:///runs/mlflow.db" in done.stdout
    again = run_python([words[0], "resume=latest", "trainer.max_epochs=4"], tmp_path)
    assert again.returncode == 0, again.stderr
    with sqlite3.connect(tmp_path / "runs" / "mlflow.db") as store:
        assert [*store.execute("select status from runs")] == [("FINISHED",)]
        (width,) = store.execute("select value from params where key = 'model/width'")
        steps = [*store.execute("select step from metrics where key = 'val/loss' order by step")]
    assert width == ("256",)
    assert steps == [(7,), (15,), (23,), (31,)]


@pytest.mark.nightly
@pytest.mark.skipif(not has("wandb"), reason="this needs pip install wandb, which is in no extra")
def test_a_resumed_run_keeps_its_id_of_wandb_and_a_sweep_makes_a_run_each(tmp_path):
    words = [str(ROOT / "train.py"), "logger=wandb", "model=mlp", *QUICK[1:]]
    done = run_python([words[0], "-m", *words[1:], "trainer.max_epochs=1", "seed=0,1"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wandb sync runs/" in done.stdout
    again = run_python([words[0], "resume=latest", "trainer.max_epochs=2"], tmp_path)
    assert again.returncode == 0, again.stderr
    folders = sorted(tmp_path.glob("runs/*/*/wandb/offline-run-*"))
    ids = [folder.name.rpartition("-")[2] for folder in folders]
    assert sorted(map(ids.count, set(ids))) == [1, 2]
