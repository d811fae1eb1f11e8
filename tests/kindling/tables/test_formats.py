"""Formats of tables: content decides, and one that a project registers is read by everything."""

from dataclasses import replace
from importlib import invalidate_caches

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from kindling.bundle.evaluation_set import read_evaluation_set
from kindling.bundle.inputs import open_rows
from kindling.checks.overview import inspect_table
from kindling.cli.input_output import find_files
from kindling.errors import ConfigError, DataError
from kindling.serve.answer import Refusal
from kindling.serve.middleware import Limits
from kindling.serve.request import read_upload
from kindling.tables import table_file
from kindling.tables.csv_dialect import Dialect
from kindling.tables.formats import MAGIC_BYTES, TableFormat, known_formats, open_table, read_table
from kindling.tables.inference import infer_schema
from kindling.tables.source import TableSource
from kindling.tables.table_file import TableFile

TABLE = {"a": ["1", "3"], "b": ["x", "y"]}


def read_feather(path, _dialect, _names):
    with pa.ipc.open_file(path) as file:
        yield file.schema.empty_table()
        for number in range(file.num_record_batches):
            yield pa.Table.from_batches([file.get_batch(number)])


FEATHER = TableFormat("Feather", b"ARROW1", (".feather",), False, read_feather)
COMPRESSED = replace(FEATHER, is_compressed=True)
GREEDY = replace(FEATHER, magic=b"")
TOO_LONG = replace(FEATHER, magic=b"x" * (MAGIC_BYTES + 1))


@pytest.fixture
def register(monkeypatch, tmp_path):
    """Install a project that registers an object of this module, as pip would."""

    def install(name):
        folder = tmp_path / "installed" / "leafnet-1.0.dist-info"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: leafnet\nVersion: 1.0\n")
        points = f"[kindling.formats]\nleafnet = {__name__}:{name}\n"
        (folder / "entry_points.txt").write_text(points)
        invalidate_caches()
        known_formats.cache_clear()

    monkeypatch.syspath_prepend(tmp_path / "installed")
    yield install
    monkeypatch.undo()
    invalidate_caches()
    known_formats.cache_clear()


@pytest.fixture
def feather_file(register, table_csv):
    """Register Feather; return the table of `table_csv` in that format."""
    register("FEATHER")
    file = table_csv.with_suffix(".feather")
    table = pa.Table.from_pandas(pd.read_csv(table_csv))
    feather.write_feather(table, file, compression="uncompressed", chunksize=10)
    return file


@pytest.mark.parametrize("name", ["GREEDY", "TOO_LONG", "read_feather", "GONE"])
def test_what_is_no_format_is_refused_before_a_file_is_read(register, table_csv, name):
    register(name)
    with pytest.raises(ConfigError, match=f"leafnet = {__name__}:{name}"):
        read_table(table_csv)


def test_a_further_format_is_read_in_chunks_and_by_columns(feather_file, table_csv):
    chunks = list(open_table(feather_file))
    assert [len(chunk) for chunk in chunks] == [0, *[10] * 6, 4]
    expected = pd.read_csv(table_csv)
    pd.testing.assert_frame_equal(pa.concat_tables(chunks).to_pandas(), expected)
    some = read_table(feather_file, names=["town", "size"])
    assert some.column_names == ["town", "size"]


def test_a_further_format_trains_as_csv_does(feather_file, table_csv, build):
    words = ["data=table", "data.target=label"]
    (one, *_), (two, *_) = (
        build(*words, f"data.path={file}") for file in (table_csv, feather_file)
    )
    assert one.x.equal(two.x)
    assert one.schema.used == two.schema.used


@pytest.mark.slow
def test_a_further_format_is_predicted_evaluated_inspected_and_uploaded(
    feather_file, run, table_csv, tmp_path
):
    from kindling import load

    schema = infer_schema(read_table(feather_file))
    assert pa.concat_tables(open_rows(feather_file, schema)).num_rows == 64
    assert feather_file in find_files([str(tmp_path)], schema)
    assert {c.name for c in inspect_table(str(feather_file), "label", None, {}).columns} >= {"town"}
    assert read_upload(feather_file.read_bytes(), schema, Limits()).num_rows == 64
    folder = run("data=table", f"data.path={table_csv}", "data.target=label")
    assert len(read_evaluation_set(feather_file, load(folder)).truth) == 64


def test_a_damaged_file_of_a_further_format_is_no_table(feather_file):
    feather_file.write_bytes(feather_file.read_bytes()[:100])
    with pytest.raises(DataError, match="must be a table"):
        TableSource(str(feather_file), "label").read()


def test_two_columns_of_a_name_are_refused_whatever_the_format(feather_file):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pa.ipc.new_file(feather_file, table.schema) as file:
        file.write_table(table)
    with pytest.raises(DataError, match=r"a name of its own.*'a' 2 times"):
        read_table(feather_file)


def test_compressed_files_are_no_uploads(register, feather_file):
    register("COMPRESSED")
    with pytest.raises(Refusal):
        read_upload(feather_file.read_bytes(), infer_schema(pa.table(TABLE)), Limits())


@pytest.mark.slow
def test_a_long_file_comes_in_chunks_that_are_the_whole(tmp_path):
    frame = pd.DataFrame({"a": range(400_000), "b": "text of some length"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name, first in (("t.csv", "0"), ("t.parquet", 0)):
        chunks = list(open_table(tmp_path / name))
        assert len(chunks) > 2
        assert read_table(tmp_path / name).equals(pa.concat_tables(chunks).combine_chunks())
        assert read_table(tmp_path / name)["a"][0].as_py() == first


def test_a_large_file_is_not_held_and_a_small_one_is(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n3,y\n")
    held = TableFile(str(tmp_path / "t.csv"), Dialect(), may_hold=True)
    monkeypatch.setattr(table_file, "HELD_BYTES", 4)
    anew = TableFile(str(tmp_path / "t.csv"), Dialect(), may_hold=True)
    assert held.table is not None
    assert anew.table is None
    for file in (held, anew):
        assert pa.concat_tables(file.open()).to_pydict() == TABLE
        assert file.column("b").to_pylist() == TABLE["b"]


def test_parquet_of_dictionaries_is_plain(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"])})
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").to_pydict() == {"a": ["x", "y"]}


def test_parquet_with_two_columns_of_a_name_is_refused(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="a name of its own"):
        read_table(tmp_path / "t.parquet")
