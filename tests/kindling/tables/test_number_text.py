"""Numbers of other countries and of ledgers, and what decides between two readings."""

import pandas as pd
import pyarrow as pa
import pytest

from kindling.errors import DataError
from kindling.tables.column_types import to_number
from kindling.tables.csv_dialect import Dialect
from kindling.tables.decimal_sign import FileEvidence, decide, evidence_of, evidence_of_file
from kindling.tables.inference import Hints, infer_schema
from kindling.tables.number_text import SURE_UNIT, NumberStyle, cell_parts, unsigned
from kindling.tables.target import describe_target, read_target


def column(*cells):
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,234", ".", 1234),
        ("1,234,567.5", ".", 1234567.5),
        ("1.234,5", ",", 1234.5),
        ("0,5", ",", 0.5),
        ("0,785", ",", 0.785),
        ("0,785", ".", None),  # no group of thousands begins with 0
        ("0.785", ",", None),  # nor here: a cell of another convention is no number
        ("12.5", ",", None),
        ("1,23", ".", None),
        ("0x10", ".", None),
        ("--5", ".", None),
        ("1 234,5", ",", 1234.5),
        ("1\xa0234\u202f567,5", ",", 1234567.5),
        ("1'234.50", ".", 1234.5),
        ("1\u2019234.50", ".", 1234.5),
        ("12,34,567.5", ".", 1234567.5),  # India
        ("(1,234.50)", ".", -1234.5),
        ("(5", ".", None),
        ("5-", ".", -5),
        ("1.234,50 -", ",", -1234.5),
        ("\u22125", ".", -5),
        ("1.2e3", ".", 1200),
        ("1,2E+3", ",", 1200),
        ("5,-", ",", 5),
        ("12 5", ".", None),
        ("1.5", "", 1.5),  # no sign was ever seen: clear ones are read
        ("1,5", "", 1.5),
        ("1,234", "", None),  # and what has two readings is not
    ],
)
def test_a_number_has_one_value_in_its_columns_convention(text, decimal, number):
    assert to_number(column(text, "no number"), NumberStyle(decimal)).to_pylist() == [number, None]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["EUR 12.50", "3 EUR", "-\u20ac5"], [12.5, 3, -5]),
        (["$5", "-$5", "$-5", "($5.00)", "7"], [5, -5, -5, -5, 7]),
        (["12 %", "3.5%", "7\xa0%"], [12, 3.5, 7]),
        (["CHF 1'234.50", "CHF 5.-", "CHF 2.50"], [1234.5, 5, 2.5]),
        (["R$ 1.234,50", "R$ 2,5", "R$ 7"], [1234.5, 2.5, 7]),
    ],
)
@pytest.mark.parametrize("use", ["column", "target"])
def test_currencies_and_percents_are_read_where_there_is_one_of_them(cells, numbers, use):
    if use == "target":
        assert read_target(column(*cells), "regression").tolist() == numbers
        return
    table = pa.table({"x": cells * 10})
    schema = infer_schema(table)
    assert schema.columns[0].column_type == "number"
    assert schema.cast(table, "t")["x"].tolist() == numbers * 10


def test_another_currency_is_no_number_of_the_column():
    schema = infer_schema(pa.table({"x": ["EUR 5", "EUR 6.5", "EUR 7"] * 5}))
    with pytest.raises(DataError, match="'USD 5' in row 0"):
        schema.cast(pa.table({"x": ["USD 5"]}), "new")
    mixed = infer_schema(pa.table({"x": ["EUR 5", "USD 6"] * 10}))
    assert mixed.columns[0].column_type == "category"


def test_a_column_beyond_doubt_decides_for_the_others():
    columns = {"temp": ["10.000", "26.813"], "wind": ["0,3", "5,199"], "n": ["1", "2"]}
    for decimal, sign in ((",", "."), (".", ",")):
        swap = str.maketrans({",": decimal, ".": sign})
        cells = {n: [c.translate(swap) for c in v] * 10 for n, v in columns.items()}
        table = pa.table(cells)
        hints = Hints(file=evidence_of_file(table.itercolumns(), ";"))
        temp, wind, n = infer_schema(table, hints).columns
        assert (temp.decimal, wind.decimal, n.decimal) == (decimal,) * 3
        assert (temp.low, temp.high) == (10000, 26813)
        assert not temp.is_doubtful
        assert describe_target(column(*cells["temp"]), "regression", hints).decimal == decimal


@pytest.mark.parametrize(
    ("cells", "separator", "sign"),
    [
        (["138.185", "82.521"], ",", "."),
        (["138.185", "82.521"], ";", ","),
        (["138.185", "82.521", "950"], ",", ","),  # whole ones below 1000 only: thousands
        (["138.185", "82.521", "1950"], ",", "."),
        (["138.185"] * 30 + ["1.234.567"], ",", "."),  # one cell does not flip a column
        (["138.185", "1.234.567", "7.654.321"], ",", ","),
        (["1,234", "5,678"], ",", "."),
        (["1,234", "5,678"], "\t", "."),
    ],
)
def test_two_readings_are_a_doubt(cells, separator, sign):
    own = evidence_of(column(*cells))
    assert decide(own, FileEvidence(separator=separator), "auto") == (sign, True)
    for asked in (".", ","):
        assert decide(own, FileEvidence(separator=separator), asked) == (asked, False)
    assert decide(own, FileEvidence(points=1, separator=separator), "auto").sign in (".", sign)


def test_new_rows_of_another_convention_are_no_numbers():
    schema = infer_schema(pa.table({"x": ["1,5", "12,25", "1.234,5"] * 10}))
    with pytest.raises(DataError, match=r"with a decimal comma; got '1.5' in row 0") as error:
        schema.cast(pa.table({"x": ["1.5"]}), "new")
    assert "data.csv.decimal" in str(error.value)
    whole = infer_schema(pa.table({"x": ["1", "5", "950"] * 10}))
    assert whole.cast(pa.table({"x": ["1.5", "2,5"]}), "new")["x"].tolist() == [1.5, 2.5]
    with pytest.raises(DataError, match=r"'1.234' in row 0"):
        whole.cast(pa.table({"x": ["1.234"]}), "new")


def test_words_that_are_named_are_missing_in_columns_of_any_type():
    hints = Hints(dialect=Dialect(missing=("-999", "none")))
    table = pa.table({"n": ["-999", "-999.0", "1", "2"], "c": ["none", "None", "a", "a"]})
    schema = infer_schema(table, hints)
    features = schema.cast(table, "t")
    assert features["n"].isna().tolist() == [True, True, False, False]
    assert features["c"].tolist() == ["", "None", "a", "a"]
    typed = pa.table({"n": [-999.0, 1.0], "c": ["none", None]})
    assert schema.cast(typed, "t")["n"].isna().tolist() == [True, False]


def test_a_reader_that_makes_an_empty_cell_of_a_word_says_the_same():
    words = pa.table({"c": ["NA", "NA", "NA", "b", "b", "b"]})
    schema = infer_schema(words)
    frame = words.to_pandas().replace("NA", None)
    assert schema.columns[0].num_missing == 0
    for rows in (words, pa.table({"c": pa.array(frame["c"], pa.string())})):
        assert schema.cast(rows, "t")["c"].tolist() == ["NA"] * 3 + ["b"] * 3
    both = infer_schema(pa.table({"c": ["NA", "NA", "NA", "", "", "", "b", "b", "b"]}))
    assert both.cast(pa.table({"c": pd.Series([None], dtype=object)}), "t")["c"].tolist() == [""]


def test_bare_numbers_are_taken_apart_as_all_others_are():
    for cells in (["1.5", "-2", "+3,25"], ["1e-3", ".5", "7."], ["1,234.5", "-0"], []):
        bare = unsigned(pa.array(cells, pa.string()))
        parts = cell_parts(pa.array(cells, pa.string()), SURE_UNIT)
        assert bare.equals(parts["body"])
        assert set(parts["unit"].to_pylist()) <= {""}
    for cell in ("5 ", "(5)", "5%", "x", "--5", "5-", "1 000"):
        assert unsigned(pa.array([cell])) is None
