"""The scikit-learn preprocessing: which steps a column goes through, and how the target is encoded.

The only place where preprocessing is fitted, and only ever on train rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder, StandardScaler

from kindling.errors import DataError, Problem
from kindling.fixes import Setting
from kindling.formatting import shown
from kindling.images.pixel_scaling import fit_images
from kindling.raw_data import RawData
from kindling.tables.preprocessor import fit_table
from kindling.types import Transform
from project.data.splits import SplitRows

MISSING = ""  # a category without a value
SKEWED, CLEARLY = 2.0, 0.9  # a long tail; an error that is smaller by more than chance
ROWS_TO_CHOOSE = 20_000
LABEL_KINDS: dict[str, str] = {"i": "integer", "f": "number", "b": "boolean", "O": "text"}


def make_transformer(
    numbers: list[str], booleans: list[str], categories: Mapping[str, tuple[str, ...]]
) -> ColumnTransformer:
    """Choose the steps of a table's columns, each with one output for each of its columns.

    Args:
        numbers: columns of numbers, NaN where missing.
        booleans: columns of 0 and 1, NaN where missing; they are not scaled.
        categories: column -> its values in the train rows; a missing cell is MISSING.

    Returns:
        The unfitted transformer; "categories", whose codes the network embeds, is its last step.
    """
    # A column without a single value in the train rows is kept, as zeros.
    keep = {"keep_empty_features": True}
    scaled = make_pipeline(SimpleImputer(strategy="median", **keep), StandardScaler())
    values = [[MISSING, *names] for names in categories.values()]
    codes = OrdinalEncoder(categories=values, handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer(
        [
            ("numbers", scaled, numbers),
            ("booleans", SimpleImputer(strategy="most_frequent", **keep), booleans),
            ("categories", codes, [*categories]),
        ]
    )


def fit_preprocessor(raw: RawData, train: np.ndarray, seed: int) -> tuple[Any, Any, np.ndarray]:
    """Fit what suits the data on train rows.

    Args:
        raw: the rows of all splits.
        train: int64, which of them are train rows.
        seed: of a large table, decides which rows are looked at.

    Returns:
        What the columns or images are, what was fitted, and all rows as a network takes them.

    Raises:
        DataError: no column is left to learn from, or cells do not fit their column's type.
    """
    if isinstance(raw.x, np.ndarray):
        return fit_images(raw, train)
    return fit_table(raw, train, seed, make_transformer)


def choose_transform(x: np.ndarray, y: np.ndarray, split: SplitRows) -> Transform:
    """Return "log1p" where a skewed quantity is better predicted from its logarithm on val.

    A linear model on at most ROWS_TO_CHOOSE train rows decides: milliseconds, and what bends
    its line bends that of a network too.
    """
    # A linear model with and without the logarithm; both errors are in the target's own unit.
    train, val = split["train"][:ROWS_TO_CHOOSE], split["val"]
    if y.min() < 0 or not float(pd.Series(y[train]).skew()) > SKEWED:
        return "none"
    errors = {}
    for transform, there, back in (("none", _same, _same), ("log1p", np.log1p, np.expm1)):
        learnt = there(y[train])
        guess = Ridge().fit(x[train], learnt).predict(x[val])
        # Not beyond what was seen: a line in logarithms is soon astronomical.
        guess = back(np.clip(guess, learnt.min(), learnt.max()))
        errors[transform] = np.sqrt(np.mean((guess - y[val]) ** 2))
    return "log1p" if errors["log1p"] < CLEARLY * errors["none"] else "none"


def _same(values: np.ndarray) -> np.ndarray:
    return values


class TargetEncoder:
    """Turns targets into what a loss takes. Fitted on train rows only.

    Args:
        name: of the target.
        is_regression: values rather than labels.
        transform: "log1p" learns log(1 + y) of a quantity; "none" the quantity itself.
    """

    def __init__(self, name: str, is_regression: bool, transform: Transform = "none") -> None:
        self.name, self.is_regression, self.transform_name = name, is_regression, transform
        self.encoder_ = StandardScaler() if is_regression else LabelEncoder()

    def fit(self, y: np.ndarray) -> "TargetEncoder":
        distinct = pd.unique(y)
        if len(distinct) < 2:
            rule = f"target {self.name!r} must take at least two values in the train rows"
            ways = ("give rows of a second class", Setting("data.target"))
            raise DataError(Problem(rule, f"only {shown(y[:1].tolist()[0])}", ways, "D205"))
        if self.is_regression:
            self.encoder_.fit(self._learnt(y).reshape(-1, 1))
        else:
            self.encoder_.fit(distinct)
            self.class_counts_ = tuple(np.bincount(self.transform(y)).tolist())
        return self

    def _learnt(self, y: np.ndarray) -> np.ndarray:
        return y if self.transform_name == "none" else np.log1p(y)

    def transform(self, y: np.ndarray) -> np.ndarray:
        """Return int64 classes, or float32 values with mean 0 and scale 1 over the train rows."""
        if self.is_regression:
            standardised = self.encoder_.transform(self._learnt(y).reshape(-1, 1))
            return standardised[:, 0].astype(np.float32)
        codes, distinct = pd.factorize(y)  # every label is looked up once, not every row
        unseen = sorted(set(distinct.tolist()) - set(self.encoder_.classes_.tolist()), key=str)
        if unseen:
            rule = f"every class of target {self.name!r} must occur in the train rows"
            got = f"{', '.join(map(shown, unseen[:5]))} only in val or test"
            fix = "correct the label, or give train rows of that class"
            raise DataError(Problem(rule, got, fix, "D206"))
        return self.encoder_.transform(distinct)[codes].astype(np.int64)

    def describe(self) -> dict[str, Any]:
        """Return what a DataSpec holds of the target."""
        if self.is_regression:
            mean, scale = self.encoder_.mean_.item(), self.encoder_.scale_.item()
            return {
                "problem_type": "regression",
                "target": self.name,
                "target_transform": self.transform_name,
                "target_mean": mean,
                "target_scale": scale,
            }
        classes = tuple(str(label) for label in self.encoder_.classes_)
        return {
            "problem_type": "binary" if len(classes) == 2 else "multiclass",
            "target": self.name,
            "classes": classes,
            "label_kind": LABEL_KINDS[self.encoder_.classes_.dtype.kind],
            "class_counts": self.class_counts_,
        }
