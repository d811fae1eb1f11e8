"""Tables as other programs and countries write them, drawn by hypothesis, with the truth beside."""

import datetime
import re
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

ROWS = 60
EPOCH = datetime.datetime(1970, 1, 1)
MARKERS = ["", "NA", "n/a", "-", "NULL", "?", "#N/A", "NaN"]
NAMES = ["Gr\xf6\xdfe, mm", 'in "use"', "a;b|c\td", "two\nlines", "n\xb0 1", "x" * 80]
TITLES = [[], [], [], ["Report of 31.12.2024", ""], ["# made by a machine", "# v1.2, units: mm"]]


class Foreign(NamedTuple):
    """A file, what its columns hold, and how they are written.

    Args:
        written: column -> its cells as they stand in the file.
        truth: column -> numbers, days since 1970 or words; NaN and "" where there is none.
        types: column -> number, date or category.
        separator, end: of cells and of lines.
        quotes: whether every cell stands in quotes.
        encoding: of the text.
        titles: lines above the header.
    """

    written: dict
    truth: dict
    types: dict
    separator: str
    end: str
    quotes: bool
    encoding: str
    titles: list

    def cells(self, rows=range(ROWS)):
        """Return the columns of these rows as they stand in the file."""
        return {name: [cells[row] for row in rows] for name, cells in self.written.items()}

    def text(self, rows=range(ROWS)):
        """Return the text of a file of these rows."""
        lines = [[*self.written], *zip(*self.cells(rows).values(), strict=True)]
        written = [*self.titles, *(self.separator.join(map(self._cell, line)) for line in lines)]
        return "".join(line + self.end for line in written)

    def content(self, rows=range(ROWS)):
        """Return its bytes."""
        text = self.text(rows)
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:  # cp1252 has no narrow space
            return text.encode("utf-8")

    def _cell(self, cell):
        is_quoted = self.quotes or any(sign in cell for sign in (self.separator, '"', "\n"))
        return '"' + cell.replace('"', '""') + '"' if is_quoted else cell


def grouped(number, decimals, decimal, group):
    text = f"{number:,.{decimals}f}"
    if group == "lakh":
        whole, point, rest = text.replace(",", "").partition(".")
        pairs = re.sub(r"(?<=\d)(?=(\d\d)+$)", ",", whole[:-3])
        return f"{pairs},{whole[-3:]}{point}{rest}" if pairs else text
    return text.replace(",", "\0").replace(".", decimal).replace("\0", group)


@st.composite
def number_columns(draw, decimal):
    """Draw numbers of one size and how they are written; returns (cells, truth)."""
    groups = ["", " ", "\u202f", "\xa0", "'", *([".", "."] if decimal == "," else [",", "lakh"])]
    group = draw(st.sampled_from([*groups, "E"]))
    decimals = draw(st.sampled_from([0, 1, 2, 3, 5]))
    unit = draw(
        st.sampled_from(["{}"] * 4 + ["EUR {}", "{} \N{EURO SIGN}", "{} %", "${}", "CHF {}"])
    )
    negative = draw(st.sampled_from(["-{}", "-{}", "({})", "{}-", "\N{MINUS SIGN}{}"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = (rng.normal(size=ROWS) * 10.0 ** draw(st.integers(0, 6))).round(decimals) + 0.0
    if group == "E":  # as spreadsheets write what is small or large
        cells = [f"{number:.{decimals}E}" for number in numbers]
        return [cell.replace(".", decimal) for cell in cells], [float(cell) for cell in cells]
    cells = []
    for number in numbers:
        text = unit.format(grouped(abs(number), decimals, decimal, group))
        cells.append(negative.format(text) if number < 0 else text)
    return cells, numbers.tolist()


DATE_FORMS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d"),
    *("%d.%m.%y", "%d-%b-%y", "%d %B %Y", "%b %d, %Y", "%a, %d %b %Y", "%G-W%V-%u"),
]
TIME_FORMS = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"]
ZONES = ["", "", "", "+02:00", "Z", " -0500"]


@st.composite
def date_columns(draw, month_first):
    """Draw moments and how they are written; returns (cells, days since 1970 on the wall).

    Days and months stand in one order in a whole file: a column may say it for another.
    """
    other = ("%d/", "%d-%m") if month_first else ("%m/", "%m-")
    forms = [form for form in DATE_FORMS if not form.startswith(other)]
    date, time = draw(st.sampled_from(forms)), draw(st.sampled_from(TIME_FORMS))
    if date in ("%Y%m%d", "%G-W%V-%u"):
        time = ""
    zone = draw(st.sampled_from(ZONES)) if time else ""
    span = draw(st.sampled_from([5, 40, 900]))  # days
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start = datetime.datetime(draw(st.integers(1995, 2025)), draw(st.integers(1, 12)), 1)
    moments = [
        start + datetime.timedelta(minutes=int(m)) for m in rng.integers(0, span * 1440, ROWS)
    ]
    form = date + time
    truth = [datetime.datetime.strptime(m.strftime(form), form) for m in moments]
    days = [(moment - EPOCH) / datetime.timedelta(days=1) for moment in truth]
    return [moment.strftime(form) + zone for moment in moments], days


WORDS = [["red", "green", "NA"], ["None", "some", "all"], ["M", "F"]]
CODES = [
    *(["01067", "10115", "80331"], ["007", "07", "7"], ["3a", "4", "04"], ["1e5", "2e5", "x1"]),
    *(
        ['5" pipe', "a, b; c|d"],
        ["two\nlines", "one"],
        ["\xe9t\xe9", "hiver", "\xe4 "],
        ["=1+1", "@x"],
    ),
]


@st.composite
def word_columns(draw, of=WORDS):
    """Draw words, among them such as other columns write for nothing."""
    words = draw(st.sampled_from(of))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = [words[k] for k in rng.integers(0, len(words), ROWS)]
    return cells, [cell.strip() for cell in cells]


@st.composite
def boolean_columns(draw):
    """Draw truth values."""
    true, false = draw(st.sampled_from([("TRUE", "FALSE"), ("true", "false"), ("True", "False")]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = rng.random(ROWS) < 0.5
    return [true if value else false for value in truth], truth.astype(float).tolist()


@st.composite
def foreign_tables(draw):
    """Draw a whole file: separator, decimal sign, encoding, markers, index, titles."""
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = draw(st.sampled_from([".", ","]))
    columns, types, month_first = {}, {}, draw(st.booleans())
    for k in range(draw(st.integers(1, 3))):
        columns[f"amount {k}"], types[f"amount {k}"] = draw(number_columns(decimal)), "number"
    for k in range(draw(st.integers(0, 2))):
        columns[f"date {k}"], types[f"date {k}"] = draw(date_columns(month_first)), "date"
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))):
        more, type_ = [
            (word_columns(CODES), "category"),
            (boolean_columns(), "boolean"),
            (number_columns(decimal), "number"),
        ][number]
        columns[name], types[name] = draw(more), type_
    columns["word"], types["word"] = draw(word_columns()), "category"
    marker, share = draw(st.sampled_from(MARKERS)), draw(st.sampled_from([0, 0, 0.1]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    written, truth = {}, {}
    for name, (cells, values) in columns.items():
        # Beside true and false a dash is a third word.
        has_gaps = types[name] != "category" and (types[name] != "boolean" or marker != "-")
        is_gap = (rng.random(ROWS) < share) & has_gaps
        written[name] = [marker if gap else cell for cell, gap in zip(cells, is_gap, strict=True)]
        truth[name] = [np.nan if gap else v for v, gap in zip(values, is_gap, strict=True)]
    if draw(st.booleans()):
        written = {"": [str(k) for k in range(ROWS)]} | written
    end, quotes = draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    titles = draw(st.sampled_from(TITLES))
    return Foreign(written, truth, types, separator, end, quotes, encoding, titles)
