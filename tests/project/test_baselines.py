"""The models of scikit-learn that every network is compared with."""

import numpy as np

from kindling.types import DataSpec
from project.baselines import make_baselines


def test_a_class_of_one_row_stops_no_baseline():
    # Boosted trees hold rows back from 10,000 on, and want two of each class for it.
    y = np.r_[np.zeros(6000), np.ones(4001), 2].astype(int)
    spec = DataSpec(
        "multiclass",
        "y",
        numbers=("a",),
        classes=("a", "b", "c"),
        class_counts=tuple(np.bincount(y).tolist()),
    )
    x = y[:, None].astype(np.float32)
    for model in make_baselines(spec, len(y), seed=0).values():
        assert model.fit(x, y).predict_proba(x).shape == (len(y), 3)
