"""The table is found in files as other programs write them; what is left out is named."""

import gzip

import pytest

from kindling.checks.table_files import check_csv
from kindling.errors import DataError
from kindling.tables.csv_dialect import asked_dialect
from kindling.tables.formats import read_table
from tests.kindling.thinning import thin

NAMES, ROWS = ["a", "b", "y"], [["0", "5.5", "x"], ["1", "6.5", "y"], ["2", "7.5", "x"]]
TABLE = {name: [row[n] for row in ROWS] for n, name in enumerate(NAMES)}
COUNTED = {f"column_{n + 1}": cells for n, cells in enumerate(TABLE.values())}


def write(rows=ROWS, names=NAMES, separator=",", end="\n", above="", units="", tail=""):
    lines = [separator.join(row) + tail for row in ([names] if names else []) + rows]
    if units:
        lines.insert(1, units)
    return above + end.join([*lines, ""])


# name -> (content, what is read, codes of what is said)
SHAPES = {
    "plain": (write(), TABLE, []),
    "Excel's separator": (write(separator=";", above="sep=;\n"), TABLE, []),
    "Excel's separator in quotes": (write(separator="|", above='"sep=|"\r\n'), TABLE, []),
    "Excel's tab": (write(separator="\t", above="sep=\t\n"), TABLE, []),
    "World Bank": (
        write(above='"Data Source","World Indicators",\n\n"Last Updated Date","2023-05-10",\n\n')
        .replace("a,b,y", "Name,Code,1990,1991,y", 1)
        .replace("\n0", "\nx,u,0")
        .replace("\n1,", "\nz,v,1,")
        .replace("\n2,", "\nx,w,2,"),
        {
            "Name": ["x", "z", "x"],
            "Code": ["u", "v", "w"],
            "1990": TABLE["a"],
            "1991": TABLE["b"],
            "y": TABLE["y"],
        },
        ["D016"],
    ),
    "a title": (write(above="Measurements of May\n\n"), TABLE, ["D016"]),
    "a title of two cells": (write(above="Station,7\n"), TABLE, ["D016"]),
    "comments": (write(above="# logger 3.1, station 7\n# units: degC; hPa\n"), TABLE, ["D016"]),
    "a comment as wide as the table": (write(above="# a, b, c\n"), TABLE, ["D016"]),
    "per cent signs": (write(above="% made by us\n%\n"), TABLE, ["D016"]),
    "titles filled up with cells": (write(above="Report,,\n,,\n"), TABLE, ["D016"]),
    "blank lines": (write(above="\n\n").replace("\n1", "\n\n1"), TABLE, []),
    "units": (write(units="degC,hPa,"), TABLE, ["D016"]),
    "units and a description": (
        write(
            [[str(n), str(n / 2), "xyz"[n % 3]] for n in range(9)], units="cm,kg,\nlong,heavy,what"
        ),
        {"a": [*map(str, range(9))], "b": [str(n / 2) for n in range(9)], "y": [*"xyz" * 3]},
        ["D016"],
    ),
    "blanks": (write(separator="   "), TABLE, []),
    "blanks around": (write(separator="  ", above="  ").replace("\n", " \n  "), TABLE, []),
    "one blank": (write(separator=" "), TABLE, []),
    "blanks and tabs": (write(separator=" \t "), TABLE, []),
    "blanks and decimal commas": (
        write(separator="   ").replace(".", ","),
        TABLE | {"b": ["5,5", "6,5", "7,5"]},
        [],
    ),
    "blanks within quotes": (
        write(separator="  ").replace("x", '"x  1"'),
        TABLE | {"y": ["x  1", "y", "x  1"]},
        [],
    ),
    "numpy.savetxt": ("# a b\n0 5.5\n1 6.5\n2 7.5\n", {"a": TABLE["a"], "b": TABLE["b"]}, []),
    "commas and blanks": (
        write(separator=", ").replace("a, b", "a, b"),
        {name: [cells[0]] + [f"{c}" for c in cells[1:]] for name, cells in TABLE.items()},
        [],
    ),
    "separators at the end of rows": (
        write(tail=",").replace("y,\n", "y\n", 1),
        TABLE | {"unnamed 4": [""] * 3},
        ["D012"],
    ),
    "separators at all ends": (
        write(tail=";", separator=";"),
        TABLE | {"unnamed 4": [""] * 3},
        ["D012"],
    ),
    "a separator at the end of the header": (write().replace("y\n", "y,\n", 1), TABLE, []),
    "an index without a name": (
        write([[str(n + 1), *row] for n, row in enumerate(ROWS)], ["", *NAMES]),
        {"unnamed 1": ["1", "2", "3"], **TABLE},
        ["D012"],
    ),
    "R's row names": (
        write([[f'"{n + 1}"', *row] for n, row in enumerate(ROWS)], separator=" "),
        {"unnamed 1": ["1", "2", "3"], **TABLE},
        ["D012", "D019"],
    ),
    "a text of two words in each row": (
        "name\nAda Byron\nAlan Turing\n",
        {"name": ["Ada Byron", "Alan Turing"]},
        [],
    ),
    "decimal commas": (
        write(separator=";").replace(".", ","),
        TABLE | {"b": ["5,5", "6,5", "7,5"]},
        [],
    ),
    "names with commas": ("T, degC;p, hPa\n1,5;2,5\n", {"T, degC": ["1,5"], "p, hPa": ["2,5"]}, []),
    "no header": (write(names=None), COUNTED, ["D017"]),
    "no header, text alone": (
        "p,x,s\ne,x,s\np,b,s\ne,x,w\n",
        {"column_1": [*"pepe"], "column_2": [*"xxbx"], "column_3": [*"sssw"]},
        ["D017"],
    ),
    "no header, numbers alone": (
        "6,148,33.6\n1,85,26.6\n8,183,23.3\n",
        {
            "column_1": ["6", "1", "8"],
            "column_2": ["148", "85", "183"],
            "column_3": ["33.6", "26.6", "23.3"],
        },
        ["D017"],
    ),
    "wavelengths as names": (
        "400.5,401.0,401.5,y\n1.5,2,3,0\n2.5,3,4,1\n3.5,4,5,0\n",
        {"400.5": ["1.5", "2.5", "3.5"], "401.0": ["2", "3", "4"], "401.5": ["3", "4", "5"]}
        | {"y": ["0", "1", "0"]},
        ["D010"],
    ),
    "years as names": (
        "1990,1991,1992\n1.5,2,3\n2.5,3,4\n",
        {"1990": ["1.5", "2.5"], "1991": ["2", "3"], "1992": ["3", "4"]},
        ["D010"],
    ),
    "a title of as many words as cells": (
        write(separator="\t", above="Report of May\n\n"),
        TABLE,
        ["D016"],
    ),
    "comments of more words than cells": (
        "# made by a machine\n# of our own\nx\tdate 1\tdate 2\ty 3\n"
        "1\t2024-01-31 07:58 AM\t31 January\t0\n2\t2024-01-31 08:58 AM\t1 February\t1\n",
        {
            "x": ["1", "2"],
            "date 1": ["2024-01-31 07:58 AM", "2024-01-31 08:58 AM"],
            "date 2": ["31 January", "1 February"],
            "y 3": ["0", "1"],
        },
        ["D016"],
    ),
    "as many lines above as rows": (
        write(ROWS[:1], separator="|", above="# made by\n# a machine\n"),
        {name: cells[:1] for name, cells in TABLE.items()},
        ["D016"],
    ),
    "decimal commas between blanks": (
        "a b y\n0,5 1,5 2,5\n1,5 2,5 3,5\n2,5 0,5 1,5\n",
        {"a": ["0,5", "1,5", "2,5"], "b": ["1,5", "2,5", "0,5"], "y": ["2,5", "3,5", "1,5"]},
        [],
    ),
    "mixed line ends": (write().replace("\n", "\r\n", 2), TABLE, []),
    "a word where all others are numbers is a row": (
        write().replace("5.5", "many"),
        TABLE | {"b": ["many", "6.5", "7.5"]},
        [],
    ),
}


@pytest.mark.parametrize("encode", thin(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gzip"], 5))
@pytest.mark.parametrize("name", SHAPES)
def test_a_table_is_found_and_what_is_left_out_is_named(tmp_path, name, encode):
    content, table, codes = SHAPES[name]
    data = gzip.compress(content.encode()) if encode == "gzip" else content.encode(encode)
    (tmp_path / "t.csv").write_bytes(data)
    read = read_table(tmp_path / "t.csv").to_pydict()
    assert {key: [cell.strip() for cell in cells] for key, cells in read.items()} == table
    found = check_csv(tmp_path / "t.csv", list(table))
    assert sorted(problem.code for problem in found) == codes


# (content, what was typed, what is read)
OPTIONS = {
    "skip": (write(above="a,title,too\n"), {"skip": "1"}, TABLE),
    "skip nothing": ("x\na,b\n1,2\n", {"skip": "0"}, None),
    "comment": (write().replace("\n1", "\n# 3,4,5\n#\n1"), {"comment": "#"}, TABLE),
    "comment with quotes": (write().replace("\n1", '\n#,"open\n1'), {"comment": "#"}, TABLE),
    "comment of two signs": (write(above="//x\n"), {"comment": "//"}, TABLE),
    "no comment within quotes": (
        'a,b\n"1\n#2",3\n# 4,5\n6,7\n',
        {"comment": "#"},
        {"a": ["1\n#2", "6"], "b": ["3", "7"]},
    ),
    "no header": (
        "1,2\n3,4\n",
        {"header": "false"},
        {"column_1": ["1", "3"], "column_2": ["2", "4"]},
    ),
    "a header": ("1.5,x\n2,x\n3,x\n", {"header": "true"}, {"1.5": ["2", "3"], "x": ["x", "x"]}),
    "units": (write(units="degC,hPa,x"), {"units": "1"}, TABLE),
    "no units": (
        write(units="degC,hPa,"),
        {"units": "0"},
        {"a": ["degC", *TABLE["a"]], "b": ["hPa", *TABLE["b"]], "y": ["", *TABLE["y"]]},
    ),
    "blanks": (write(separator="  "), {"separator": " "}, TABLE),
    "blanks as pandas says it": (write(separator="  "), {"separator": r"\s+"}, TABLE),
    "comments between blanks": (
        write(separator="  ").replace("\n1", "\n# x\n1"),
        {"separator": " ", "comment": "#"},
        TABLE,
    ),
    "a decimal comma is no separator": (
        "a|b\n1,5|2,5\n",
        {"decimal": ","},
        {"a": ["1,5"], "b": ["2,5"]},
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_typed_has_the_last_word(tmp_path, name):
    content, typed, table = OPTIONS[name]
    (tmp_path / "t.csv").write_text(content)
    dialect = asked_dialect(typed, "--csv ")
    if table is None:
        with pytest.raises(DataError):
            read_table(tmp_path / "t.csv", dialect)
    else:
        assert read_table(tmp_path / "t.csv", dialect).to_pydict() == table
