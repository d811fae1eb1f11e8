"""An owner's make_transformer: an extra step works, a wrong one is refused with what to change."""

import resource
from tempfile import gettempdir

import numpy as np
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)

from kindling.errors import ConfigError, DataError
from kindling.tables.inference import infer_schema
from kindling.tables.preprocessor import TablePreprocessor
from kindling.types import DataSpec
from project.data.preprocessing import make_transformer

ROWS = 60
RAW = {
    "size": [*np.linspace(0, 1, ROWS - 1), None],
    "price": np.exp(np.linspace(0, 9, ROWS)),
    "new": [0.0, 1.0, 1.0] * (ROWS // 3),
    "town": ["Rom", "Ulm", "Ys"] * (ROWS // 3),
}


def fit(change, raw=RAW):
    """Fit with the project's steps after a change to the list of them."""

    def make(numbers, booleans, categories):
        steps = make_transformer(numbers, booleans, categories).transformers
        return ColumnTransformer(change(steps))

    schema = infer_schema(pa.table(raw))
    features = schema.cast(pa.table(raw), "table")
    return TablePreprocessor(make).fit(features, schema), features


def with_step(step, columns, *, of_others=True):
    """Put a step before "categories", and take its columns out of "numbers"."""

    def change(steps):
        (name, scaled, numbers), booleans, categories = steps
        rest = [column for column in numbers if not of_others or column not in columns]
        return [(name, scaled, rest), booleans, ("skewed", step, columns), categories]

    return change


def test_a_step_for_one_column_is_fitted_applied_and_described_in_its_place():
    skewed = QuantileTransformer(n_quantiles=ROWS)
    fitted, features = fit(with_step(skewed, ["price"]))
    x = fitted.transform(features)
    assert fitted.describe()["numbers"] == ("size", "new", "price")
    assert x.dtype == np.float32
    assert x[:, 2] == pytest.approx(np.linspace(0, 1, ROWS), abs=1e-3)
    plain, _ = fit(lambda steps: steps)
    columns = plain.transform(features)
    assert np.array_equal(x[:, [0, 1, 3]], columns[:, [0, 2, 3]])  # the others are as before
    assert DataSpec("binary", "y", **fitted.describe()).num_numbers == 3


def test_a_step_is_fitted_on_all_train_rows_and_not_on_a_few():
    raw = {"price": np.arange(1000.0) ** 2, "size": np.random.default_rng(0).normal(size=1000)}
    fitted, _ = fit(with_step(QuantileTransformer(n_quantiles=1000), ["price"]), raw)
    assert fitted.transformer_.named_transformers_["skewed"].quantiles_[-1] == 999**2


def test_a_step_of_several_scikit_learn_transformers_fills_gaps():
    step = make_pipeline(SimpleImputer(), QuantileTransformer(n_quantiles=10))
    fitted, features = fit(with_step(step, ["size", "price"]))
    assert np.isfinite(fitted.transform(features)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda steps: steps[::-1], r'last step .* must be "categories".*put other steps before'),
        (lambda _: [], r'last step .* must be "categories".*no step'),
        (lambda steps: steps[1:], r"'size' in none; add it to a step"),
        (
            with_step(StandardScaler(), ["price"], of_others=False),
            r"'price' in 'numbers' and 'skewed'; .*take it out of the others",
        ),
        (with_step(StandardScaler(), ["prize"]), r"'prize' in 'skewed', which is no column"),
        (with_step("drop", ["price"]), r"0 outputs for 1 column of 'skewed'"),
        (with_step(PolynomialFeatures(2), ["price"]), r"3 outputs for 1 column of 'skewed'"),
        (
            with_step(OneHotEncoder(sparse_output=False), ["price"]),
            r"outputs for 1 column of 'skewed'; take a transformer that keeps",
        ),
    ],
)
def test_steps_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        fit(change)


def test_a_column_may_be_chosen_by_a_selector():
    change = with_step(StandardScaler(), ["price"])

    def chosen(steps):
        return [(name, step, lambda _, own=columns: own) for name, step, columns in change(steps)]

    assert fit(chosen)[0].describe()["numbers"] == ("size", "new", "price")


def test_cells_that_a_step_leaves_missing_are_refused_and_not_learnt_from():
    fitted, features = fit(with_step(QuantileTransformer(n_quantiles=9), ["size"]))
    with pytest.raises(DataError, match=r"'size' must fill in.*1 of 60.*SimpleImputer") as caught:
        fitted.transform(features)
    (problem,) = caught.value.problems
    assert (problem.code, problem.column, problem.count) == ("D123", "size", 1)


def test_a_disk_that_is_full_is_told_with_the_folder(build, table_csv):
    """A limit on the size of files is a full disk: the first write fails."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    chosen = (f"data.path={table_csv}", "data.target=label", "data.memory=disk")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(ConfigError, match=f"0 MB, and {gettempdir()} was full before"):
            build("data=table", *chosen)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
