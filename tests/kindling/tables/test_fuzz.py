"""Random tables: each trains an epoch, or is refused by problems with a code.

KINDLING_FUZZ=300 tries so many that nobody has seen; without it a few, always the same.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from kindling.checks.overview import inspect_table
from kindling.checks.overview_page import render
from kindling.errors import ConfigError, DataError
from kindling.run.build import build_data, build_task, build_trainer
from tests.kindling.random_tables import tables

EXAMPLES = int(os.environ.get("KINDLING_FUZZ", "0"))
MOST_WORDS = 2500  # of one problem: the names of columns are the user's


def has_words(error):
    """Every problem has a code and says what to do, and no file is poured out."""
    sizes = [len(f"{p.rule}{p.got}{p.do}") for p in error.problems]
    coded = all(p.code for p in error.problems) or isinstance(error, ConfigError)
    return coded and all(p.do for p in error.problems) and max(sizes) < MOST_WORDS


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES or 30,
    derandomize=not EXAMPLES,
    phases=(Phase.generate,),  # each example is a training: shrinking one takes minutes
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.data())
def test_a_random_table_trains_or_is_refused_with_a_code(compose, data):
    with tempfile.TemporaryDirectory() as folder:
        given = data.draw(tables(Path(folder)))
        note(given)
        quick = ["trainer.max_epochs=1", "data.batch_size=16", "model=mlp", "model.width=4"]
        cfg = compose("data=table", "data.path=''", "data.target=''", *quick)
        OmegaConf.update(cfg, "data", given)
        try:
            module = build_data(cfg)
            task = build_task(cfg, module)
            trainer = build_trainer(cfg, module, task)
            trainer.fit(task, module)
        except (DataError, ConfigError) as error:
            assert has_words(error), error  # noqa: PT017
        else:
            assert np.isfinite(trainer.callback_metrics["val/loss"].item())
        try:
            render(inspect_table(given["path"], None, None, {}))
        except DataError as error:
            assert has_words(error), error  # noqa: PT017
