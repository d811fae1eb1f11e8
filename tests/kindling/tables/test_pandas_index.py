"""The index of a DataFrame is a column where it has a name, and is named where it is left out."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kindling.bundle.inputs import to_table
from kindling.checks.overview import inspect_table
from kindling.checks.table_files import check_file
from kindling.tables.csv_dialect import AUTO
from kindling.tables.formats import read_table
from kindling.tables.inference import infer_schema
from kindling.tables.table_file import TableFile

DAYS = pd.date_range("2024-01-01", periods=60, freq="D", name="date")
PAIRS = pd.MultiIndex.from_product([range(20), list("abc")], names=["shop", "item"])
WORDS = [f"w{n}" for n in range(60)]
INDICES = {
    "dates": (DAYS, {"date": [*DAYS]}),
    "words": (pd.Index(WORDS, name="word"), {"word": WORDS}),
    "several": (PAIRS, {"shop": [n // 3 for n in range(60)], "item": list("abc") * 20}),
    "counted": (pd.RangeIndex(5, 125, 2, name="step"), {"step": [*range(5, 125, 2)]}),
    "a number as its name": (pd.Index(range(9, 69), name=7), {"7": [*range(9, 69)]}),
    "one of two": (PAIRS.rename(["shop", None]), {"shop": [n // 3 for n in range(60)]}),
    "none": (pd.RangeIndex(60), {}),
    "shuffled rows": (pd.Index(np.arange(60)[::-1]), {}),
}


@pytest.fixture(params=INDICES)
def frame_and_columns(request):
    index, columns = INDICES[request.param]
    return pd.DataFrame({"load": np.arange(60.0)}, index=index), {"load": [*range(60)], **columns}


@pytest.mark.filterwarnings("ignore:The DataFrame has non-str index name")
def test_a_named_index_is_a_column_of_parquet(frame_and_columns, tmp_path, monkeypatch):
    frame, columns = frame_and_columns
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_pydict() == columns
    monkeypatch.setattr("kindling.tables.formats.CHUNK_ROWS", 7)
    for name in columns:  # alone, and over chunks
        assert read_table(tmp_path / "t.parquet", names=[name]).to_pydict() == {name: columns[name]}
        file = TableFile(str(tmp_path / "t.parquet"), AUTO, may_hold=False)
        assert file.column(name).to_pylist() == columns[name]


def test_a_model_takes_a_named_index_from_a_frame_and_from_an_arrow_table(frame_and_columns):
    frame, columns = frame_and_columns
    schema = infer_schema(pa.table({"load": [1.0]}))
    assert to_table(frame, schema).to_pydict() == columns
    taken = to_table(pa.Table.from_pandas(frame), schema).to_pydict()
    assert {name: taken[name] for name in columns} == columns


def test_a_column_goes_before_an_index_of_its_name():
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([8, 9], name="a"))
    assert to_table(frame, infer_schema(pa.table({"a": [1]}))).to_pydict() == {"a": [1, 2]}


@pytest.mark.parametrize("cells", [[8, 9, 4], ["Mazda", "Fiat", "Volvo"]])
def test_an_index_without_a_name_is_said_to_be_left_out(tmp_path, cells):
    pd.DataFrame({"a": [1, 2, 3]}, index=cells).to_parquet(tmp_path / "t.parquet")
    (problem,) = check_file(tmp_path / "t.parquet", ["a"])
    assert (problem.code, problem.severity) == ("D018", "warning")
    assert problem.got.startswith(f"left out: __index_level_0__, {cells[0]!r}, {cells[1]!r}")
    assert problem in inspect_table(str(tmp_path / "t.parquet"), None, None, {}).findings


def test_a_counting_index_that_does_not_fit_the_rows_is_left_out_and_said_to_be(tmp_path):
    frame = pd.DataFrame({"a": range(9)}, index=pd.RangeIndex(9, name="step"))
    pa.parquet.write_table(pa.Table.from_pandas(frame).slice(3), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").column_names == ["a"]
    (problem,) = check_file(tmp_path / "t.parquet", ["a"])
    assert problem.got == "left out: step, 0, 1, 2, ..."
