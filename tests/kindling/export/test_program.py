"""Everything that was fitted, as one torch module: bit for bit what the model says."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.impute import KNNImputer

from kindling.errors import ConfigError
from kindling.export.artifact import module_of, sample_of
from kindling.export.program import codes_of
from tests.kindling.export.made import CLASSES, QUANTITY, frame, image_model, table_model

LOG = QUANTITY | {"target_transform": "log1p", "target_mean": 12.0, "target_scale": 0.4}


def said(model, sample):
    with torch.no_grad():
        return module_of(model, network_only=False)(torch.from_numpy(sample.raw)).numpy()


@pytest.mark.parametrize("target", [CLASSES, QUANTITY, LOG], ids=["classes", "values", "log"])
def test_columns_with_gaps_become_what_the_model_says(target):
    model, table = table_model(frame(), target), frame(seed=1)
    table.loc[[3, 5], "town"] = "Paris"
    assert said(model, sample_of(model, table, "rows")) == pytest.approx(
        model.scores(table), rel=1e-12
    )


def test_the_network_gets_the_very_bits_that_it_was_trained_on():
    model = table_model(frame())
    sample = sample_of(model, frame(seed=1), "rows")
    prepared = module_of(model, network_only=False).front(torch.from_numpy(sample.raw))
    assert np.array_equal(prepared.numpy(), sample.prepared)


@pytest.mark.parametrize(
    ("start", "unit"), [("1969-12-01", "h"), ("1678-01-01", "W"), ("2024-02-28 23:00", "m")]
)
def test_the_parts_of_a_date_are_those_of_the_schema(start, unit):
    moments = np.datetime64(start, "s") + np.arange(20_000) * np.timedelta64(1, unit)
    table = pd.DataFrame({"when": moments})
    model = table_model(table)
    typed = model.schema.cast(pa.Table.from_pandas(table, preserve_index=False), "rows")
    features = module_of(model, network_only=False).front[0]
    days = torch.tensor(typed.iloc[:, :1].to_numpy())
    assert np.array_equal(features(days).numpy(), typed[[*model.spec.numbers]].to_numpy())


def test_infinity_counts_as_missing():
    model = table_model(frame())
    rows = torch.from_numpy(sample_of(model, frame(rows=3), "rows").raw)[[2, 2, 2]]
    rows[:, 0] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    first, second, third = module_of(model, network_only=False)(rows).tolist()
    assert first == second == third


def test_pixels_become_what_the_model_says():
    model = image_model(3, 8, 9)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 9), dtype=np.uint8)
    assert said(model, sample_of(model, pixels, "images")) == pytest.approx(
        model.predict_proba(pixels), abs=1e-12
    )


def test_codes_are_those_of_the_preprocessing():
    assert codes_of(("b", "a")) == {"": 1, "b": 2, "a": 3}


def test_the_network_of_the_model_stays_as_it_is():
    model = table_model(frame())
    before = [p.requires_grad for p in model.network.parameters()]
    module_of(model, network_only=False)
    assert [p.requires_grad for p in model.network.parameters()] == before


def test_a_step_of_the_preprocessing_that_is_not_known_is_named():
    model, table = table_model(frame()), pa.Table.from_pandas(frame(), preserve_index=False)
    steps = model.preprocessor.transformer_.transformers_
    name, _, columns = steps[1]
    steps[1] = (name, KNNImputer().fit(model.schema.cast(table, "rows")[columns]), columns)
    with pytest.raises(ConfigError, match=r"got KNNImputer\(\) in its step 'booleans'.*--network"):
        module_of(model, network_only=False)
    module_of(model, network_only=True)
