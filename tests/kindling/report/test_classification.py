import numpy as np

from kindling.report.classification import (
    calibration_bins,
    class_table,
    classes_with_curves,
    confusion_table,
    describe_calibration,
)
from kindling.types import DataSpec

SPEC = DataSpec("multiclass", "y", ("a",), classes=("u", "v", "w"), class_counts=(9, 9, 9))
TRUTH = np.array([0, 0, 0, 0, 1, 1])
SAID = np.array([0, 0, 1, 1, 1, 1])


def test_classes_are_scored_one_by_one_the_worst_first():
    rows = class_table(SPEC, TRUTH, SAID).rows
    assert [row[0] for row in rows] == ["u", "v", "w"]
    assert rows[0] == ("u", "9", "4", "50.0 %", "100 %", "0.667")
    assert rows[2][2:] == ("0", "-", "-", "-")  # no test rows


def test_the_most_frequent_mistakes_are_listed_and_right_rows_are_none():
    table = confusion_table(SPEC, TRUTH, SAID)
    assert table.rows == [("u", "v", "2", "50.0 %")]
    assert confusion_table(SPEC, TRUTH, TRUTH) is None


def test_rows_of_about_the_same_probability_are_put_together():
    said = np.array([0.05, 0.06, 0.95, 1.0])
    happened = np.array([False, True, True, True])
    assert calibration_bins(said, happened) == [(0.055, 0.5, 2), (0.975, 1.0, 2)]


def test_a_curve_needs_rows_of_the_class_and_rows_of_others():
    assert classes_with_curves(SPEC, np.array([4, 2, 0])) == [0, 1]
    assert classes_with_curves(SPEC, np.array([4, 0, 0])) == []


def test_the_temperature_is_told_with_what_it_changed():
    probs = np.full((2, 2), 0.5)
    truth = np.array([0, 1])
    before = {"log_loss_before": 0.9, "ece_before": 0.25}
    told = describe_calibration(truth, probs, {"temperature": 1.5, "val_rows": 1} | before)
    assert "divided by 1.50, chosen by the log loss of 1 val row," in told
    assert "loss went from 0.900 to 0.693 by this, the calibration error from 0.250 to 0." in told
    assert describe_calibration(truth, probs, None) == ""
