"""What cannot be exported is named; a file that says something else is never handed out."""

import numpy as np
import pytest
from torch.nn import functional as F

from kindling.errors import ConfigError
from kindling.export.exporter import compare, export
from kindling.types import DataSpec
from project.models.mlp import MLP
from tests.kindling.export.made import CLASSES, frame, table_model

CLASSIFY = DataSpec(target="t", **CLASSES)
SURE = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])


class Restless(MLP):
    """Drops units even while it does not learn."""

    def forward(self, x):
        return F.dropout(super().forward(x), 0.5, training=True)


class Branching(MLP):
    """Looks at the values to decide what to do."""

    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(-x)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "torch"])
def test_an_operation_that_cannot_be_exported_is_named(form):
    model = table_model(frame(), network=Branching)
    with pytest.raises(ConfigError, match=r"operations that can be exported; got .*data-dependent"):
        export(model, form)


@pytest.mark.slow
@pytest.mark.parametrize("form", [pytest.param("onnx", marks=pytest.mark.slow), "torch"])
def test_a_file_that_says_something_else_is_refused_with_the_row(form):
    model = table_model(frame(), network=Restless)
    with pytest.raises(
        ConfigError, match=r"within 1e-05; got .* instead of .* for row \d+ of gaps"
    ):
        export(model, form)


def test_the_first_row_that_differs_is_named():
    got = SURE + np.array([[0, 0, 0], [1e-4, -1e-4, 0]])
    with pytest.raises(ConfigError, match=r"for row 1 of new\.csv .*1 such rows"):
        compare(CLASSIFY, SURE, got, SURE.argmax(axis=1), "new.csv")


def test_what_is_not_a_number_is_refused():
    with pytest.raises(ConfigError, match="row 0"):
        compare(CLASSIFY, SURE, SURE * np.nan, SURE.argmax(axis=1), "new.csv")


def test_a_wrong_label_is_refused_though_the_probabilities_agree():
    with pytest.raises(ConfigError, match="row 1"):
        compare(CLASSIFY, SURE, SURE, np.array([0, 1]), "new.csv")


def test_a_toss_up_between_two_labels_is_counted_and_not_refused():
    even = np.array([[0.5 + 1e-7, 0.5 - 1e-7, 0.0]])
    agreement = compare(CLASSIFY, even, even[:, [1, 0, 2]], np.array([1]), "new.csv")
    assert agreement.num_ties == 1
    assert agreement.largest == pytest.approx(2e-7)


@pytest.mark.parametrize(("distance", "is_fine"), [(0.0, False), (1000.0, True)])
def test_a_value_far_from_the_mean_is_compared_relative_to_its_distance(distance, is_fine):
    spec = DataSpec(problem_type="regression", target="t", target_mean=5.0, target_scale=2.0)
    expected = np.array([5.0 + 2.0 * distance])
    if is_fine:
        compare(spec, expected, expected + 1e-3, None, "new.csv")
    else:
        with pytest.raises(ConfigError):
            compare(spec, expected, expected + 1e-3, None, "new.csv")
