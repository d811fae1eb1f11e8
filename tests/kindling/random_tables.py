"""Tables of whatever people put into cells: drawn by hypothesis, filled by a seed."""

import datetime
import decimal
import gzip
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

NAMES = [
    *("a", "b", "c", "x", "y", "target", "index", "label", "row", "prediction", "id", "key"),
    *("price in EUR (2019)", "", " ", "A", "a ", "é", "\N{SNOWMAN}", 'q"q', "it's", "a,b", "a;b"),
    *("a\tb", "a\nb", "a=b", "{x}", "[1]", "$a", "1", "2.5", "nan", "None", "true", "null", "~"),
    *("a is missing", "a (year)", "a (days since 1970)", "a'", "x" * 300, "#c", "\\", "<b>", "%s"),
]
ODD_CELLS = [
    *("a", "NA", "None", "", "?", "-", " a", "A ", "nan", "inf", "-inf", "1", "0", "true", "FALSE"),
    *("yes", "007", "1,5", "1,234", "1.234,5", "12.5%", "$5", "1e400", "-1e39", "0x1f", "1_000"),
    *("\u200b", "\ufeff", "é", "\N{SNOWMAN}", "a,b", "a;b", "a\tb", 'say "hi"', "a\nb", "a\r\nb"),
    *("2024-01-02", "01/02/2024", "13/02/2024", "31.12.2020 10:00", "2024-01-02T03:04:05+02:00"),
    *("0001-01-01", "9999-12-31", "10:30", "9" * 20, "9007199254740993", "-0", "+5", "  7 "),
    *("1.", ".5", "1E-320", "x" * 500),
]
EPOCH = datetime.datetime(1970, 1, 1)
COUNTS = st.sampled_from([0, 1, 3, 8, *[20, 40, 60, 60] * 5])


class Column(NamedTuple):
    """What fills a column of Parquet: a type, and how a cell is made from 62 random bits."""

    kind: pa.DataType
    make: object


def some(*cells):
    return lambda bits: cells[bits % len(cells)]


def moment(bits):
    return EPOCH + datetime.timedelta(seconds=bits % 10**10 - 5 * 10**9)


SCALE = 2.0**55
TYPED = [
    Column(pa.int8(), lambda bits: bits % 10 - 5),
    Column(pa.uint64(), lambda bits: 4 * bits),
    Column(pa.int64(), lambda bits: 2 * bits - 2**62),
    Column(pa.float64(), lambda bits: (bits - 2**61) / SCALE),
    Column(pa.float64(), some(1.5, float("nan"), float("inf"), -0.0, 5e-324, 1e38)),
    Column(pa.float32(), lambda bits: (bits - 2**61) / SCALE),
    Column(pa.float16(), lambda bits: np.float16(bits % 1000 / 7)),
    Column(pa.bool_(), some(True, False)),
    Column(pa.decimal128(30, 2), some(decimal.Decimal("1.25"), decimal.Decimal("-3.10"))),
    Column(pa.decimal256(60, 2), some(decimal.Decimal("9" * 40), decimal.Decimal("1"))),
    Column(pa.date32(), lambda bits: datetime.date(1, 1, 1) + datetime.timedelta(bits % 3652058)),
    Column(pa.date64(), lambda bits: datetime.date(2000, 1, 1) + datetime.timedelta(bits % 999)),
    *(Column(pa.timestamp(unit), moment) for unit in ("s", "ms", "us", "ns")),
    *(Column(pa.timestamp("us", zone), moment) for zone in ("UTC", "Europe/Berlin", "+05:30")),
    Column(pa.time64("us"), lambda bits: bits % (86_400 * 10**6)),
    Column(pa.time32("s"), lambda bits: bits % 86_400),
    *(Column(pa.duration(unit), lambda bits: bits % 10**12) for unit in ("s", "ms", "us", "ns")),
    Column(pa.binary(), some(b"a", b"\xff", b"")),
    Column(pa.large_binary(), some(b"a", b"\xff")),
    Column(pa.binary(2), some(b"ab", b"\xff\xff")),
    Column(pa.list_(pa.int64()), some([1], [2, 3], [])),
    Column(pa.list_(pa.float64(), 2), some([1.0, 2.0], [3.0, 4.0])),
    Column(pa.struct([("k", pa.int64())]), some({"k": 1}, {"k": None})),
    Column(pa.map_(pa.string(), pa.int64()), some([("a", 1)], [])),
    Column(pa.null(), some(None)),
    Column(pa.string(), some("p", "q")),
    Column(pa.string(), some(*ODD_CELLS)),
    Column(pa.large_string(), some("x", "y", "z")),
    Column(pa.string_view(), some("x", "y", "")),
    Column(pa.dictionary(pa.int8(), pa.string()), some("x", "y", "z")),
    Column(pa.dictionary(pa.int8(), pa.int64()), some(1, 2, 3)),
]
TEXTS = [
    lambda bits: str((bits - 2**61) / SCALE),
    lambda bits: str(bits % 9),
    lambda bits: str(bits),
    some("red", "green", "blue"),
    some(*ODD_CELLS),
    some("0.5", "1.5", "", "2.5", "?", "3"),
    lambda bits: f"{bits % 12 + 1:02}/{bits // 12 % 12 + 1:02}/{bits // 144 % 200 + 1900}",
    lambda bits: f"{bits % 10**8 / 100:,.2f}",
    lambda bits: f"{bits % 10**6 / 100:.2f}".replace(".", ","),
    lambda bits: str(bits % 999 / 8) if bits % 17 else ODD_CELLS[bits // 17 % len(ODD_CELLS)],
    lambda bits: "".join(chr(32 + (bits >> 7 * k) % 300) for k in range(bits % 7)),
]
TARGETS = {
    True: [Column(pa.string(), some("u", "v")), TYPED[3], Column(pa.bool_(), some(True, False))],
    False: [some("u", "v"), TEXTS[0], some("1", "0", "2")],
}


@st.composite
def tables(draw, folder):
    """Write one or two files into the folder; return what `data=table` is to be given.

    Five of six targets can be learnt: else most tables would be refused for their target.
    """
    is_parquet, num_rows = draw(st.booleans()), draw(COUNTS)
    names = draw(
        st.lists(
            st.sampled_from(NAMES),
            min_size=draw(st.sampled_from([1, 3, 3, 3])),
            max_size=6,
            unique=True,
        )
    )
    pool = TYPED if is_parquet else TEXTS
    columns = [draw(st.sampled_from(pool)) for _ in names]
    gaps = [draw(st.sampled_from([0, 0, 0, 0.05, 0.5, 1])) for _ in names]
    if draw(st.integers(0, 5)):
        columns[0], gaps[0] = draw(st.sampled_from(TARGETS[is_parquet])), 0
    seed = draw(st.integers(0, 2**32 - 1))
    overrides = {"target": names[0]}
    for key in draw(st.sampled_from([["path"], ["path"], ["path", "test_path"]])):
        file = folder / f"{key}.{'parquet' if is_parquet else 'csv'}"
        rng = np.random.default_rng([seed, len(overrides)])
        cells = [
            [None if gap > rng.random() else column_make(column)(int(bits)) for bits in draws]
            for column, gap, draws in zip(
                columns, gaps, rng.integers(0, 2**62, (len(names), num_rows)), strict=True
            )
        ]
        if is_parquet:
            arrays = [pa.array(c, k.kind) for c, k in zip(cells, columns, strict=True)]
            pq.write_table(pa.Table.from_arrays(arrays, names=names), file)
        else:
            file.write_bytes(draw(written([names, *zip(*cells, strict=True)])))
        overrides[key] = str(file)
    return overrides | draw(options(names))


def column_make(column):
    return column.make if isinstance(column, Column) else column


@st.composite
def written(draw, rows):
    """Write rows as programs and people do, now and then damaged."""
    separator = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    text = end.join(separator.join(quoted(cell, separator) for cell in row) for row in rows)
    text += draw(st.sampled_from([end, end, ""]))
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from('",\n;\0é')) + text[place:]
    encoding = draw(st.sampled_from(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "latin-1"]))
    data = text.encode(encoding, errors="replace")
    if draw(st.integers(0, 19)) == 0:
        place = draw(st.integers(0, len(data)))
        data = data[:place] + bytes([draw(st.integers(0, 255))]) + data[place:]
    return gzip.compress(data) if draw(st.integers(0, 9)) == 0 else data


def quoted(cell, separator):
    text = "" if cell is None else cell
    odd = (separator, '"', "\n", "\r")
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in odd) else text


@st.composite
def options(draw, names):
    """Draw what a person may type beside path and target; most often nothing."""
    column = st.sampled_from(names)
    kinds = st.sampled_from(["number", "category", "boolean", "date"])
    choices = {
        "task": st.sampled_from(["classification", "regression"]),
        "kinds": st.dictionaries(column, kinds, min_size=1, max_size=1),
        "ignore": st.lists(column, min_size=1, max_size=2, unique=True),
        "group": column,
        "time": column,
        "fold": st.integers(0, 4),
        "memory": st.just("disk"),
        "drop_missing_target": st.just(True),
        "target_transform": st.sampled_from(["none", "log1p"]),
    }
    chosen = draw(st.lists(st.sampled_from([*choices]), max_size=2, unique=True))
    return {key: draw(choices[key]) for key in (chosen if draw(st.booleans()) else [])}
