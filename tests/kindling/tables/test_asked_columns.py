"""Columns are found by their names in the file, whatever a grammar makes of what was typed."""

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from kindling.errors import DataError
from kindling.fixes import OVERRIDES, Setting
from kindling.tables.asked_columns import by_column, column_meant
from kindling.tables.source import TableSource
from tests.kindling.thinning import thin

NUMBERED = ["0", "01", "1102.00", "1e3", "1_000", "true", "null", "-1", "1102.50", "label"]
NAMES = [*NUMBERED[:-1], "CO(GT)", "Price, EUR", "it's", "a=b", "Größe (cm)", "a  b", "nan", "#"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *((0, "0"), (1102.0, "1102.00"), (1102.5, "1102.50"), (-1, "-1"), (True, "true")),
        *((None, "null"), ("01", "01"), ("none", "none"), (7, "7"), (1, "01"), (1e3, "1000.0")),
    ],
)
def test_a_number_means_the_one_column_that_is_written_so(typed, name):
    assert column_meant(typed, NUMBERED) == name  # 1e3 and 1_000 are both 1000: neither is taken


def test_a_list_says_what_a_mapping_cannot():
    names = ["a=b", "a", "c"]
    assert by_column(["a=b=date", "c=number", "d=x"], names) == {
        "a=b": "date",
        "c": "number",
        "d": "x",
    }
    assert by_column({0: "date"}, ["0"]) == {"0": "date"}
    assert by_column(None, names) == {}


@pytest.fixture
def numbered_csv(tmp_path):
    """Write a table whose columns are called as people and instruments call them."""
    rows = {name: [number % 3 for number in range(60)] for name in NAMES}
    frame = pd.DataFrame(rows | {"label": ["a", "b"] * 30})
    frame.to_csv(tmp_path / "train.csv", index=False)
    return tmp_path / "train.csv"


@pytest.mark.parametrize(
    "typed", ["{0: category}", "{1102.00: category}", "{CO\\(GT\\): category}"]
)
def test_a_numbered_column_gets_its_type(build, numbered_csv, typed):
    word = [f"data.path={numbered_csv}", "data.target=label", f"data.kinds={typed}"]
    data, *_ = build("data=table", *word)
    found = [column.name for column in data.schema.columns if column.column_type == "category"]
    assert found == [typed[1:].split(":")[0].replace("\\", "")]


@pytest.mark.parametrize("name", thin(NAMES, 3))
def test_every_column_can_be_named_in_every_key(numbered_csv, name):
    def read(key, value):
        (typed,) = OVERRIDES.typed(Setting(f"data.{key}", value))
        asked = {"target": "label", key: OverridesParser.create().parse_override(typed).value()}
        return TableSource(str(numbered_csv), **asked).read()

    assert read("kinds", {name: "category"}).hints.kinds == {name: "category"}
    assert name not in read("ignore", [name]).x[0].names
    assert read("target", name).target == name
    assert read("group", name).groups is not None
    assert read("time", name).times is not None


def test_a_column_that_is_not_there_is_said(numbered_csv):
    with pytest.raises(DataError, match="a column '2' must be in"):
        TableSource(str(numbered_csv), "label", kinds={2: "category"}).read()


def test_the_path_of_ones_home_is_read_as_a_shell_does(numbered_csv, monkeypatch):
    monkeypatch.setenv("HOME", str(numbered_csv.parent))
    assert TableSource("~/train.csv", "label", test_path="~/x.csv").paths == {
        "data.path": str(numbered_csv),
        "data.test_path": str(numbered_csv.with_name("x.csv")),
    }
