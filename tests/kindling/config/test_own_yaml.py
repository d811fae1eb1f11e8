"""A YAML of torch's own classes is all that an optimizer or a scheduler needs."""

import pytest
from torch.optim.optimizer import register_optimizer_step_pre_hook

from kindling.config.compose import compose_config
from kindling.config.overrides import check_overrides
from kindling.run.build import build_data, build_task, build_trainer

pytestmark = pytest.mark.slow  # whole trainings

SCHEDULER = "_target_: torch.optim.lr_scheduler.{name}\n_partial_: true\n{keys}"
ONE_CYCLE = SCHEDULER.format(name="OneCycleLR", keys="max_lr: 0.01\n")
PLATEAU = SCHEDULER.format(name="ReduceLROnPlateau", keys="factor: 0.5\npatience: 2\n")
RMSPROP = "_target_: torch.optim.RMSprop\n_partial_: true\nlr: 0.01\nalpha: 0.9\n"


@pytest.fixture
def rates(own_conf, tmp_path):
    """Train with own YAML files; return the learning rate of each optimizer step."""

    def go(*overrides, **files):
        conf = own_conf(**files)
        given = ["name=test", f"run_dir={tmp_path / 'run'}", "report=false", *overrides]
        check_overrides(given, conf, is_sweep=False)
        cfg = compose_config(conf, [*given, "~callbacks.progress", "~callbacks.early_stopping"])
        data = build_data(cfg)
        task = build_task(cfg, data)
        trainer = build_trainer(cfg, data, task)
        seen = []
        hook = register_optimizer_step_pre_hook(
            lambda optimizer, *_: seen.append(optimizer.param_groups[0]["lr"])
        )
        try:
            trainer.fit(task, data)
        finally:
            hook.remove()
        return seen

    return go


def test_one_cycle_spans_the_whole_training(rates):
    seen = rates("scheduler=onecycle", "trainer.max_epochs=3", scheduler__onecycle=ONE_CYCLE)
    assert len(seen) == 3 * 8  # batches of 32 of 240 rows
    assert 0.0099 < max(seen) <= 0.01
    assert seen.index(max(seen)) in (6, 7)  # torch's pct_start: 0.3 of the steps
    assert seen[-1] < 1e-6


def test_a_plateau_is_looked_for_after_each_validation(rates):
    flat = ["scheduler=plateau", "optimizer.lr=1e-5", "trainer.max_epochs=8"]
    seen = rates(*flat, "+scheduler.threshold=0.1", scheduler__plateau=PLATEAU)
    per_epoch = seen[::8]
    # The loss stays as it is: halved once three epochs are not better than the first.
    assert per_epoch == [1e-5] * 4 + [5e-6] * 3 + [2.5e-6]


def test_another_optimizer_of_torch_has_the_same_ranges(rates, own_conf, problems):
    words = ["optimizer=rms", "scheduler=constant"]
    assert set(rates(*words, "trainer.max_epochs=1", optimizer__rms=RMSPROP)) == {0.01}
    conf = own_conf(optimizer__rms=RMSPROP)
    (problem,) = problems(*words, "optimizer.lr=-1", conf=conf)
    assert problem.startswith("optimizer.lr must be a number > 0")
    assert problems(*words, "+optimizer.centered=true", conf=conf) == []
    assert "there is no key" in problems(*words, "+optimizer.centred_=1", conf=conf)[0]
