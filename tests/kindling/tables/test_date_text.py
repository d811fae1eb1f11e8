"""Dates of other countries and programs are the days and hours that stand there."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.errors import DataError
from kindling.tables.csv_dialect import Dialect
from kindling.tables.date_forms import guess_form
from kindling.tables.date_text import date_patterns
from kindling.tables.inference import Hints, infer_schema

MOMENTS = pd.date_range("2021-01-03 00:30", periods=60, freq="29h")
DAY_FORMS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d. %m. %Y", "%m/%d/%Y", "%d/%m/%Y"),
    *("%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%d-%b-%y"),
    *("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d. %B %Y", "%d/%b/%Y"),
    *("%a, %d %b %Y", "%A, %B %d, %Y", "%G-W%V-%u"),
]
TIME_FORMS = [" %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %I:%M%p"]


def schema_of(cells, **hints):
    return infer_schema(pa.table({"when": cells}), Hints(**hints))


def days_of(schema, cells):
    table = cells if isinstance(cells, pa.Table) else pa.table({"when": cells})
    features = schema.cast(table, "new")
    return features["when (days since 1970)"].tolist()


@pytest.mark.parametrize("form", ["%Y%m%d", "%Y%m%d%H%M%S", "%Y-%m-%d", "%d.%m.%Y"])
@pytest.mark.parametrize("marker", ["-", "NA", "?", "n/a"])
def test_what_stands_for_no_date_hides_none(form, marker):
    cells = [moment.strftime(form) for moment in MOMENTS]
    schema = schema_of([marker, *cells[:30], marker, *cells[30:]])
    (column,) = schema.columns
    assert (column.column_type, column.num_missing) == ("date", 2)
    assert column.why == f"dates like {cells[0]}"
    assert days_of(schema, cells[1:]) == days_of(schema_of(cells), cells[1:])


@pytest.mark.parametrize("form", [*DAY_FORMS, "%Y%m%d", *(f"%m/%d/%Y{t}" for t in TIME_FORMS)])
def test_a_form_is_found_and_read(form):
    cells = [moment.strftime(form) for moment in MOMENTS]
    schema = schema_of(cells)
    assert schema.columns[0].column_type == "date"
    truth = pd.to_datetime(cells, format=form)
    expected = (truth - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    assert days_of(schema, cells) == pytest.approx(expected.tolist())
    assert not schema.columns[0].is_doubtful


@pytest.mark.parametrize("form", [*TIME_FORMS])
def test_the_time_of_a_day_is_read_behind_any_date(form):
    cells = [m.strftime("%d.%m.%Y" + form) for m in MOMENTS]
    column = schema_of(cells).columns[0]
    assert (column.column_type, column.is_whole) == ("date", False)
    assert "when (hour)" in column.features


def test_whole_numbers_of_eight_digits_are_days():
    numbers = [int(m.strftime("%Y%m%d")) for m in MOMENTS]
    schema = schema_of(numbers)
    assert days_of(schema, numbers) == days_of(schema, [str(n) for n in numbers])
    assert schema_of([n + 60 for n in numbers]).columns[0].column_type == "number"


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["01/02/2021", "03/04/2021"], "%m/%d/%Y"),
        (["01-02-2021", "03-04-2021"], "%d-%m-%Y"),
        (["1/2/21 3:04 PM", "3/4/21 5:06 AM"], "%m/%d/%y %I:%M %p"),
    ],
)
def test_two_readings_are_a_doubt_that_data_dates_ends(cells, first):
    column = schema_of(cells).columns[0]
    assert (column.pattern, column.is_doubtful) == (first, True)
    other = first.replace("%m", "%x").replace("%d", "%m").replace("%x", "%d")
    told = schema_of(cells, dates={"when": other}).columns[0]
    assert (told.pattern, told.is_doubtful) == (other, False)


def test_another_column_of_the_table_shows_the_order():
    table = pa.table({"a": ["01/02/2021", "03/04/2021"], "b": ["13/02/2021", "28/04/2021"]})
    a, b = infer_schema(table).columns
    assert (a.pattern, b.pattern, a.is_doubtful) == ("%d/%m/%Y", "%d/%m/%Y", False)


@pytest.mark.parametrize("zone", ["+02:00", "-05:00", "Z", " +0530", " CET"])
def test_the_hour_is_the_one_that_stands_there(zone):
    plain = [m.strftime("%Y-%m-%d %H:%M:%S") for m in MOMENTS]
    schema = schema_of([cell + zone for cell in plain])
    assert days_of(schema, [cell + zone for cell in plain]) == days_of(schema_of(plain), plain)


def test_other_offsets_are_turned_to_the_only_one_of_the_train_rows():
    schema = schema_of([m.strftime("%Y-%m-%dT%H:%M:%S-05:00") for m in MOMENTS])
    days = days_of(schema, ["2021-01-01T12:00:00-05:00", "2021-01-01T17:00:00Z"])
    assert days[0] == days[1]
    typed = pd.Series(pd.to_datetime(["2021-01-01 17:00"]).tz_localize("UTC"))
    assert days_of(schema, pa.table({"when": pa.array(typed)})) == days[:1]


@pytest.mark.parametrize("cell", ["2021-01-01T12:00:00Z", "2021-01-01 12:00+01:00"])
def test_a_zone_where_the_train_rows_had_none_is_refused_and_the_reverse(cell):
    plain = [m.strftime("%Y-%m-%d %H:%M:%S") for m in MOMENTS]
    with pytest.raises(DataError, match="has no time zone"):
        days_of(schema_of(plain), [cell])
    typed = pa.array([datetime.datetime(2021, 1, 1)], pa.timestamp("us", "America/Chicago"))
    with pytest.raises(DataError, match="has no time zone"):
        days_of(schema_of(plain), pa.table({"when": typed}))
    with pytest.raises(DataError, match="in the time zone"):
        days_of(schema_of([c + "Z" for c in plain]), ["2021-01-01 12:00:00"])


def test_typed_times_keep_the_clock_of_their_zone():
    local = pd.Series(MOMENTS).dt.tz_localize("Asia/Kolkata")
    schema = schema_of(pa.array(local))
    wall = (pd.Series(MOMENTS) - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    assert days_of(schema, pa.table({"when": pa.array(local)})) == pytest.approx(wall.tolist())
    as_utc = pa.array(local.dt.tz_convert("UTC"))
    assert days_of(schema, pa.table({"when": as_utc})) == pytest.approx(wall.tolist())


@pytest.mark.parametrize("gap", ["9999-12-31", "0001-01-01", "1900-01-01", "0000-00-00"])
def test_a_placeholder_far_from_the_others_is_missing(gap):
    cells = [m.strftime("%Y-%m-%d") for m in MOMENTS]
    schema = schema_of([*cells, gap, gap])
    column = schema.columns[0]
    assert (column.num_missing, column.low, column.high) == (2, 18630.0, 18701.0)
    assert np.isnan(days_of(schema, [gap])).all()
    births = [f"{year}-06-01" for year in range(1901, 1990)]
    if gap == "1900-01-01":
        assert schema_of([*births, gap]).columns[0].num_missing == 0


def test_words_for_no_date_and_a_mistake_do_not_make_text_of_dates():
    cells = [m.strftime("%d.%m.%Y") for m in MOMENTS] + ["unknown", "-", "n/a", "31.02.2021"]
    schema = schema_of(cells)
    assert schema.columns[0].column_type == "date"
    with pytest.raises(DataError, match=r"'31.02.2021' in row 63.*data.dates"):
        days_of(schema, cells)
    named = schema_of([*cells[:-1], "tba"] * 2, dialect=Dialect(missing=("tba",)))
    assert named.columns[0].num_missing == 8


@pytest.mark.parametrize("pattern", ["%d.%Q.%Y", "dd.mm.yyyy", "%d.%m.%Y %"])
def test_no_pattern_of_dates_is_refused(pattern):
    with pytest.raises(DataError, match=r"data\.dates\.when must be a pattern"):
        schema_of(["5.1.2021"], dates={"when": pattern})


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("5. Januar 2024", "%d. %B %Y"),
        ("11:56 PM", "%I:%M %p"),
        ("5-janv-24", "%d-%B-%y"),
        ("2024 5 17 3:04", "%Y %m %d %H:%M"),
    ],
)
def test_a_form_is_guessed_for_a_person(cell, form):
    assert date_patterns(pa.chunked_array([[cell]])) == ()
    assert guess_form(cell) == form
