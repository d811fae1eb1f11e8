import numpy as np
import pandas as pd
import pytest

from kindling.errors import DataError
from kindling.fixes import Setting
from kindling.tables.source import TableSource


def source(path, target="label", test_path=None, **changes):
    given = {"test_path": str(test_path)} if test_path else {}
    return TableSource(str(path), target, **given, **changes)


def columns_of(raw):
    return list(raw.x[0].names)


def test_csv_and_parquet_are_the_same_table(build, table_csv, tmp_path):
    pd.read_csv(table_csv).to_parquet(tmp_path / "table.parquet")
    words = ["data=table", "data.target=label"]
    (one, *_), (two, *_) = (
        build(*words, f"data.path={file}") for file in (table_csv, tmp_path / "table.parquet")
    )
    assert one.spec == two.spec
    assert one.x.equal(two.x)
    assert one.y.equal(two.y)


def test_ignored_columns_and_the_target_are_no_features(table_csv):
    raw = source(table_csv, ignore=("noise", "price")).read()
    assert columns_of(raw) == ["size", "new", "town"]


def test_a_test_file_gives_the_test_rows(table_csv, tmp_path):
    pd.read_csv(table_csv).head(10).to_csv(tmp_path / "test.csv", index=False)
    raw = source(table_csv, test_path=tmp_path / "test.csv").read()
    assert raw.given["test"].tolist() == list(range(64, 74))
    assert raw.names[64:].tolist() == list(range(10))  # rows count anew in their own file


def test_rows_without_a_target_are_refused_or_left_out(table_csv, tmp_path):
    frame = pd.read_csv(table_csv)
    frame.loc[[2, 5], "label"] = None
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    with pytest.raises(DataError, match=r"2 missing, in rows 2, 5"):
        source(tmp_path / "gaps.csv").read()
    raw = source(tmp_path / "gaps.csv", drop_missing_target=True).read()
    assert len(raw.y) == 62
    assert raw.names[:4].tolist() == [0, 1, 3, 4]
    assert raw.notes == ("2 rows without label left out",)


def test_absent_columns_get_the_nearest_name(table_csv):
    with pytest.raises(DataError, match="did you mean 'label'") as caught:
        source(table_csv, "lable", ignore=("nois",)).read()
    assert len(caught.value.problems) == 2


def test_a_table_of_nothing_but_the_target_is_refused(table_csv):
    others = tuple(name for name in pd.read_csv(table_csv) if name != "label")
    with pytest.raises(DataError, match="a column to learn from"):
        source(table_csv, ignore=others).read()


def test_the_target_cannot_be_ignored(table_csv):
    with pytest.raises(DataError, match="the target cannot be left out") as caught:
        source(table_csv, ignore=("label",)).read()
    assert caught.value.problems[0].fix == Setting("data.ignore", [])


def test_a_header_alone_is_no_table(table_csv):
    pd.read_csv(table_csv).head(0).to_csv(table_csv, index=False)
    with pytest.raises(DataError, match="must have rows"):
        source(table_csv).read()


def test_another_separator_is_suspected(tmp_path):
    (tmp_path / "slashes.csv").write_text("a/b/y\n1/2/3\n")
    with pytest.raises(DataError, match="what separates columns there"):
        source(tmp_path / "slashes.csv", "y").read()


def test_as_many_classes_as_rows_are_refused(table_csv):
    with pytest.raises(DataError, match=r"64 classes in 64 rows.*data.task=regression"):
        source(table_csv, "noise", task="classification").read()


def test_the_rows_learnt_from_are_no_test_set(table_csv):
    assert "split rows off" in source(table_csv, test_path=table_csv).missing()[0].do


def test_a_column_missing_from_the_test_file_is_named(build, table_csv, tmp_path):
    pd.read_csv(table_csv).drop(columns="town").to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DataError, match=r"a column 'town' must be in .*test.csv"):
        build_with_test(build, table_csv, tmp_path / "test.csv")


def test_an_id_missing_from_the_test_file_is_not_missed(build, table_csv, tmp_path):
    frame = pd.read_csv(table_csv)
    frame.assign(id=range(64)).to_csv(table_csv, index=False)
    frame.to_csv(tmp_path / "test.csv", index=False)
    data, _, _ = build_with_test(build, table_csv, tmp_path / "test.csv")
    assert data.split["test"].tolist() == list(range(64, 128))


def test_text_in_a_column_of_numbers_of_the_test_file_is_pointed_at(build, table_csv, tmp_path):
    frame = pd.read_csv(table_csv, dtype=object)
    frame.loc[4, "noise"] = "n/k"
    frame.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DataError, match=r"'noise' of .*test.csv.*'n/k' in row 4"):
        build_with_test(build, table_csv, tmp_path / "test.csv")


def build_with_test(build, path, test_path):
    words = ["data=table", "data.target=label", f"data.path={path}", f"data.test_path={test_path}"]
    return build(*words)


def test_text_target_given_as_regression_is_pointed_at(table_csv):
    with pytest.raises(DataError, match=r"data\.task=classification"):
        source(table_csv, task="regression").read()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n3,4,5\n", "\x00\x01\n"])
def test_what_is_no_table_is_refused(tmp_path, content):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(DataError):
        source(tmp_path / "bad.csv", "a").read()


def test_a_missing_file_is_named_with_its_neighbour(table_csv, tmp_path):
    problem = source(tmp_path / "tabel.csv").missing()[0]
    assert "there is table.csv" in problem.got
    assert source(table_csv).missing() == []


def test_odd_column_names_work(tmp_path):
    rng = np.random.default_rng(0)
    names = ["price in EUR (2019)", "index", "x", "target", 'a "b" \N{SNOWMAN}', "3"]
    frame = pd.DataFrame(rng.normal(size=(30, 6)), columns=names)
    frame.to_csv(tmp_path / "odd.csv", index=False)
    raw = source(tmp_path / "odd.csv", names[0]).read()
    assert columns_of(raw) == names[1:]
