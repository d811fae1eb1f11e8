"""A network of members trains, resumes and predicts as any other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kindling import load

ROOT = Path(__file__).parents[3]
TABM = ["model=tabm", "model.members=3", "model.width=32"]


@pytest.mark.parametrize(
    "option",
    [
        "data.target=body_mass_g",
        pytest.param("trainer.precision=bf16-mixed", marks=pytest.mark.slow),
    ],
)
def test_members_learn(build, option):
    data, task, trainer = build("data=penguins", *TABM, option, "trainer.max_epochs=10")
    trainer.fit(task, data)
    trainer.test(task, data, verbose=False)
    name = "r2" if task.spec.is_regression else "accuracy"
    assert task.results["test"].scores[name] > 0.8


@pytest.mark.slow
def test_a_bundle_of_members_says_what_the_run_said(run):
    folder = run("data=credit", *TABM, "trainer.max_epochs=1")
    said = pd.read_csv(folder / "predictions.csv")
    table = pd.read_csv(ROOT / "data" / "credit.csv").iloc[said.row]
    probability = load(folder).predict_proba(table)
    assert np.allclose(probability[:, -1], said.iloc[:, -1], atol=1e-5)
