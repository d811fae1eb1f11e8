"""A run that is killed again and again, at random, ends as one that was left alone."""

import os
import signal

import pytest

from tests.kindling.lives import live
from tests.kindling.whole.test_command import weights_of

QUICK = ["threads=1", "device=cpu", "baselines=false", "report=false", "~callbacks.early_stopping"]
RUNS = {
    "table": ["model=mlp", "data.batch_size=8", "trainer.max_epochs=30"],
    "images": ["data=digits", "model=cnn", "model.width=4", "trainer.max_epochs=4"],
}
# So often in seconds rather than half a minute, so that lives of seconds go on within an epoch.
OFTEN = ["callbacks.checkpoint.every_n_steps=20"]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(
    "kills",
    [pytest.param(k, marks=pytest.mark.nightly) for k in (10, 20)],
)
def test_kills_at_random_moments_change_nothing(tmp_path, name, kills):
    seed = os.environ.get("CHAOS_SEED", name)
    codes, errors = live(tmp_path, seed, kills, *QUICK, *RUNS[name], *OFTEN)
    assert codes[-1:] == [0], errors
    assert set(codes) == {-signal.SIGKILL, 0}, errors
    whole = tmp_path / "whole"
    for parts in tmp_path.glob("parts*"):
        for is_best in (False, True):
            assert weights_of(whole, best=is_best).equal(weights_of(parts, best=is_best))
        for file in ("predictions.csv", "bundle/model.safetensors"):
            assert (whole / file).read_bytes() == (parts / file).read_bytes()
