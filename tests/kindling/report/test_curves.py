"""The losses of every epoch, read from what the run's loggers wrote."""

import pytest
from lightning.pytorch.callbacks import Callback

from kindling.report.curves import by_epoch, read_curves
from kindling.scoring import metrics_for
from project.training.metrics import METRICS
from tests.conftest import newest

CLASSES = metrics_for(METRICS, "multiclass")


@pytest.mark.slow
def test_curves_come_from_either_logger_and_are_the_same(run):
    folders = [run("report=true", f"logger={name}", folder=name) for name in ("tensorboard", "csv")]
    events, csv = (read_curves(folder, CLASSES, 3) for folder in folders)
    assert set(events) >= {"train/loss", "val/loss", "train/accuracy", "val/accuracy"}
    assert list(events["val/loss"]) == [1, 2, 3]
    for name, points in events.items():
        assert points == pytest.approx(csv[name], abs=1e-6)


@pytest.mark.slow
def test_without_a_logger_there_are_no_curves_and_the_page_says_so(run):
    folder = run("report=true", "trainer.logger=false")
    assert read_curves(folder, CLASSES, 3) == {}
    assert "No curves" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_validation_within_an_epoch_lies_between_its_ends():
    steps = {"train/loss": {9: 2.0, 19: 1.0}, "val/loss": {4: 3.0, 9: 2.5, 14: 2.0, 19: 1.5}}
    curves = by_epoch(steps, 2)
    assert list(curves["train/loss"]) == [1, 2]
    assert list(curves["val/loss"]) == [0.5, 1, 1.5, 2]


def test_where_the_first_epochs_were_lost_the_last_one_keeps_its_number():
    assert list(by_epoch({"train/loss": {29: 1.0, 39: 0.5}}, 4)["train/loss"]) == [3, 4]


class Interrupt(Exception):
    pass


@pytest.mark.slow
def test_a_resumed_run_shows_the_epochs_before_it_stopped(build, compose):
    class StopAfterTwo(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch == 2:
                raise Interrupt

    data, task, trainer = build("trainer.max_epochs=4")
    trainer.callbacks.append(StopAfterTwo())
    with pytest.raises(Interrupt):
        trainer.fit(task, data)
    cfg = compose("trainer.max_epochs=4", "resume=run")
    data, task, trainer = build("trainer.max_epochs=4")
    trainer.fit(task, data, ckpt_path=newest(cfg.run_dir), weights_only=True)
    for logger in trainer.loggers:
        logger.save()
    curves = read_curves(newest(cfg.run_dir).parents[1], CLASSES, 4)
    assert list(curves["train/loss"]) == list(curves["val/loss"]) == [1, 2, 3, 4]
