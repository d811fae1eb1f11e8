"""The transformers train, and their bundles predict, as any other network's."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from kindling import load

TABLE = ["data=penguins", "model=ft_transformer", "model.width=32", "trainer.max_epochs=8"]
IMAGES = ["data=digits", "model=cct", "model.width=32", "trainer.max_epochs=1", "optimizer.lr=0.01"]
BF16 = "trainer.precision=bf16-mixed"


@pytest.mark.parametrize(
    ("words", "metric", "least"),
    [
        (TABLE, "accuracy", 0.9),
        pytest.param([*TABLE, "data.target=body_mass_g"], "r2", 0.7, marks=pytest.mark.slow),
        pytest.param([*TABLE, BF16], "accuracy", 0.9, marks=pytest.mark.slow),
        pytest.param([*IMAGES, BF16], "accuracy", 0.4, marks=pytest.mark.slow),
    ],
    ids=["classes", "values", "bf16", "images in bf16"],
)
def test_transformers_learn(build, words, metric, least):
    data, task, trainer = build(*words)
    trainer.fit(task, data)
    trainer.test(task, data, verbose=False)
    assert task.results["test"].scores[metric] > least


@pytest.mark.slow
def test_a_bundle_says_what_the_run_said_and_takes_gaps_and_unknown_towns(run, table_csv):
    words = [f"data.path={table_csv}", "data.target=label", "data.ignore=[price]"]
    folder = run("data=table", *words, *TABLE[1:])
    model, table = load(folder), pd.read_csv(table_csv)
    said = pd.read_csv(folder / "predictions.csv")
    probs = model.predict_proba(table.iloc[said.row])
    assert np.allclose(probs[:, -1], said.iloc[:, -1], atol=1e-5)
    odd = table.assign(town="Oz", size=np.nan)
    assert np.isfinite(model.predict_proba(odd)).all()
    one = model.predict_proba(table[:1])
    assert np.allclose(one, model.predict_proba(table)[:1], atol=1e-6)


@pytest.mark.slow
def test_a_bundle_of_images_says_what_the_run_said(run):
    folder = run(*IMAGES)
    said = pd.read_csv(folder / "predictions.csv")
    pixels = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)[:, None]
    probs = load(folder).predict_proba(pixels[said.row])
    assert np.allclose(probs, said.filter(like="prob_"), atol=1e-5)
