"""Several batches in one call of training_step change nothing but the time it takes."""

import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, WeightAveraging

from kindling.trainer.chunking import UnwatchedPrecision

pytestmark = pytest.mark.slow  # whole trainings

PENGUINS = 8  # batches of an epoch


def chunk_of(build, *overrides, **given):
    data, task, _ = build(*overrides, **given)
    assert data.batches_per_chunk == task.steps_per_call
    return task.steps_per_call


def test_small_steps_share_a_call_and_large_ones_do_not(build):
    assert chunk_of(build) == 64
    assert chunk_of(build, "task.steps_per_call=3") == 3
    assert chunk_of(build, "data=digits", "data.batch_size=1024") == 16
    assert chunk_of(build, "data=digits", "data.batch_size=256", "data.drop_last=true") == 64


@pytest.mark.parametrize(
    "override",
    [
        "+trainer.limit_train_batches=5",
        "+trainer.limit_train_batches=1",  # a whole number counts batches: one, not all
        "+trainer.val_check_interval=1",
        "+trainer.overfit_batches=2",
        "+trainer.val_check_interval=0.5",
        "+trainer.max_steps=10",
        "+trainer.max_time=00:01:00:00",
        "+trainer.fast_dev_run=true",
        "trainer.precision=bf16-mixed",
        "callbacks.checkpoint.every_n_steps=3",
        "+callbacks.ema._target_=lightning.pytorch.callbacks.WeightAveraging",
        "+callbacks.device._target_=lightning.pytorch.callbacks.DeviceStatsMonitor",
        "+callbacks.rate._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    ],
)
def test_whatever_looks_at_single_batches_gets_single_batches(build, override):
    assert chunk_of(build, override) == 1


@pytest.mark.parametrize("data", ["penguins", pytest.param("digits", marks=pytest.mark.slow)])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_chunks_end_with_the_bits_of_single_batches(build, data, accumulate):
    ends = []
    for most in (1, 5):
        words = [f"data={data}", f"task.accumulate={accumulate}", f"task.steps_per_call={most}"]
        module, task, trainer = build(*words, folder=f"most {most}")
        trainer.fit(task, module)
        assert task.steps_per_call == most
        ends.append((trainer.global_step, trainer.callback_metrics, task.state_dict()))
    assert ends[0][0] == ends[1][0]
    assert ends[0][1] == ends[1][1]
    assert all(torch.equal(tensor, ends[1][2][name]) for name, tensor in ends[0][2].items())


@pytest.mark.parametrize(
    ("override", "steps"),
    [("+trainer.max_steps=10", 10), ("+trainer.limit_train_batches=5", 15), (None, 24)],
)
def test_limits_count_optimizer_steps(build, override, steps):
    data, task, trainer = build(*([override] if override else []))
    trainer.fit(task, data)
    assert trainer.global_step == steps


def test_a_checkpoint_every_few_steps_is_written_at_each(build, tmp_path):
    data, task, trainer = build("callbacks.checkpoint.every_n_steps=5")
    saved = []

    class Saves(ModelCheckpoint):
        def _save_checkpoint(self, trainer, filepath):
            saved.append(trainer.global_step)

    trainer.callbacks.append(Saves(tmp_path, every_n_train_steps=5, save_top_k=-1))
    trainer.fit(task, data)
    assert saved == [5, 10, 15, 20]


def test_averaged_weights_are_updated_after_every_step(build):
    updates = []

    class Counting(WeightAveraging):
        def should_update(self, step_idx=None, epoch_idx=None):
            updates.append(step_idx)
            return False

    assert issubclass(Counting, Callback)
    data, task, trainer = build(
        "+callbacks.ema._target_=lightning.pytorch.callbacks.WeightAveraging"
    )
    trainer.callbacks = [c for c in trainer.callbacks if not isinstance(c, WeightAveraging)]
    trainer.callbacks.append(Counting())
    trainer.fit(task, data)
    assert len([step for step in updates if step is not None]) == 3 * PENGUINS


def test_a_profiler_that_was_asked_for_stays(build):
    _, _, trainer = build("+trainer.profiler=simple")
    assert type(trainer.profiler).__name__ == "SimpleProfiler"


@pytest.mark.parametrize("hook", ["on_before_backward", "on_after_backward"])
def test_a_callback_that_looks_at_gradients_sees_every_step(build, hook):
    calls = []
    watcher = type("Watcher", (Callback,), {hook: lambda *given: calls.append(given)})
    data, task, trainer = build()
    assert type(trainer.precision_plugin) is UnwatchedPrecision  # which would ask nobody
    trainer.callbacks.append(watcher())
    trainer.fit(task, data)
    assert len(calls) == trainer.global_step == 3 * PENGUINS
