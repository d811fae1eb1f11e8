"""Models of other libraries, with their defaults, fitted on the very rows that a network has.

LightGBM, CatBoost and pytabkit come with `pip install -e '.[bench]'`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kindling.types import DataSpec
from project.baselines import make_baselines


@dataclass(frozen=True)
class Rows:
    """Rows of train, and of val for those that stop early: x (N, F + C) float32, y (N,)."""

    x: np.ndarray
    y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray


def fit_peer(name: str, spec: DataSpec, rows: Rows, seed: int) -> Callable[[np.ndarray], Any]:
    """Fit a model; return what predicts values (N,) or probabilities (N, K)."""
    baselines = make_baselines(spec, len(rows.y), seed)
    if name in baselines or name in OF_SKLEARN:
        model = baselines.get(name) or OF_SKLEARN[name](spec, seed)
        return predictor(spec, model.fit(rows.x, rows.y))
    frame = frames(spec)
    if name == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMRegressor if spec.is_regression else lightgbm.LGBMClassifier
        model = kind(random_state=seed, n_jobs=1, verbose=-1)
        model.fit(frame(rows.x), rows.y)
    elif name == "catboost":
        import catboost

        kind = catboost.CatBoostRegressor if spec.is_regression else catboost.CatBoostClassifier
        quiet = {"verbose": False, "allow_writing_files": False, "thread_count": 1}
        model = kind(random_seed=seed, cat_features=list(spec.categories), **quiet)
        model.fit(frame(rows.x), rows.y)
    else:
        from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

        kind = RealMLP_TD_Regressor if spec.is_regression else RealMLP_TD_Classifier
        model = kind(random_state=seed, n_threads=1, device="cpu")
        model.fit(frame(rows.x), rows.y, frame(rows.val_x), rows.val_y)
    return lambda x: predictor(spec, model)(frame(x))


def predictor(spec: DataSpec, model: Any) -> Callable[[Any], Any]:
    """Return what gives values, or probabilities."""
    return model.predict if spec.is_regression else model.predict_proba


def frames(spec: DataSpec) -> Callable[[np.ndarray], pd.DataFrame]:
    """Return what names the columns of rows, and makes categories of codes."""
    # Letters and digits only: LightGBM takes no others.
    numbers = [f"number{k}" for k in range(len(spec.numbers))]

    def frame(x: np.ndarray) -> pd.DataFrame:
        table = pd.DataFrame(x[:, : len(numbers)], columns=numbers)
        for k, (name, count) in enumerate(zip(spec.categories, spec.cardinalities, strict=True)):
            codes = x[:, len(numbers) + k].astype(int)
            table[name] = pd.Categorical(codes, categories=range(count))
        return table

    return frame


def one_hot(spec: DataSpec) -> ColumnTransformer:
    """Scale numbers, and make columns of zeros and ones of codes."""
    first = len(spec.numbers) if spec.image_shape is None else spec.num_numbers
    codes = list(range(first, first + len(spec.categories)))
    return ColumnTransformer(
        [
            ("numbers", StandardScaler(), list(range(first))),
            ("categories", OneHotEncoder(handle_unknown="ignore"), codes),
        ]
    )


def make_forest(spec: DataSpec, seed: int) -> Any:
    """Make the unfitted forest."""
    kind = RandomForestRegressor if spec.is_regression else RandomForestClassifier
    return kind(random_state=seed)


def make_mlp(spec: DataSpec, seed: int) -> Any:
    """Make the unfitted MLP; its inputs are scaled and one-hot encoded."""
    kind = MLPRegressor if spec.is_regression else MLPClassifier
    return make_pipeline(one_hot(spec), kind(random_state=seed, max_iter=500))


OF_SKLEARN = {"random_forest": make_forest, "sklearn_mlp": make_mlp}
PEERS = (
    *("dummy", "linear", "random_forest", "hist_gradient_boosting", "sklearn_mlp"),
    *("lightgbm", "catboost", "realmlp_td"),
)
