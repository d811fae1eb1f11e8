"""Tables with one fault each, written as people write them; the columns are a, b, c and y."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 120
RNG = np.random.default_rng(0)
GOOD = pd.DataFrame(
    {
        "a": RNG.normal(size=ROWS).round(3),
        "b": RNG.normal(size=ROWS).round(3),
        "c": RNG.choice(["red", "green", "blue"], ROWS),
        "y": RNG.choice(["yes", "no"], ROWS),
    }
)

Make = Callable[[Path], Path]


class Case(NamedTuple):
    """A writer of the file; code, place and fix of what is said of it; what else is typed.

    A code of "" stands for a file of which nothing grave is to be said.
    """

    make: Make
    code: str = ""
    place: str = ""
    fix: str = ""
    overrides: tuple[str, ...] = ()


def csv(change=None, **columns) -> Make:
    """Make a writer of the good table with these columns in place of its own."""

    def make(folder: Path) -> Path:
        frame = GOOD.assign(**columns)
        if change:
            frame = change(frame)
        frame.to_csv(folder / "bad.csv", index=False)
        return folder / "bad.csv"

    return make


def parquet(**columns) -> Make:
    def make(folder: Path) -> Path:
        table = pa.Table.from_pandas(GOOD)
        for name, cells in columns.items():
            kept = [n for n in table.column_names if n != name]
            table = table.select(kept).append_column(name, pa.array(cells))
        pq.write_table(table, folder / "bad.parquet")
        return folder / "bad.parquet"

    return make


def twins(folder: Path) -> Path:
    """Write a column twice, as only some programs do."""
    table = pa.Table.from_pandas(GOOD)
    pq.write_table(table.append_column("a", table.column("b")), folder / "bad.parquet")
    return folder / "bad.parquet"


def renamed(make: Make, name: str) -> Make:
    return lambda folder: make(folder).rename(folder / name)


def raw(content: str | bytes, name: str = "bad.csv") -> Make:
    def make(folder: Path) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        return folder / name

    return make


def text(change: Callable[[str], str]) -> Make:
    """Make a writer of the good table as text, after a change to it."""
    return raw(change(GOOD.to_csv(index=False)))


def cells(values, *more, fill=None):
    """Return ROWS cells: these, then `fill` or these again."""
    values = [*values, *more]
    rest = [fill if fill is not None else values[k % len(values)] for k in range(ROWS)]
    return [*values, *rest][:ROWS]


NUMBERS = [str(k / 7) for k in range(ROWS)]
SECONDS = [10**11 + 7919 * k**2 for k in range(ROWS)]  # too many for a count of nanoseconds
LETTERS = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "KLMNOPQRSTUV"]

CASES: dict[str, Case] = {
    # files
    "empty": Case(raw(""), "D002", "an empty file", "give a CSV file with a header"),
    "header only": Case(raw("a,b,c,y\n"), "D008", "a header only", "give rows"),
    "half a letter of utf-16": Case(
        raw(b"\xff\xfea\x00,\x00\n"),
        "D004",
        "in line 1",
        "data.csv.encoding=latin-1",
    ),
    "gzip that is cut": Case(
        raw(gzip.compress(b"a,y\n1,n\n")[:-9]),
        "D003",
        "ended before",
        "give a CSV file with a header",
    ),
    "parquet that is none": Case(
        raw(b"PAR1 nothing"),
        "D003",
        "must be a table",
        "give a CSV file with a header",
    ),
    "binary named csv": Case(
        raw(b"a,b\x00\x01\x02,y\n"), "D003", "bytes that are no text", "save it as CSV or Parquet"
    ),
    "excel named csv": Case(
        raw(b"PK\x03\x04rest"), "D003", "a zip or Excel file", "save it as CSV or Parquet"
    ),
    "late latin-1 byte": Case(
        raw(b"a,y\n" + b"1,n\n2,j\n" * 80_000 + b"\xe9,n\n"),
        "D004",
        "in line 160002",
        "data.csv.encoding=latin-1",
    ),
    "late latin-1 byte in a row that is too long": Case(
        raw(b"a,y\n" + b"1,n\n2,j\n" * 80_000 + b"\xe9,n,n\n"),
        "D004",
        "b'\\xe9' in line 160002",
        "data.csv.encoding=latin-1",
    ),
    "ragged": Case(
        text(lambda t: t + "1,2\n1,2,3,4,5\n"),
        "D005",
        "2 in line 122, 5 in line 123",
        "data.csv.separator=...",
    ),
    "every row one longer": Case(
        text(lambda t: t.replace("\n", ",0\n").replace("y,0", "y")),
        "D005",
        "5 in line 6 and 115 more such rows",
        "name the first column in the header",
    ),
    "unclosed quote": Case(
        text(lambda t: t + '1,"2,3,yes\n1,2,red,no\n'),
        "D006",
        "never ends",
        "close it, or type \"data.csv.quote='^'\" if",
    ),
    "euro signs of a spreadsheet": Case(
        raw(GOOD.assign(c=[f"{k},5 €" for k in range(ROWS)]).to_csv(index=False).encode("cp1252")),
        "D113",
        ",5 €' in row",
        "data.kinds={c: category}",
    ),
    "long cell": Case(text(lambda t: t + "1,2," + "word " * 30_000 + ",no\n")),
    "unclosed quote in a large file": Case(
        text(lambda t: t + '1,"2,3,yes\n' + "1,2,red,no\n" * 300_000),
        "D006",
        "opens in line 122",
        "close it, or type \"data.csv.quote='^'\" if",
    ),
    "row that is too long": Case(
        text(lambda t: t + "1,2," + "word " * 600_000 + ",no\n" + '"1""",2,red,no\n'),
        "D015",
        "begins in line 122",
        "save the table as Parquet",
    ),
    "two names alike": Case(
        text(lambda t: t.replace("a,b", "a,a", 1)), "D007", "'a' 2 times", "rename them in the file"
    ),
    "no header": Case(
        raw("".join(f"{k},{k * 3 % 11},{k * 7 % 5}\n" for k in range(1, 99))),
        "D010",
        "numbers: 1, 3, 2",
        "put a line with names above it",
        ("data.target='3'",),
    ),
    "latin-1": Case(
        raw(GOOD.assign(c="grün").to_csv(index=False).encode("latin-1")),
        "D011",
        "read as cp1252",
        "data.csv.encoding=... if letters look odd",
    ),
    "trailing comma": Case(
        text(lambda t: t.replace("\n", ",\n")), "D012", "unnamed 5", "name them in the first line"
    ),
    "names alike": Case(
        csv(**{"A ": GOOD.b}), "D013", "'a' and 'A'", "rename them if they are one"
    ),
    "wrong separator": Case(
        raw("a/b/y\n1/2/3\n"),
        "D101",
        "a column 'y' must be in",
        "what separates columns there",
    ),
    "two names alike in parquet": Case(twins, "D007", "'a' 2 times", "rename them in the file"),
    "utf-16": Case(raw(GOOD.to_csv(index=False).encode("utf-16"))),
    "parquet named csv": Case(renamed(parquet(), "bad.csv")),
    "csv named parquet": Case(renamed(csv(), "bad.parquet")),
    "byte order mark": Case(raw(b"\xef\xbb\xbf" + GOOD.to_csv(index=False).encode())),
    # columns
    "renamed target": Case(
        csv(lambda f: f.rename(columns={"y": "why"})),
        "D101",
        "a column 'y' must be in",
        "did you mean",
    ),
    "nothing but ids": Case(
        csv(lambda f: f[["a", "y"]], a=range(ROWS)),
        "D102",
        "a (id: ",
        "'data.kinds={a: number}'",
    ),
    "nothing but the target": Case(
        csv(lambda f: f[["y"]]), "D102", "none in", "type data.csv.separator=..."
    ),
    "text among numbers": Case(
        csv(a=["4O", *NUMBERS[1:]]),
        "D103",
        "'4O' in row 0",
        "data.ignore=[a]",
    ),
    "thousands of bad cells": Case(
        csv(a=[*NUMBERS[:112], *["bad"] * 8]),
        "D103",
        "8 such cells in all",
        "data.ignore=[a]",
    ),
    "no such kind": Case(
        csv(), "D104", "data.kinds.a", "choose from number", ("data.kinds={a: text}",)
    ),
    "kind for lists": Case(
        parquet(a=[[k] for k in range(ROWS)]),
        "D104",
        "cells of type list<",
        "make columns of their parts",
        ("data.kinds={a: category}",),
    ),
    "constant": Case(csv(a="x"), "D105", "constant", "nothing, while all rows have the same"),
    "counter": Case(csv(a=range(ROWS)), "D105", "id (", "number}' to take it in"),
    "as many categories as rows": Case(
        csv(a=LETTERS), "D105", "id (", "nothing: next to no two rows have the same"
    ),
    "free text": Case(
        csv(a=[f"a long text with number {k}" for k in range(ROWS)]),
        "D105",
        "text",
        "nothing: next to no two rows have the same",
    ),
    "long ids": Case(
        csv(a=[str(2**60 + 977 * k) for k in range(ROWS)]),
        "D105",
        "id (",
        "nothing: next to no two rows have the same",
    ),
    "all missing": Case(csv(a=None), "D106", "none in 84 cells: left out", "data.ignore=[a]"),
    "nothing but nan": Case(parquet(a=[np.nan] * ROWS), "D106", "left out", "data.ignore=[a]"),
    "nothing but infinity": Case(
        parquet(a=[np.inf, -np.inf] * (ROWS // 2)), "D106", "left out", "data.ignore=[a]"
    ),
    "nearly constant": Case(
        csv(lambda f: pd.concat([f, *[f.iloc[1:]] * 19]), a=["z", *["x"] * (ROWS - 1)]),
        "D107",
        "'x' in 1,666 of 1,667 cells",
        "nothing, or type 'data.ignore=[a]'",
    ),
    "nearly empty": Case(
        csv(lambda f: pd.concat([f, *[f.iloc[1:]] * 19]), a=["z", *[None] * (ROWS - 1)]),
        "D107",
        "nothing in 1,666 of 1,667 cells",
        "data.ignore=[a]",
    ),
    "infinity": Case(
        csv(a=["inf", "-Infinity", *NUMBERS[2:]]),
        "D108",
        "infinity in 1 of 84 cells, the first in row 1",
        "correct the cells or empty them",
    ),
    "infinity as a float": Case(
        parquet(a=[np.inf, -np.inf, *GOOD.a[2:]]),
        "D108",
        "infinity in 1 of 84 cells, the first in row 1",
        "correct the cells or empty them",
    ),
    "too large for float32": Case(
        csv(a=cells([1e300, 2.5, 3.5])),
        "D109",
        "1e+300 in row 0",
        "data.ignore=[a]",
    ),
    "question marks": Case(
        csv(a=cells(["?", "1.5", "2", "3"])),
        "D110",
        "'?' in 22 of 84 cells, the first in row 4",
        "nothing, if that is right",
    ),
    "country code NA": Case(
        csv(c=cells(["NA", "DE", "FR", "US"])),
        "D111",
        "'NA' in 22 of 84 cells, the first in row 4: taken for a category",
        "data.csv.missing=[NA]",
    ),
    "None as a category": Case(
        csv(c=cells(["None", "wood", "gas"])),
        "D111",
        "'None' in 27 of 84 cells, the first in row 3: taken for a category",
        "data.csv.missing=[None]",
    ),
    "mixed words and numbers": Case(
        csv(c=cells(["1", "two", "three"])),
        "D112",
        "numbers in ",
        "data.csv.missing=[two",
    ),
    "mixed int and str cells": Case(
        csv(c=cells([1, "two", 3])),
        "D129",
        "numbers in 58 of 84 cells, the first in row 2",
        "data.csv.missing=[two",
    ),
    "decimal comma": Case(
        csv(a=[n.replace(".", ",") for n in NUMBERS]),
        "D113",
        "'0,14285714285714285' in row 1 read as 0.142857",
        "data.kinds={a: category}",
    ),
    "thousands": Case(
        csv(a=cells(["1,234", "2,500", "12,000"])),
        "D113",
        "'2,500' in row 1 read as 2500",
        "data.kinds={a: category}",
    ),
    "thousands or thousandths": Case(
        csv(lambda f: f[["a", "c", "y"]], a=cells(["138.185", "82.521", "7.250"])),
        "D124",
        "'82.521' in row 1 read as 82.521, with a decimal point",
        "data.csv.decimal=','",
    ),
    "a currency": Case(
        csv(a=cells(["EUR 5", "EUR 7.50", "EUR 1,000"])),
        "D113",
        "'EUR 7.50' in row 1 read as 7.5",
        "data.kinds={a: category}",
    ),
    "ambiguous dates": Case(
        csv(a=cells(["01/02/2024", "03/04/2024"])),
        "D114",
        "'03/04/2024' in row 1 read as 2024-03-04",
        "%d/%m/%Y",
    ),
    "leading zeros": Case(
        csv(a=cells(["007", "010", "123"])),
        "D115",
        "'010' in row 1: taken as categories",
        "'data.kinds={a: number}'",
    ),
    "large integers": Case(
        csv(a=cells([2**53 + 2, 2**55, 7])),
        "D116",
        "53 of 84 cells, the first in row 1",
        "type 'data.kinds={a: category}' if they are codes, or type 'data.ignore=[a]'",
    ),
    "durations": Case(
        parquet(a=pd.to_timedelta(range(ROWS), unit="h")), "D119", "as seconds", "nothing"
    ),
    "long durations": Case(
        parquet(a=pa.array(SECONDS, pa.duration("s"))), "D119", "seconds", "nothing"
    ),
    "times of the day": Case(
        parquet(a=pa.array([7 * k**2 % 86_400 for k in range(ROWS)], pa.time32("s"))),
        "D119",
        "seconds",
        "nothing",
    ),
    "bytes": Case(
        parquet(a=[b"\xff%d" % k for k in range(ROWS)]),
        "D120",
        "left out",
        "make columns of their parts",
    ),
    "per cent": Case(
        csv(a=[f"{n:.4}%" for n in NUMBERS]),
        "D113",
        "'0.14%' in row 1 read as 0.14",
        "data.kinds={a: category}",
    ),
    "a form of dates that is not known": Case(
        csv(c=[f"{k % 28 + 1}. Januar {2000 + k}" for k in range(ROWS)]),
        "D125",
        " Januar 20",
        "data.dates={c: '%d. %B %Y'}",
    ),
    "times of the day as text": Case(
        csv(c=[f"{k % 24}:{k % 60:02}" for k in range(ROWS)]),
        "D125",
        "a form that is not known",
        "data.dates={c: '%H:%M'}",
    ),
    "no pattern of dates": Case(
        csv(),
        "D126",
        "dd.mm.yyyy",
        "data.dates={c: '%d.%m.%Y'}",
        ("data.dates={c: dd.mm.yyyy}",),
    ),
    "dates that stand for none": Case(
        csv(c=cells(["9999-12-31", *(f"2021-{k:02}-17" for k in range(1, 13))])),
        "D127",
        "'9999-12-31' in row 13",
        "nothing, if no date is known there",
    ),
    "a date far from all others": Case(
        csv(c=["2021-01-17", "2021-02-17", "2021-03-17", "8888-08-08"] + ["2021-04-17"] * 116),
        "D127",
        "'8888-08-08' in row 3",
        "data.ignore=[c]",
    ),
    "a number of which each category is rare": Case(
        csv(c=[str(1500 + k) for k in range(ROWS)]),
        "D128",
        "all are one to the network",
        "data.kinds={c: number}",
        ("data.kinds={c: category}",),
    ),
    "numbers and words": Case(
        csv(c=["tbd", "soon", *NUMBERS[2:80], *["later"] * 40]),
        "D129",
        "words such as ",
        "data.csv.missing=[",
    ),
    "one code among numbers": Case(
        csv(c=["07" if k % 15 == 0 else str(100 + 20 * k) for k in range(ROWS)]),
        "D129",
        "'07' in row ",
        "data.kinds={c: number}",
    ),
    "zones in some times": Case(
        csv(c=cells(["2021-01-03T10:00:00", "2021-01-04T10:00:00Z", "2021-01-05T10:00:00Z"])),
        "D130",
        "each is read by its own clock",
        "write them in one zone",
    ),
    "a year": Case(csv(c=[str(1900 + k) for k in range(ROWS)])),
    "kilograms": Case(
        csv(a=cells(["5 kg", "7.50 kg", "1,000 kg"])),
        "D121",
        "'7.50 kg' in row 1: taken for category",
        "data.kinds={a: number}",
    ),
    "lists": Case(
        parquet(a=[[k] for k in range(ROWS)]), "D120", "left out", "make columns of their parts"
    ),
    "dicts": Case(
        parquet(a=[{"k": k} for k in range(ROWS)]),
        "D120",
        "left out",
        "make columns of their parts",
    ),
    "missing cells": Case(
        csv(a=cells([None, 0.5, 1.5]), c=cells([None, "red", "blue", "green"])),
        "D122",
        "27 of 'a', 22 of 'c', in 84 rows",
        "fill them in",
    ),
    # what is ordinary, though not plain
    "whole numbers with gaps": Case(parquet(a=pa.array([None, *range(9, ROWS + 8)], pa.int64()))),
    "true and false": Case(csv(a=[k % 3 == 0 for k in range(ROWS)])),
    "booleans with gaps": Case(parquet(a=cells([True, False, None, True]))),
    "dates": Case(csv(a=pd.date_range("2019-12-30", periods=ROWS, freq="7h"))),
    "names of all sorts": Case(
        csv(
            lambda f: f.rename(
                columns={"a": "price in EUR (2019)", "b": "index", "c": 'x "🐧", y'}
            ),
            target=cells(["p", "q"]),
        )
    ),
    "codes that begin with a number": Case(csv(c=cells(["1Story", "2Story", "1.5Fin", "2nd"]))),
    # target
    "a class called None": Case(
        csv(y=cells(["None", "Apnea", "Insomnia"])),
        "D214",
        "'None' in row 0, 40 of 120 cells",
        "type 'data.csv.missing=[None]' data.drop_missing_target=true if",
    ),
    "missing target": Case(
        csv(y=cells([None, "yes", "no"])),
        "D201",
        "missing, in rows 0",
        "data.drop_missing_target=true",
    ),
    "text as a quantity": Case(
        csv(),
        "D202",
        "'yes' in row 0 (counted from 0), 120 such cells in all",
        "data.task=classification",
        ("data.task=regression",),
    ),
    "no target at all": Case(
        csv(y=None),
        "D201",
        "120 missing",
        "data.drop_missing_target=true",
        ("data.task=regression",),
    ),
    "target too large": Case(
        csv(y=[*NUMBERS[:-1], "1e39"]),
        "D203",
        "1e+39 in row 119",
        "correct these rows, or take them out",
    ),
    "infinite target": Case(
        parquet(y=[np.inf, *range(1, ROWS)]),
        "D203",
        "row 0",
        "correct these rows, or take them out",
    ),
    "quantity as classes": Case(
        csv(y=NUMBERS),
        "D204",
        "120 classes in 120 rows",
        "data.task=regression",
        ("data.task=classification",),
    ),
    "one class": Case(csv(y="yes"), "D205", "at least two values", "type data.target=..."),
    "class with one row": Case(
        csv(y=["rare", *GOOD.y[1:]]),
        "D207",
        "'rare'",
        "give more rows of it, or join it with another",
    ),
    "labels alike": Case(
        csv(y=cells(["yes", "Yes ", "no"])),
        "D208",
        "'Yes' and 'yes'",
        "write them alike if they are one",
    ),
    "labels with spaces": Case(
        csv(y=cells(["yes", "no", " no "])),
        "D211",
        "spaces in 40 of 120 cells, the first in row 2",
        "nothing, or write them without",
    ),
    "lists as a target": Case(
        parquet(y=[[k] for k in range(ROWS)]), "D212", "list<", "type data.target=..."
    ),
    "bytes as a target": Case(
        parquet(y=[b"\xff"] * ROWS), "D212", "type binary", "type data.target=..."
    ),
    "no logarithm": Case(
        csv(y=[f"{float(n) - 5:.3f}" for n in NUMBERS]),
        "D213",
        "-5 in row 0",
        "type data.target_transform=none",
        ("data.target_transform=log1p",),
    ),
    "decimal comma in the target": Case(
        csv(y=[f"{float(n) ** 2:.3f}".replace(".", ",") for n in NUMBERS]),
        "D113",
        "'0,000' in row 0 read as 0",
        "data.task=classification",
    ),
    "target in a feature": Case(
        csv(b=(GOOD.y == "yes") * 2.0),
        "D209",
        "'b' alone explains",
        "data.ignore=[b]",
    ),
    "quantity in a feature": Case(
        csv(y=NUMBERS, b=[f"{2 * float(n) + 1:.3f}" for n in NUMBERS]),
        "D209",
        "'b' alone explains",
        "data.ignore=[b]",
    ),
    "target ignored": Case(
        csv(), "D210", "'y' in data.ignore", "data.ignore=[]", ("data.ignore=[y]",)
    ),
    # rows
    "two rows": Case(
        csv(lambda f: f.iloc[[0, 1, 2]].assign(y=["a", "b", "a"])),
        "D301",
        "at least one",
        "give more rows or change data.val_fraction",
    ),
    "folds and time": Case(
        csv(), "D302", "folds mix", "leave one of them out", ("data.fold=0", "data.time=a")
    ),
    "no time": Case(
        csv(a=cells([None, "1.5", "2"])),
        "D304",
        "data.time=a",
        "fill them in, or take another column",
        ("data.time=a",),
    ),
    "lists as a group": Case(
        parquet(a=[[1]] * ROWS), "D307", "list<", "take another column", ("data.group=a",)
    ),
    "rows in train and test": Case(
        csv(lambda f: pd.concat([f, f])),
        "D305",
        "with the same target",
        "take one of each pair out, or type data.group=... to keep them toge",
    ),
    "rows twice": Case(
        csv(lambda f: pd.concat([f, f.head(9)])),
        "D306",
        "repeat another",
        "nothing, or take them out",
    ),
}
