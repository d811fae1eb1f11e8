"""What loggers are told of a run, and what the run says of its curves."""

import pytest
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from kindling.trainer.loggers import describe_curves


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


def test_a_logger_of_another_kind_is_told_the_settings_before_anything_else(build):
    target = f"{__name__}.Tracker"
    *_, trainer = build(f"logger._target_={target}", "model=mlp", "seed=7", "optimizer.lr=0.01")
    (settings,) = trainer.logger.told
    assert settings["seed"] == 7
    assert settings["optimizer"]["lr"] == 0.01
    assert settings["model"]["width"] == 256
    assert settings["data"]["target"] == "species"


def test_a_search_for_the_rate_tells_no_logger(build):
    *_, trainer = build(f"logger._target_={__name__}.Tracker", "model=mlp", "lr_find=true")
    assert trainer.logger.told == []


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
