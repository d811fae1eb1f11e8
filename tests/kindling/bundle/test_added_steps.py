"""Steps that an owner adds to make_transformer survive a bundle, and open no door to a hostile one.

The steps are those that an edited src/project/data/preprocessing.py would make.
"""

import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    PowerTransformer,
    QuantileTransformer,
)

from kindling import load
from kindling.bundle.bundle import read_bundle
from kindling.bundle.preprocess_file import not_kept, to_bytes, to_preprocessor
from kindling.errors import DataError
from kindling.tables.formats import read_table
from project.data import preprocessing
from tests.kindling.bundle.damage import at, edit_skops, put_zip, read_zip

pytestmark = pytest.mark.slow  # whole bundles

COLUMN = "body_mass_g"
QUANTILES = QuantileTransformer(n_quantiles=60, output_distribution="normal", random_state=0)


class Clip(TransformerMixin, BaseEstimator):
    """An estimator of the owner's own."""

    def fit(self, x, y=None):
        self.low_ = np.min(x)
        return self

    def transform(self, x):
        return np.maximum(x, self.low_)


def with_step(step):
    """Return a make_transformer that has one more step, for COLUMN."""
    given = preprocessing.make_transformer

    def make_transformer(numbers, booleans, categories):
        made = given([name for name in numbers if name != COLUMN], booleans, categories)
        filled = preprocessing.make_pipeline(preprocessing.SimpleImputer(strategy="median"), step)
        made.transformers.insert(1, ("mass", filled, [COLUMN]))
        return made

    return make_transformer


@pytest.fixture
def edit(monkeypatch):
    def put_in(step):
        monkeypatch.setattr(preprocessing, "make_transformer", with_step(step))

    return put_in


@pytest.mark.parametrize(
    "step",
    [
        QUANTILES,
        PowerTransformer(),
        PowerTransformer("box-cox"),
        FunctionTransformer(np.log1p),
        KBinsDiscretizer(5, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_is_loaded_transforms_to_the_same_bits(build, edit, step):
    edit(step)
    data, _, _ = build("data=penguins")
    mine, schema = data.preprocessor, data.schema
    assert not_kept(mine, schema, "project") is None
    theirs = to_preprocessor(to_bytes(mine), schema, "project", mine.booleans_)
    features = schema.cast(read_table("data/penguins.csv"), "file")
    assert np.array_equal(mine.transform(features), theirs.transform(features))


@pytest.fixture
def bundle(run, edit):
    """A bundle with a step of quantiles, made by a whole run."""
    edit(QUANTILES)
    return run("data=penguins", "trainer.max_epochs=1") / "bundle"


def test_a_run_with_such_a_step_predicts_from_its_bundle_what_it_predicted(bundle):
    table = pd.read_csv(bundle.parent / "predictions.csv")
    rows = read_table("data/penguins.csv").take(table["row"].to_numpy())
    probs = table[[name for name in table if name.startswith("prob_")]].to_numpy()
    assert np.array_equal(load(bundle).predict_proba(rows), probs)


def test_what_a_step_has_learnt_is_what_is_loaded(bundle):
    _, pipeline, _ = read_bundle(bundle).preprocessor.transformer_.transformers_[1]
    step = pipeline.steps[1][1]
    assert (step.n_quantiles, step.n_quantiles_, step.n_features_in_) == (60, 60, 1)
    assert step.quantiles_.shape == (60, 1)


def test_a_step_that_was_taken_out_since_is_said(bundle, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"belongs; train again if the project's preprocessing was"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("step", "got"),
    [(FunctionTransformer(lambda x: x), "PicklingError|Unsupported|lambda"), (Clip(), "Clip")],
    ids=["lambda", "own class"],
)
def test_a_step_that_no_bundle_can_hold_is_said_before_the_training(build, edit, step, got):
    edit(step)
    data, _, _ = build("data=penguins")
    problem = not_kept(data.preprocessor, data.schema, "project")
    assert "a bundle holds steps of scikit-learn's own estimators" in problem.rule
    assert re.search(got, problem.got)


def npy(array, **more):
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


def with_header(old, new):
    return lambda content: content.replace(old.ljust(len(new)), new.ljust(len(old)))


LEARNT = "root.content.content.transformers_.content.1.content.1"  # the pipeline of the step
QUANTILE = f"{LEARNT}.content.content.steps.content.1.content.1"
ATTRIBUTES = f"{QUANTILE}.content.content"
ARRAYS = {
    "pickled": (npy(np.array([print], dtype=object), allow_pickle=True), "an array object"),
    "text": (npy(np.array([["a"]])), "an array <U1"),
    "float32": (npy(np.ones((60, 1), np.float32)), "an array float32"),
    "one axis": (npy(np.ones(60)), r"an array float64 \(60,\)"),
    "nan": (npy(np.full((50, 1), np.nan)), "with nan in it"),
    "infinity": (npy(np.full((50, 1), np.inf)), "with infinity in it"),
    "two columns": (npy(np.ones((60, 2))), "an array float64"),
    "no row": (npy(np.ones((0, 1))), "preprocessing that"),
    "endless": (npy(np.ones((7, 1))).replace(b"(7, 1)", b"(9**9, 1)"[:6]), "no .npy|an array"),
    "huge": (npy(np.ones((7, 1))).replace(b"(7, 1), }    ", b"(70000, 1), }"), "an array float64"),
    "negative": (npy(np.ones((7, 1))).replace(b"(7, 1), }  ", b"(-7, -1), }"), "no .npy|an array"),
    "not an array": (b"\x93NUMPY\x01\x00", "no .npy"),
    "of format 2": (npy(np.ones((7, 1))).replace(b"NUMPY\x01", b"NUMPY\x02"), "no .npy"),
    "empty": (b"", "no .npy"),
}


def array_of(folder, path):
    """Name the member of the zip that holds an array, such as ATTRIBUTES.quantiles_."""
    container, key = at({"root": json.loads(read_zip(folder)["schema.json"])}, path)
    return container[key]["file"]


def refuse(folder, message):
    with pytest.raises(DataError, match=message) as caught:
        read_bundle(folder)
    assert str(folder / "preprocess.skops") in str(caught.value)


def test_arrays_that_no_step_has_learnt_are_refused(bundle, tmp_path):
    for number, (content, message) in enumerate(ARRAYS.values()):
        folder = shutil.copytree(bundle, tmp_path / str(number))
        name = array_of(folder, f"{ATTRIBUTES}.quantiles_")
        put_zip(folder, (read_zip(folder) | {name: content}).items())
        refuse(folder, message)


def test_arrays_of_the_estimators_that_every_project_has_keep_their_shape(bundle):
    name = array_of(
        bundle, f"{ATTRIBUTES}.mean_".replace("content.1.content.1", "content.0.content.1", 1)
    )
    put_zip(bundle, (read_zip(bundle) | {name: npy(np.ones(3))}).items())
    refuse(bundle, "of another dtype or shape than float64")


def content_of(value):
    return lambda node: node.update(content=value)


NODES = [
    ("n_quantiles_", content_of('"os"'), "where .* belongs"),
    ("n_quantiles_", content_of("true"), "where .* belongs"),
    ("n_quantiles_", content_of("1.5"), "where .* belongs"),
    ("n_quantiles_", content_of("1" + "0" * 40), "where .* belongs"),
    ("n_quantiles_", content_of("NaN"), "the number NaN"),
    ("n_quantiles_", content_of("[1]"), "where .* belongs"),
    ("n_quantiles_", lambda node: node.update(__loader__="FunctionNode"), "where .* belongs"),
    ("n_features_in_", content_of("2"), "cannot transform a row"),
    ("n_quantiles", content_of("61"), "where .* belongs"),
    ("subsample", content_of("100000000000"), "where .* belongs"),
    ("output_distribution", content_of('"uniform"'), "where .* belongs"),
    ("random_state", content_of("7"), "where .* belongs"),
    ("quantiles_", lambda node: node.update(type="json", content=[]), "where .* belongs"),
    ("references_", lambda node: node.update(__class__="matrix"), "where .* belongs"),
]


def test_what_no_step_has_learnt_may_not_differ(bundle, tmp_path):
    for number, (name, change, message) in enumerate(NODES):
        folder = shutil.copytree(bundle, tmp_path / str(number))
        edit_skops(folder, f"{ATTRIBUTES}.{name}", change)
        refuse(folder, message)


@pytest.mark.parametrize("path", [QUANTILE, LEARNT])
def test_another_class_at_its_place_is_refused(bundle, path):
    edit_skops(bundle, path, lambda node: node.update(__class__="FunctionTransformer"))
    refuse(bundle, "FunctionTransformer.* where .* belongs")
