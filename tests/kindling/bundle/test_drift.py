"""What the train rows were not like is said once, whatever the number of chunks."""

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from kindling.bundle.drift import Drift
from kindling.images.image_schema import ImageSchema
from kindling.tables.column import Column
from kindling.tables.formats import read_table
from kindling.tables.schema import TableSchema

SCHEMA = TableSchema(
    (
        Column("size", "number", features=("size",), low=1, high=9.5),
        Column("gap", "number", features=("gap", "gap is missing"), num_missing=1, low=0, high=1),
        Column("new", "boolean", features=("new",)),
        Column("day", "date", features=("day",), low=0, high=366, pattern="ISO8601"),
        Column("town", "category", features=("town",), categories=("Rom", "Ulm")),
        Column("id", "id"),
    )
)
GOOD = {"size": "5", "gap": "1", "new": "yes", "day": "1970-02-01", "town": "Ulm", "id": "7"}


def lines_of(*rows, schema=SCHEMA):
    """Add each row as a chunk of its own."""
    drift = Drift(schema, "price")
    for row in rows:
        table = pa.table({name: [cell] for name, cell in (GOOD | row).items()})
        drift.add(table, schema.cast(table, "the rows"))
    return drift.lines()


def test_nothing_is_said_of_rows_like_the_train_rows():
    assert lines_of({}, {"size": "1"}, {"size": "9.5", "gap": ""}, {"price": "3"}) == []


def test_columns_that_the_model_does_not_know_are_named_once():
    assert lines_of({"colour": "red"}, {"colour": "blue", "x": "1"}) == ["not used: colour, x"]


def test_columns_that_the_user_left_out_are_no_news(build, table_csv):
    chosen = ("data.target=label", "data.ignore=[noise]", "data.group=town")
    data, _, _ = build("data=table", f"data.path={table_csv}", *chosen)
    table, drift = read_table(table_csv), Drift(data.schema, "label")
    drift.add(table, data.schema.cast(table, "the rows"))
    assert drift.extra == {}


def test_unknown_categories_are_counted_and_the_most_frequent_named():
    towns = ["Ys", "Bonn", "Ys", "Ulm", "Graz", "Linz"]
    assert lines_of(*({"town": town} for town in towns)) == [
        "town: categories that the train rows did not have in 5 rows: "
        "'Ys' 2, 'Bonn' 1, 'Graz' 1 and 1 more"
    ]


@pytest.mark.parametrize(
    ("sizes", "line"),
    [
        (["0.5"], "size: 1 row outside 1 to 9.5, as the train rows had it: 0.5"),
        (["0.5", "99"], "size: 2 rows outside 1 to 9.5, as the train rows had it: from 0.5 to 99"),
    ],
)
def test_numbers_out_of_range_are_counted(sizes, line):
    assert lines_of(*({"size": size} for size in sizes)) == [line]


def test_dates_out_of_range_are_written_as_dates():
    assert lines_of({"day": "2020-02-29"}) == [
        "day: 1 row outside 1970-01-01 to 1971-01-02, as the train rows had it: 2020-02-29"
    ]


def test_gaps_where_the_train_rows_had_none_are_counted():
    assert lines_of({"size": "", "town": ""}, {"size": "NA"}) == [
        "size: no value in 2 rows; the train rows all had one",
        "town: no value in 1 row; the train rows all had one",
    ]


def test_images_have_no_drift():
    assert Drift(ImageSchema(1, 8, 8), "digit").lines() == []


def test_of_many_columns_a_person_is_shown_the_first_and_how_many_more():
    names = [f"n{number}" for number in range(40)]
    drift = Drift(replace(SCHEMA, columns=()), "y")
    drift.extra = dict.fromkeys(names)
    assert drift.shown() == ["not used: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 30 more columns"]
    columns = tuple(replace(SCHEMA.columns[0], name=name) for name in names)
    drift = Drift(replace(SCHEMA, columns=columns), "y", missing=Counter(dict.fromkeys(names, 2)))
    assert len(drift.lines()) == 40
    assert drift.shown() == [*drift.lines()[:20], "and 20 more lines"]
