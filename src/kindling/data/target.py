"""Labels or values in the user's own words; int64 classes or standardised float32 out."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.preprocessing import LabelEncoder, StandardScaler

from kindling.data.columns import kinds
from kindling.data.split import Split
from kindling.errors import DataError, Problem, shown
from kindling.types import LabelKind, Transform

SKEWED, CLEARLY = 2.0, 0.9  # a long tail; an error that is smaller by more than chance
ROWS_TO_CHOOSE = 20_000
LABEL_KINDS: dict[str, LabelKind] = {"i": "integer", "f": "number", "b": "boolean", "O": "text"}


def to_target(column: pd.Series, *, is_regression: bool) -> np.ndarray:
    """Return N float64 values, or N labels: int64, float64, booleans or text, as in the file."""
    if is_regression:
        return column.to_numpy(dtype=np.float64)
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy()
        is_whole = (values % 1 == 0).all() and np.abs(values).max(initial=0) <= kinds.EXACT
        return values.astype(np.int64) if is_whole else values
    codes, distinct = pd.factorize(column)  # a million rows share one string for each label
    if all(isinstance(label, bool) for label in distinct):
        return distinct.to_numpy(dtype=bool)[codes]
    return np.array([str(label) for label in distinct], dtype=object)[codes]


def choose_transform(x: np.ndarray, y: np.ndarray, split: Split) -> Transform:
    """Return "log1p" where a skewed quantity is better predicted from its logarithm on val.

    The judge is a linear model on at most ROWS_TO_CHOOSE train rows: milliseconds, and what bends
    its line bends that of a network too.
    """
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
            raise DataError(
                Problem(
                    f"target {self.name!r} must take at least two values in the train rows",
                    f"only {shown(y[:1].tolist()[0])}",
                    "choose another data.target, or give rows of a second class",
                    "D205",
                )
            )
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
            raise DataError(
                Problem(
                    f"every class of target {self.name!r} must occur in the train rows",
                    f"{', '.join(map(shown, unseen[:5]))} only in val or test",
                    "correct the label, or give train rows of that class",
                    "D206",
                )
            )
        return self.encoder_.transform(distinct)[codes].astype(np.int64)

    def describe(self) -> dict[str, Any]:
        """Return what a DataSpec holds of the target."""
        if self.is_regression:
            mean, scale = self.encoder_.mean_.item(), self.encoder_.scale_.item()
            return {
                "task": "regression",
                "target": self.name,
                "target_transform": self.transform_name,
                "target_mean": mean,
                "target_scale": scale,
            }
        classes = tuple(str(label) for label in self.encoder_.classes_)
        return {
            "task": "binary" if len(classes) == 2 else "multiclass",
            "target": self.name,
            "classes": classes,
            "label_kind": LABEL_KINDS[self.encoder_.classes_.dtype.kind],
            "class_counts": self.class_counts_,
        }
