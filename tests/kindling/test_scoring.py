"""What is said of a metric's values, and what metrics.json keeps of that."""

import json

import pytest

from kindling.scoring import MetricInfo, info_from_json, infos_to_json

ACCURACY = MetricInfo(
    name="accuracy", label="accuracy", meaning="right", direction="max", range=(0, 1), is_share=True
)
LOSS = MetricInfo(name="log_loss", label="log loss", meaning="", direction="min", range=(0, None))


def test_values_are_written_as_the_entry_says():
    assert ACCURACY.format(0.825) == "82.5 %"
    assert LOSS.format(0.39712) == "0.397"
    assert LOSS.format(None) == LOSS.format(float("nan")) == "-"


def test_the_best_is_the_largest_or_the_smallest():
    scores = {"a": 0.1, "b": 0.9}
    assert (ACCURACY.best(scores), LOSS.best(scores)) == ("b", "a")
    assert ACCURACY.is_better(0.9, 0.1)
    assert LOSS.is_better(0.1, 0.9)


def test_what_is_written_is_read_back():
    infos = json.loads(json.dumps(infos_to_json([ACCURACY, LOSS])))
    assert [info_from_json(name, found) for name, found in infos.items()] == [ACCURACY, LOSS]


@pytest.mark.parametrize("found", [None, 3, [], {"range": 7, "digits": "x", "direction": "up"}])
def test_of_anything_else_the_name_is_known(found):
    info = info_from_json("my_score", found)
    assert (info.label, info.direction, info.digits) == ("my score", "max", 3)
