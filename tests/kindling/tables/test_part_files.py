"""One table in several files: read as one, by name; what differs is refused by file and column."""

import json

import numpy as np
import pandas as pd
import pytest

from kindling.checks.overview import inspect_table
from kindling.data_record import make_record
from kindling.errors import DataError
from kindling.tables import table_file
from kindling.tables.csv_dialect import AUTO
from kindling.tables.part_files import find_parts
from kindling.tables.source import TableSource
from kindling.tables.table_file import TableFile

ROWS = 64


def write(frame, file):
    frame.to_parquet(file, index=False) if file.suffix == ".parquet" else frame.to_csv(
        file, index=False
    )


@pytest.fixture
def parts(tmp_path, table_csv):
    """Write the rows of `table_csv` as one file and, in a folder, as three."""

    def make(ending, change=lambda _, part: part):
        frame, folder = pd.read_csv(table_csv), tmp_path / "parts"
        folder.mkdir()
        write(frame, tmp_path / f"whole{ending}")
        for number, rows in enumerate(np.array_split(np.arange(ROWS), [20, 45])):
            write(change(number, frame.iloc[rows]), folder / f"part-{number}{ending}")
        return tmp_path / f"whole{ending}", folder

    return make


def refusal(folder, target="label", **settings):
    source = TableSource(str(folder), target, **settings)
    if found := source.missing():
        return DataError(*found)
    with pytest.raises(DataError) as error:
        source.read()
    return error.value


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("held", [True, False])
def test_a_folder_is_read_as_one_file_of_its_rows(parts, build, monkeypatch, ending, held):
    whole, folder = parts(ending)
    if not held:
        monkeypatch.setattr(table_file, "HELD_BYTES", 0)
    one, two, three = (
        build("data=table", f"data.path={path}", "data.target=label")[0]
        for path in (whole, folder, folder / "part-*")
    )
    for other in (two, three):
        assert other.x.equal(one.x)
        assert other.y.equal(one.y)
        assert other.spec == one.spec
        assert make_record(other).digest == make_record(one).digest
    assert two.raw.notes == ("parts is 3 files, in the order of their names",)


def test_what_lies_beside_the_files_is_said(parts):
    _, folder = parts(".csv", lambda number, part: part.iloc[: 0 if number == 1 else None])
    for name in ("_SUCCESS", ".part-0.csv.crc", "readme.md"):
        (folder / name).write_text("x")
    notes = TableSource(str(folder), "label").read().notes
    assert "part-1.csv without rows" in notes
    assert "left out beside them: .part-0.csv.crc, _SUCCESS, readme.md" in notes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda part: part.drop(columns="town"), "part-2{}: no 'town'"),
        (lambda part: part.assign(colour="red"), "part-2{}: also 'colour'"),
        (lambda part: part.rename(columns={"town": "city"}), "no 'town'; also 'city'"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_with_other_columns_is_named(parts, ending, change, said):
    _, folder = parts(ending, lambda number, part: change(part) if number == 2 else part)
    problem = refusal(folder).problems[0]
    assert problem.code == "D020"
    assert said.format(ending) in problem.got
    assert problem.file == str(folder / f"part-2{ending}")


def test_a_column_of_another_type_is_named_and_not_cast(parts):
    def change(number, part):
        return part.assign(noise=part.noise.astype(int)) if number == 1 else part

    _, folder = parts(".parquet", change)
    assert "part-1.parquet: 'noise' is int64 instead of double" in str(refusal(folder))


def test_columns_in_another_order_are_read_by_name(parts):
    whole, folder = parts(".csv", lambda number, part: part[part.columns[:: -1 if number else 1]])
    one, two = (TableFile(str(path), AUTO, True).table for path in (whole, folder))
    assert two.to_pydict() == one.to_pydict()


def test_a_later_file_is_read_with_the_separator_of_the_first(tmp_path):
    (tmp_path / "a.csv").write_text("a;b\n1;x,y\n2;z,w\n")
    (tmp_path / "b.csv").write_text("a;b\n3;u,v\n")
    assert TableFile(str(tmp_path), AUTO, True).column("b").to_pylist() == ["x,y", "z,w", "u,v"]


def test_an_empty_file_is_named(parts):
    _, folder = parts(".csv")
    (folder / "part-1.csv").write_bytes(b"")
    assert f"{folder / 'part-1.csv'} must be a table; got an empty file" in str(refusal(folder))


@pytest.mark.parametrize("target", ["label", "price"])
def test_a_cell_that_does_not_fit_is_named_by_its_file_and_its_row_there(parts, build, target):
    def change(number, part):
        if number != 1:
            return part
        part = part.astype({"noise": object})
        part.iloc[7, part.columns.get_loc("noise")] = "much"
        return part

    _, folder = parts(".csv", change)
    with pytest.raises(DataError) as error:
        build(
            "data=table",
            f"data.path={folder}",
            f"data.target={target}",
            "data.kinds={noise: number}",
        )
    (problem,) = error.value.problems
    assert (problem.file, problem.row, problem.column) == (str(folder / "part-1.csv"), 7, "noise")
    assert "part-1.csv" in problem.rule
    assert "in row 7" in problem.got


def test_a_missing_target_and_a_missing_time_are_named_by_their_file(parts):
    def change(number, part):
        part = part.assign(when=range(len(part)))
        if number == 2:
            part.iloc[3, part.columns.get_loc("label")] = None
            part.iloc[5, part.columns.get_loc("when")] = None
        return part

    _, folder = parts(".csv", change)
    (target,) = refusal(folder).problems
    assert (target.file, target.row) == (str(folder / "part-2.csv"), 3)
    assert "in rows 3 (counted from 0)" in target.got
    (time,) = refusal(folder, time="when", drop_missing_target=True).problems
    assert (time.file, time.row) == (str(folder / "part-2.csv"), 5)


def test_a_finding_names_the_file_of_its_first_cell(parts):
    def change(number, part):
        return part.assign(noise=np.inf) if number == 2 else part

    _, folder = parts(".parquet", change)
    found = inspect_table(str(folder), "label").findings
    (infinity,) = [problem for problem in found if problem.code == "D108"]
    assert "of part-2.parquet" in infinity.got
    assert infinity.file == str(folder / "part-2.parquet")


def test_inspect_looks_at_a_folder_without_a_target(parts, capsys):
    from kindling.cli.command_line import main

    _, folder = parts(".parquet")
    main(["inspect", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)["facts"]["rows"].startswith(str(ROWS))


def test_a_folder_of_images_with_a_table_of_labels_is_one_of_images(image_folder, capsys):
    from kindling.cli.command_line import main

    for place in (image_folder, image_folder / "red"):
        (place / "labels.csv").write_text("file,label\n")
    main(["inspect", str(image_folder), "--json"])
    assert json.loads(capsys.readouterr().out)["facts"]["images"].startswith("40 of 12x10")


def test_partitions_are_refused_as_their_key_would_be_lost(parts):
    _, folder = parts(".parquet")
    for year in ("2023", "2024"):
        (folder / f"year={year}").mkdir()
        (folder / "part-0.parquet").rename(folder / f"year={year}" / "a.parquet")
        (folder / "part-1.parquet").rename(folder / "part-0.parquet") if year == "2023" else None
    for path in (folder, folder / "*" / "*.parquet"):
        assert "folders year=2023, year=2024, whose names are a column" in str(refusal(path))
        (problem,) = refusal(path).problems
        assert problem.code == "D021"
    assert len(find_parts(folder / "year=2023").files) == 1


@pytest.mark.parametrize(("log", "what"), [("_delta_log", "Delta"), (".hoodie", "Hudi")])
def test_a_table_whose_log_says_what_is_valid_is_refused(parts, log, what):
    _, folder = parts(".parquet")
    (folder / log).mkdir()
    for path in (folder, folder / "*.parquet"):
        assert f"a {what} table, whose log says" in str(refusal(path))


def test_tables_in_folders_are_named_by_a_pattern(parts):
    _, folder = parts(".csv")
    (folder / "more").mkdir()
    (folder / "part-2.csv").rename(folder / "more" / "part-2.csv")
    assert "tables in more/" in str(refusal(folder))
    assert f"{folder}/**/*.csv" in refusal(folder).problems[0].do
    assert len(find_parts(f"{folder}/**/*.csv").files) == 3


def test_a_file_that_is_in_two_splits_is_named(parts):
    _, folder = parts(".csv")
    error = refusal(folder, test_path=str(folder / "part-2*"))
    assert error.problems[0].code == "D009"
    assert f"{folder / 'part-2.csv'} in data.test_path and data.path" in str(error)


def test_nothing_at_a_pattern_is_said(tmp_path):
    assert "nothing at" in str(refusal(tmp_path / "x-*.csv"))
    assert "with no table in it" in str(refusal(tmp_path))
