import gzip

import pytest

from kindling.errors import ConfigError, DataError
from kindling.fixes import Setting
from kindling.tables import csv_reader
from kindling.tables.csv_dialect import Dialect, asked_dialect
from kindling.tables.formats import read_table

TABLE = {"a": ["1", "3"], "b": ["x", "y"]}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, **dialect):
        file = tmp_path / "table.csv"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(file, Dialect(**dialect)).to_pydict()

    return write_and_read


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_seen(read, separator, end):
    assert read(end.join(["a,b", "1,x", "3,y", ""]).replace(",", separator)) == TABLE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_seen(read, encoding):
    assert read("ä,b\nü,x\n".encode(encoding)) == {"ä": ["ü"], "b": ["x"]}


def test_the_user_can_say_how_a_file_is_written(read):
    assert read("a;b\n'1;2';x\n", separator=";", quote="'") == {"a": ["1;2"], "b": ["x"]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("separator", value) for value in ("ab", "", "\n", "é")),
        *(("encoding", value) for value in ("base64", "zip", "no-such", "", "\0", "undefined")),
        *(("quote", value) for value in ("", "''", "\n", "auto")),
        *(("decimal", value) for value in ("", "comma", ".,")),
    ],
)
def test_what_no_file_can_have_is_a_fault_of_what_was_typed(key, value):
    with pytest.raises(ConfigError) as caught:
        asked_dialect({key: value}, "data.csv.")
    (problem,) = caught.value.problems
    assert problem.rule.startswith(f"data.csv.{key} must be ")
    assert problem.fix == Setting(f"data.csv.{key}")


def test_words_for_missing_values_are_a_list_wherever_they_are_typed():
    for typed in ("[none,-999, a b]", ["none", -999, "a b"]):
        assert asked_dialect({"missing": typed}, "").missing == ("none", "-999", "a b")
    assert asked_dialect({"missing": "none"}, "").missing == ("none",)
    assert asked_dialect({"missing": "[]"}, "").missing == ()


def test_a_decimal_sign_is_no_separator():
    assert Dialect(separator=",", decimal=",").faults().keys() == {"decimal"}


def test_a_quote_is_no_separator():
    assert Dialect(separator="'", quote="'").faults().keys() == {"quote"}


def test_a_tab_can_be_typed(read):
    assert read("a\tb\n1\tx\n3\ty\n", separator=r"\t") == TABLE


def test_gzip_is_unpacked(read):
    assert read(gzip.compress(b"a,b\n1,x\n3,y\n")) == TABLE


def test_cells_stay_text(read):
    assert read("a,b\n007,NA\n1.0,\n") == {"a": ["007", "1.0"], "b": ["NA", ""]}


def test_quoted_cells_may_hold_separators_lines_and_quotes(read):
    assert read('"a\nq",b\n"1,2","say ""hi""\nyou"\n') == {"a\nq": ["1,2"], "b": ['say "hi"\nyou']}


def test_in_utf_16_a_minus_sign_is_no_quote(read):
    content = '\ufeffa,b\n\u22121,"x\ny"\n'  # U+2212 has the byte 0x22
    assert read(content.encode("utf-16-le")) == {"a": ["\u22121"], "b": ["x\ny"]}


def test_a_name_that_is_missing_is_made(read):
    assert list(read(",b,\n0,1,\n")) == ["unnamed 1", "b", "unnamed 3"]


def test_a_comma_within_semicolons_is_no_separator(read):
    assert read("a;b\n1,5;2,5\n") == {"a": ["1,5"], "b": ["2,5"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "an empty file"),
        ("a,b\n1,2\n3\n4,5,6\n", "1 in line 3, 3 in line 4"),
        ("a,b\n1,2,3\n1,2,3\n", "name the first column in the header"),
        ('a,b\n1,"2\n3,4\n', "never ends"),
        ("a,a\n1,2\n", "'a' 2 times"),
        (b"PK\x03\x04....", "a zip or Excel file"),
        (b"\x00\x01\x02", "bytes that are no text"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "ended before"),
        (b"PAR1 and nothing else", "must be a table"),
    ],
)
def test_what_is_no_table_is_refused(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_late_byte_that_is_no_utf8_is_refused_with_the_way_out(read):
    with pytest.raises(DataError, match=r"data\.csv\.encoding=latin-1"):
        read(b"a,b\n" + b"1,2\n" * 100_000 + b"\xe9,2\n")


def test_a_row_may_be_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 100)
    row = [*map(str, range(10**6, 10**6 + 300))]
    (tmp_path / "wide.csv").write_text("\n".join([",".join(f"c{n}" for n in row), ",".join(row)]))
    assert [*read_table(tmp_path / "wide.csv").to_pylist()[0].values()] == row


@pytest.mark.parametrize(
    ("content", "fix", "got"),
    [
        ("Station,7\na,b,c\nx,u,v\ny,u,w\nx,p,v\n", "data.csv.skip=1 if line 2 is", "3 in line 2"),
        (
            "a,b,y\n1,2,3\n\n# note\n4,5,6\n#\n",
            "\"data.csv.comment='#'\"",
            "1 in line 4, 1 in line 6",
        ),
        ('a,b\n"1\n\n1",2\n3\n', "data.csv.separator=...", "1 in line 5"),
        ("a,b,c,d\n1,2\n3,4\n5,6\n", "data.csv.skip=1", "most rows have 2 cells, from line 2 on"),
    ],
)
def test_rows_that_do_not_fit_are_found_by_line_and_a_fix_is_guessed(read, content, fix, got):
    with pytest.raises(DataError) as caught:
        read(content)
    (problem,) = caught.value.problems
    assert problem.code == "D005"
    assert got in problem.got
    assert fix in problem.do
