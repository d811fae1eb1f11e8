"""Tables with one fault each, written as people write them; the columns are a, b, c and y."""

import gzip
from collections.abc import Callable
from pathlib import Path

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

# case -> (writer, code, what the message must say, overrides)
CASES: dict[str, tuple[Make, str, str, tuple[str, ...]]] = {
    # files
    "empty": (raw(""), "D002", "an empty file", ()),
    "header only": (raw("a,b,c,y\n"), "D008", "a header only", ()),
    "half a letter of utf-16": (raw(b"\xff\xfea\x00,\x00\n"), "D004", "in line 1", ()),
    "gzip that is cut": (raw(gzip.compress(b"a,y\n1,n\n")[:-9]), "D003", "ended before", ()),
    "parquet that is none": (raw(b"PAR1 nothing"), "D003", "must be a table", ()),
    "binary named csv": (raw(b"a,b\x00\x01\x02,y\n"), "D003", "bytes that are no text", ()),
    "excel named csv": (raw(b"PK\x03\x04rest"), "D003", "a zip or Excel file", ()),
    "late latin-1 byte": (
        raw(b"a,y\n" + b"1,n\n2,j\n" * 80_000 + b"\xe9,n\n"),
        "D004",
        "in line 160002",
        (),
    ),
    "late latin-1 byte in a row that is too long": (
        raw(b"a,y\n" + b"1,n\n2,j\n" * 80_000 + b"\xe9,n,n\n"),
        "D004",
        "data.csv.encoding=latin-1",
        (),
    ),
    "ragged": (text(lambda t: t + "1,2\n1,2,3,4,5\n"), "D005", "2 in line 122, 5 in line 123", ()),
    "every row one longer": (
        text(lambda t: t.replace("\n", ",0\n").replace("y,0", "y")),
        "D005",
        "name the first column in the header",
        (),
    ),
    "unclosed quote": (text(lambda t: t + '1,"2,3,yes\n1,2,red,no\n'), "D006", "never ends", ()),
    "two names alike": (text(lambda t: t.replace("a,b", "a,a", 1)), "D007", "'a' 2 times", ()),
    "no header": (
        raw("".join(f"{k},{k * 3 % 11},{k * 7 % 5}\n" for k in range(1, 99))),
        "D010",
        "put a line with names above it",
        ("data.target='3'",),
    ),
    "latin-1": (
        raw(GOOD.assign(c="grün").to_csv(index=False).encode("latin-1")),
        "D011",
        "read as Latin-1",
        (),
    ),
    "trailing comma": (text(lambda t: t.replace("\n", ",\n")), "D012", "unnamed 5", ()),
    "names alike": (csv(**{"A ": GOOD.b}), "D013", "'a' and 'A'", ()),
    "wrong separator": (raw("a/b/y\n1/2/3\n"), "D101", "what separates columns there", ()),
    # columns
    "renamed target": (csv(lambda f: f.rename(columns={"y": "why"})), "D101", "did you mean", ()),
    "nothing but ids": (csv(lambda f: f[["a", "y"]], a=range(ROWS)), "D102", "a (id: ", ()),
    "nothing but the target": (csv(lambda f: f[["y"]]), "D102", "none in", ()),
    "text among numbers": (csv(a=["4O", *NUMBERS[1:]]), "D103", "'4O' in row 0", ()),
    "thousands of bad cells": (
        csv(a=[*NUMBERS[:112], *["bad"] * 8]),
        "D103",
        "8 such cells in all",
        (),
    ),
    "no such kind": (csv(), "D104", "choose from number", ("data.kinds={a: text}",)),
    "kind for lists": (
        parquet(a=[[k] for k in range(ROWS)]),
        "D104",
        "cells of type list<",
        ("data.kinds={a: category}",),
    ),
    "constant": (csv(a="x"), "D105", "constant", ()),
    "counter": (csv(a=range(ROWS)), "D105", "id (", ()),
    "as many levels as rows": (csv(a=LETTERS), "D105", "id (", ()),
    "free text": (csv(a=[f"a long text with number {k}" for k in range(ROWS)]), "D105", "text", ()),
    "long ids": (csv(a=[str(2**60 + 977 * k) for k in range(ROWS)]), "D105", "id (", ()),
    "all missing": (csv(a=None), "D106", "84 empty cells: left out", ()),
    "nothing but nan": (parquet(a=[np.nan] * ROWS), "D106", "left out", ()),
    "nothing but infinity": (parquet(a=[np.inf, -np.inf] * (ROWS // 2)), "D106", "left out", ()),
    "nearly constant": (
        csv(lambda f: pd.concat([f, *[f.iloc[1:]] * 19]), a=["z", *["x"] * (ROWS - 1)]),
        "D107",
        "one value in",
        (),
    ),
    "infinity": (csv(a=["inf", "-Infinity", *NUMBERS[2:]]), "D108", "infinity in", ()),
    "infinity as a float": (parquet(a=[np.inf, -np.inf, *GOOD.a[2:]]), "D108", "infinity in", ()),
    "too large for float32": (csv(a=cells([1e300, 2.5, 3.5])), "D109", "1e+300 in row 0", ()),
    "question marks": (csv(a=cells(["?", "1.5", "2", "3"])), "D110", "'?' in", ()),
    "country code NA": (csv(c=cells(["NA", "DE", "FR", "US"])), "D111", "'NA' in", ()),
    "None as a level": (csv(c=cells(["None", "wood", "gas"])), "D111", "'None' in", ()),
    "mixed words and numbers": (csv(c=cells(["1", "two", "3"])), "D112", "numbers among", ()),
    "mixed int and str cells": (csv(c=cells([1, "two", 3])), "D112", "numbers among", ()),
    "decimal comma": (csv(a=[n.replace(".", ",") for n in NUMBERS]), "D113", "read as", ()),
    "thousands": (csv(a=cells(["1,234", "2,500", "12,000"])), "D113", "read as ", ()),
    "ambiguous dates": (csv(a=cells(["01/02/2024", "03/04/2024"])), "D114", "month first", ()),
    "leading zeros": (csv(a=cells(["007", "010", "123"])), "D115", "leading zeros", ()),
    "large integers": (csv(a=cells([2**53 + 2, 2**55, 7])), "D116", "larger ones", ()),
    "durations": (parquet(a=pd.to_timedelta(range(ROWS), unit="h")), "D119", "as seconds", ()),
    "long durations": (parquet(a=pa.array(SECONDS, pa.duration("s"))), "D119", "seconds", ()),
    "times of the day": (
        parquet(a=pa.array([7 * k**2 % 86_400 for k in range(ROWS)], pa.time32("s"))),
        "D119",
        "seconds",
        (),
    ),
    "bytes": (parquet(a=[b"\xff%d" % k for k in range(ROWS)]), "D120", "left out", ()),
    "per cent": (csv(a=[f"{n:.4}%" for n in NUMBERS]), "D121", "%': taken for id", ()),
    "euros": (csv(a=cells(["€ 5", "€ 7.50", "€ 1,000"])), "D121", "taken for category", ()),
    "lists": (parquet(a=[[k] for k in range(ROWS)]), "D120", "left out", ()),
    "dicts": (parquet(a=[{"k": k} for k in range(ROWS)]), "D120", "left out", ()),
    # target
    "missing target": (csv(y=cells([None, "yes", "no"])), "D201", "missing, in rows 0", ()),
    "text as a quantity": (csv(), "D202", "data.task=classification", ("data.task=regression",)),
    "no target at all": (csv(y=None), "D201", "120 missing", ("data.task=regression",)),
    "target too large": (csv(y=[*NUMBERS[:-1], "1e39"]), "D203", "1e+39 in row 119", ()),
    "infinite target": (parquet(y=[np.inf, *range(1, ROWS)]), "D203", "row 0", ()),
    "quantity as classes": (
        csv(y=NUMBERS),
        "D204",
        "data.task=regression",
        ("data.task=classification",),
    ),
    "one class": (csv(y="yes"), "D205", "at least two values", ()),
    "class with one row": (csv(y=["rare", *GOOD.y[1:]]), "D207", "'rare'", ()),
    "labels alike": (csv(y=cells(["yes", "Yes ", "no"])), "D208", "'Yes' and 'yes'", ()),
    "labels with spaces": (csv(y=cells(["yes", "no", " no "])), "D211", "' no '", ()),
    "lists as a target": (parquet(y=[[k] for k in range(ROWS)]), "D212", "list<", ()),
    "bytes as a target": (parquet(y=[b"\xff"] * ROWS), "D212", "type binary", ()),
    "no logarithm": (
        csv(y=[f"{float(n) - 5:.3f}" for n in NUMBERS]),
        "D213",
        "-5 in row 0",
        ("data.target_transform=log1p",),
    ),
    "decimal comma in the target": (
        csv(y=[f"{float(n) ** 2:.3f}".replace(".", ",") for n in NUMBERS]),
        "D113",
        "'0,000' read as 0",
        (),
    ),
    "target in a feature": (csv(b=(GOOD.y == "yes") * 2.0), "D209", "'b' alone explains", ()),
    "quantity in a feature": (
        csv(y=NUMBERS, b=[f"{2 * float(n) + 1:.3f}" for n in NUMBERS]),
        "D209",
        "'b' alone explains",
        (),
    ),
    "target ignored": (csv(), "D210", "take it out", ("data.ignore=[y]",)),
    # rows
    "two rows": (
        csv(lambda f: f.iloc[[0, 1, 2]].assign(y=["a", "b", "a"])),
        "D301",
        "at least one",
        (),
    ),
    "folds and time": (csv(), "D302", "folds mix", ("data.fold=0", "data.time=a")),
    "no time": (csv(a=cells([None, "1.5", "2"])), "D304", "data.time=a", ("data.time=a",)),
    "lists as a group": (parquet(a=[[1]] * ROWS), "D307", "list<", ("data.group=a",)),
    "rows in train and test": (
        csv(lambda f: pd.concat([f, f])),
        "D305",
        "with the same target",
        (),
    ),
    "rows twice": (csv(lambda f: pd.concat([f, f.head(9)])), "D306", "repeat another", ()),
}
