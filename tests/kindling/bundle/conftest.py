"""Finished runs of a few epochs, made once: nothing may change them, so copy what you damage."""

from pathlib import Path

import pytest

from kindling.config.compose import compose_config
from kindling.run.console import hide_adverts

ROOT = Path(__file__).parents[3]
QUICK = ["name=test", "trainer.max_epochs=2", "report=false", "baselines=false"]


@pytest.fixture(scope="session")
def train(tmp_path_factory):
    """Go the whole way of train.py; return the run folder."""

    def go(*overrides):
        from train import train

        hide_adverts()
        folder = tmp_path_factory.mktemp("runs") / "run"
        words = [*QUICK, f"run_dir={folder}", "seed=0", *overrides]
        train.__wrapped__(compose_config(ROOT / "conf", words))
        return folder

    return go


@pytest.fixture(scope="session")
def penguins_run(train):
    return train("data=penguins", "model=mlp", "model.width=16")


@pytest.fixture(scope="session")
def digits_run(train):
    return train("data=digits", "model.width=4")


@pytest.fixture(scope="session")
def weight_run(train):
    """A regression, on the penguins' body mass."""
    return train("data=penguins", "data.target=body_mass_g", "model=mlp", "model.width=16")
