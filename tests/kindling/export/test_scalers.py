"""Every scaler that works on each column by itself is exported to the very bits that it gives.

An owner changes the scaler in make_transformer, and no second file.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OrdinalEncoder,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from kindling.bundle.preprocess_file import not_kept, to_bytes, to_preprocessor
from kindling.errors import ConfigError
from kindling.export.artifact import module_of, sample_of
from kindling.export.exporter import export
from project.data import preprocessing
from tests.kindling.export.made import frame, table_model

SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    RobustScaler(quantile_range=(10, 90), unit_variance=True),
    MinMaxScaler(),
    MinMaxScaler((-1, 1 / 3), clip=True),
    MaxAbsScaler(),
    MaxAbsScaler(clip=True),
    "passthrough",
]
IMPUTERS = [
    SimpleImputer(strategy="mean"),
    SimpleImputer(strategy="median"),
    SimpleImputer(strategy="most_frequent"),
    SimpleImputer(strategy="constant", fill_value=-7),
]


def scaled_by(*parts):
    """Return a make_transformer whose numbers pass through these parts."""

    def make_transformer(numbers, booleans, categories):
        values = [["", *names] for names in categories.values()]
        codes = OrdinalEncoder(
            categories=values, handle_unknown="use_encoded_value", unknown_value=-1
        )
        return ColumnTransformer(
            [
                ("numbers", make_pipeline(*parts), numbers),
                ("booleans", SimpleImputer(strategy="most_frequent"), booleans),
                ("categories", codes, [*categories]),
            ]
        )

    return make_transformer


def model_with(*parts):
    return table_model(frame(), make_transformer=scaled_by(*parts))


def prepared(model, sample):
    return module_of(model, network_only=False).front(torch.from_numpy(sample.raw)).numpy()


def wild():
    """Rows far outside the train rows, and gaps."""
    table = frame(seed=1)
    table["size"] *= np.resize([1, -3, 1e9, 1e-9], len(table))
    return table


@pytest.mark.slow
@pytest.mark.parametrize("imputer", IMPUTERS, ids=lambda imputer: imputer.strategy)
@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_the_network_gets_the_very_bits(scaler, imputer):
    model = model_with(imputer, scaler)
    sample = sample_of(model, wild(), "rows")
    assert np.array_equal(prepared(model, sample), sample.prepared)


@pytest.mark.parametrize(
    "parts",
    [
        (SimpleImputer(),),
        (RobustScaler(), SimpleImputer()),
        (SimpleImputer(), MinMaxScaler(), StandardScaler()),
    ],
    ids=["no scaler", "imputer last", "two scalers"],
)
def test_steps_in_any_order_give_the_very_bits(parts):
    model = model_with(*parts)
    sample = sample_of(model, wild(), "rows")
    assert np.array_equal(prepared(model, sample), sample.prepared)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["torch", pytest.param("onnx", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "scaler",
    [
        RobustScaler(),
        pytest.param(MinMaxScaler(clip=True), marks=pytest.mark.slow),
        pytest.param(MaxAbsScaler(), marks=pytest.mark.slow),
    ],
)
def test_a_file_with_such_a_scaler_says_what_the_model_says(scaler, form):
    _, agreements = export(model_with(SimpleImputer(), scaler), form)
    assert max(agreement.largest for agreement in agreements) < 1e-6


@pytest.fixture
def register(monkeypatch):
    """Return a function that puts a make_transformer in the place of the project's."""

    def registered(make_transformer):
        monkeypatch.setattr(preprocessing, "make_transformer", make_transformer)

    return registered


@pytest.mark.slow
@pytest.mark.parametrize("scaler", [*SCALERS[:-1], "passthrough"], ids=str)
def test_a_bundle_keeps_such_a_scaler(register, scaler):
    model = model_with(SimpleImputer(), scaler)
    mine, schema = model.preprocessor, model.schema
    register(mine.make_transformer)
    assert not_kept(mine, schema, "project") is None
    theirs = to_preprocessor(to_bytes(mine), schema, "project", mine.booleans_)
    features = schema.cast(pa.Table.from_pandas(wild(), preserve_index=False), "rows")
    assert np.array_equal(mine.transform(features), theirs.transform(features))


def test_a_bundle_that_could_not_keep_a_step_says_so_before_the_training(register):
    model = model_with(SimpleImputer(strategy=lambda values: values.max()), RobustScaler())
    register(model.preprocessor.make_transformer)
    assert not_kept(model.preprocessor, model.schema, "project") is not None


def test_other_steps_are_named():
    model = model_with(SimpleImputer(), PowerTransformer())
    wanted = r"got SimpleImputer\(\) then PowerTransformer\(\) in its step 'numbers'.*--network"
    with pytest.raises(ConfigError, match=wanted):
        module_of(model, network_only=False)
    with pytest.raises(ConfigError, match="FunctionTransformer"):
        module_of(model_with(SimpleImputer(), FunctionTransformer()), network_only=False)


def test_a_scaler_without_an_imputer_is_refused_because_a_gap_would_pass_it():
    table = pd.DataFrame({"size": np.arange(60.0) ** 2, "age": np.arange(60.0) % 7})
    model = table_model(table, make_transformer=scaled_by(RobustScaler()))
    wanted = r"must fill in missing cells; got RobustScaler\(\).*put SimpleImputer\(\) before it"
    with pytest.raises(ConfigError, match=wanted):
        module_of(model, network_only=False)
