"""Fit three models of scikit-learn on the very rows that the network has, to compare with."""

import warnings
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kindling.outputs import read_targets
from kindling.scoring import metrics_for, score
from kindling.types import DataSpec, Split
from project.data.datamodule import DataModule
from project.training.metrics import METRICS

MAX_PIXELS, COMPONENTS = 256, 64  # trees on more pixels than that take their principal components
MAX_CATEGORIES = 255  # of a column that the trees can split by category


def fit_baselines(data: Any, *, enabled: bool, seed: int) -> dict[str, dict[str, float]]:
    """Fit on the train rows, score on the test rows: the very rows that the network has.

    Of a data module of another kind nothing is known: it gets none, as the plan says.
    """
    if not (enabled and isinstance(data, DataModule)):
        return {}
    train_x, train_y = rows_of(data, "train")
    test_x, test_y = rows_of(data, "test")
    scores, metrics = {}, metrics_for(METRICS, data.spec.problem_type)
    for name, model in make_baselines(data.spec, len(train_y), seed).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a baseline may stop early
            model.fit(train_x, train_y)
        if data.spec.is_regression:
            truth = read_targets(data.spec, test_y)
            prediction = read_targets(data.spec, model.predict(test_x))
        else:
            truth, prediction = test_y, model.predict_proba(test_x)
        scores[name] = score(metrics, truth, prediction)
    return scores


def rows_of(data: DataModule, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return a split as arrays: x (N, F + C) or flattened pixels, y as the network gets it."""
    rows = data.split[split]
    x = data.x[rows].flatten(1).numpy()
    return x.astype(np.float32), data.y[rows].numpy()


def make_baselines(spec: DataSpec, num_rows: int, seed: int) -> dict:
    """Make the unfitted models: the mean or majority, a linear model, boosted trees."""
    codes = list(range(spec.num_numbers, spec.num_numbers + len(spec.categories)))
    numbers = list(range(spec.num_numbers))
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler() if spec.image_shape else "passthrough", numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore"), codes),
        ]
    )
    few = all(count <= MAX_CATEGORIES for count in spec.cardinalities)
    # Early stopping holds a tenth of the train rows back, of each class at least one.
    is_rare = not spec.is_regression and min(spec.class_counts) < 2
    trees = {
        "categorical_features": codes if codes and few else None,
        "early_stopping": False if is_rare else "auto",
        "random_state": seed,
    }
    is_large = spec.image_shape and len(numbers) > MAX_PIXELS
    reduce = [PCA(min(COMPONENTS, num_rows), random_state=seed)] if is_large else []
    if spec.is_regression:
        dummy, linear = DummyRegressor(), Ridge()
        boosting = HistGradientBoostingRegressor(**trees)
    else:
        dummy, linear = DummyClassifier(strategy="prior"), LogisticRegression(max_iter=1000)
        boosting = HistGradientBoostingClassifier(**trees)
    return {
        "dummy": dummy,
        "linear": make_pipeline(columns, linear),
        "hist_gradient_boosting": make_pipeline(*reduce, boosting),
    }
