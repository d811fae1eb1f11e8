"""What TensorBoard shows of a run, read back from its event files."""

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from project.training.schedulers import warmup_cosine

pytestmark = pytest.mark.slow  # whole runs with all their figures


def events(run):
    """Merge the event files of a run: Lightning and HPARAMS each write their own."""
    files = sorted((run / "tensorboard").glob("events*"))
    return [EventAccumulator(str(file)).Reload() for file in files]


def tags(run, kind):
    return {tag for accumulator in events(run) for tag in accumulator.Tags()[kind]}


@pytest.mark.parametrize(
    ("target", "metric", "figure"),
    [
        ("species", "accuracy", "test/confusion_matrix"),
        ("body_mass_g", "rmse", "test/predicted_vs_true"),
    ],
)
def test_curves_figure_text_and_hparams_are_there(run, target, metric, figure):
    folder = run(f"data.target={target}", "report=true")
    scalars = tags(folder, "scalars")
    curves = {f"{s}/{name}" for s in ("train", "val") for name in ("loss", metric)}
    assert curves | {"lr", f"test/{metric}", f"final/test_{metric}"} <= scalars
    assert figure in tags(folder, "images")
    assert "config/text_summary" in tags(folder, "tensors")
    plugins = [a.summary_metadata for a in events(folder)]
    assert any("_hparams_/session_start_info" in metadata for metadata in plugins)


def test_the_logged_learning_rate_is_the_schedule(run):
    folder = run("trainer.log_every_n_steps=1")
    points = [
        point for a in events(folder) if "lr" in a.Tags()["scalars"] for point in a.Scalars("lr")
    ]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.002)
    scheduler = warmup_cosine(optimizer, num_steps=24, warmup_fraction=0.05, final_fraction=0.01)
    rates = []
    for _ in range(24):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert [point.step for point in points] == list(range(24))
    assert [point.value for point in points] == pytest.approx(rates)


def test_a_curve_has_one_point_for_each_epoch(run):
    folder = run("report=true")
    for tag in ("train/accuracy", "val/accuracy", "val/loss"):
        points = [a.Scalars(tag) for a in events(folder) if tag in a.Tags()["scalars"]]
        assert [point.step for part in points for point in part] == [7, 15, 23]


def test_without_a_report_nothing_is_drawn(run):
    folder = run("report=false")
    assert tags(folder, "images") == set()


def test_pr_curves_rows_of_the_last_layer_and_their_pictures_are_there(run):
    folder = run("data=digits", "report=true", "trainer.max_epochs=1")
    plugins = {
        metadata.plugin_data.plugin_name
        for accumulator in events(folder)
        for metadata in accumulator.summary_metadata.values()
    }
    assert "pr_curves" in plugins
    (place,) = (folder / "tensorboard").glob("*/test_rows")
    assert len((place / "metadata.tsv").read_text().splitlines()) >= 270
    assert (place / "sprite.png").is_file()
    assert "images/mistakes" in tags(folder, "images")
