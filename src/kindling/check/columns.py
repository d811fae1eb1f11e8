"""Raw rows and the schema that was fitted on them in; what is odd about each column out."""

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from kindling.check.sample import Sample
from kindling.data.columns import kinds
from kindling.data.columns.schema import USED, Column, TableSchema, convert
from kindling.errors import Problem, shown

NEARLY = 0.995  # share of one value from which a column is nearly constant
CODES_PATTERN = r"^[A-Z]{2}$"  # of countries and states, of which NA is one
# One sign before or one short word behind: $5, 12.5%, 3 kg, 1,000 km/h
WITH_UNIT = r"^([$€£¥] ?[+-]?[\d.,]+|[+-]?[\d.,]*\d[\d.,]* ?([%$€£¥°]|[A-Za-zµ°²³/]{1,5}\.?))$"
MOSTLY = 0.9  # share of cells
MAX_NAMED = 5

Look = Callable[[Column, pa.ChunkedArray], Iterator[Problem]]


def column_findings(sample: Sample, schema: TableSchema) -> list[Problem]:
    """Look at every column once; cells are those of the train rows unless a stage is named."""
    found: list[Problem] = []
    for column in schema.columns:
        cells = sample["train"].column(column.name)
        for look in LOOKS if column.kind in USED else (left_out, units):
            found += look(column, cells)
        if column.kind in USED:
            found += other_stages(column, sample)
    return found


def left_out(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say which columns are not learnt from, and why."""
    name = column.name
    if column.kind == "empty":
        rule, fix = (
            f"column {name!r} should have a value in the train rows",
            f"data.ignore=[{name}]",
        )
        yield Problem(rule, f"{len(cells):,} empty cells: left out", fix, "D106")
    elif not kinds.is_single(cells):
        rule, fix = f"cells of {name!r} should be single values", "make columns of its parts"
        yield Problem(rule, f"{cells.type}: left out", fix, "D120")
    else:
        rule = f"column {name!r} should say something of other rows"
        got = f"{column.kind} ({column.why}): left out"
        yield Problem(rule, got, f"'data.kinds={{{name}: category}}' takes it in", "D105")


def infinite(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Count cells that hold infinity."""
    if column.kind != "number":
        return
    if kinds.is_text(cells):
        text = pc.utf8_lower(pc.utf8_trim_whitespace(cells))
        count = pc.sum(pc.is_in(text, value_set=pa.array(kinds.INFINITE))).as_py()
    elif pa.types.is_floating(cells.type):
        count = pc.sum(pc.is_inf(cells)).as_py()
    else:
        return
    if count:
        rule, fix = (
            f"numbers of {column.name!r} should be finite",
            "correct the cells or empty them",
        )
        yield Problem(rule, f"infinity in {count:,} cells: counted as missing", fix, "D108")


def markers(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Count what people write where they know nothing, and doubt whether it was meant so."""
    if not kinds.is_text(cells):
        return
    words = kinds.NUMBER_MARKERS if column.kind == "number" else kinds.MARKERS
    text = pc.utf8_trim_whitespace(cells)
    is_marker = pc.is_in(text, value_set=pa.array([word for word in words if word]))
    counted = pc.value_counts(text.filter(is_marker)).to_pylist()
    if not counted:
        return
    got = ", ".join(f"{pair['values']!r} in {pair['counts']:,}" for pair in counted[:MAX_NAMED])
    empty = pc.sum(pc.equal(text, "")).as_py() or 0
    if column.kind == "category" and _looks_real({pair["values"] for pair in counted}, text, empty):
        rule = f"NA or None in {column.name!r} may be a value of its own"
        fix = "write another word, such as 'nothing', if it is"
        yield Problem(rule, f"{got} cells: counted as missing", fix, "D111")
    else:
        rule = f"missing cells of {column.name!r} are written as words"
        yield Problem(rule, f"{got} cells: counted as missing", "nothing, if that is right", "D110")


def _looks_real(found: set[str], text: pa.ChunkedArray, empty: int) -> bool:
    if "NA" in found:
        known = pc.drop_null(kinds.known_text(text))
        return len(known) > 0 and pc.all(pc.match_substring_regex(known, CODES_PATTERN)).as_py()
    return found == {"None"} and empty == 0


def nearly_constant(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say that one value stands in nearly all cells."""
    counts = pc.value_counts(cells).field("counts").to_numpy()
    if len(cells) >= 1 / (1 - NEARLY) and counts.max() >= NEARLY * len(cells):
        rule = f"column {column.name!r} should vary"
        got = f"one value in {counts.max():,} of {len(cells):,} cells"
        yield Problem(rule, got, f"nothing, or data.ignore=[{column.name}]", "D107")


def mixed(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say that a category has numbers among its words, or codes with leading zeros."""
    if column.kind != "category" or not kinds.is_text(cells):
        return
    fix = f"'data.kinds={{{column.name}: number}}' if the words are mistakes"
    if column.why.startswith("codes with leading zeros"):
        rule = f"{column.name!r} holds codes"
        yield Problem(rule, "leading zeros: taken as categories", fix, "D115")
        return
    known = pc.drop_null(kinds.known_text(cells))
    count = pc.count(kinds.to_number(known)).as_py()
    if 0 < count < len(known):
        rule = f"{column.name!r} should hold words or numbers"
        got = f"{count:,} numbers among {len(known):,} cells: taken as categories"
        yield Problem(rule, got, fix, "D112")


def signs(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say how numbers with commas, and dates that can be read in two ways, were read."""
    if not kinds.is_text(cells):
        return
    name = column.name
    if column.kind == "number":
        yield from commas(name, cells, column.decimal)
    elif column.kind == "date" and column.pattern.startswith("%m/%d"):
        known = pc.drop_null(kinds.known_text(cells))
        other = column.pattern.replace("%m/%d", "%d/%m")
        if kinds.to_days(known, other).null_count == 0:
            rule, fix = f"dates of {name!r} should be clear", "write them as 2024-12-31"
            yield Problem(rule, f"{known[0].as_py()!r} read month first", fix, "D114")


def commas(name: str, cells: pa.ChunkedArray, decimal: str) -> Iterator[Problem]:
    """Say what a number with a comma was taken for."""
    with_comma = cells.filter(pc.match_substring(cells, ","))
    values = kinds.to_number(with_comma, decimal)
    if values.null_count == len(values):
        return
    first = pc.index(pc.is_valid(values), True).as_py()
    got = f"{shown(with_comma[first].as_py())} read as {values[first].as_py():g}"
    fix = f"'data.kinds={{{name}: category}}' if they are codes"
    yield Problem(f"numbers of {name!r} have commas", got, fix, "D113")


def units(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Suspect numbers behind a sign or before a unit, which are read as text."""
    if not kinds.is_text(cells) or column.kind not in ("category", "id", "text"):
        return
    known = pc.drop_null(kinds.known_text(cells, kinds.NUMBER_MARKERS))
    has_unit = pc.match_substring_regex(known, WITH_UNIT)
    count = pc.sum(has_unit).as_py() or 0
    if count >= MOSTLY * len(known) > 0:
        rule = f"cells of {column.name!r} look like numbers with a unit"
        got = f"{shown(known.filter(has_unit)[0].as_py())}: taken for {column.kind}"
        yield Problem(rule, got, "write the numbers alone, the unit into the name", "D121")


def large_integers(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say that whole numbers are too long for a float64."""
    if column.kind != "number" or not (kinds.is_text(cells) or pa.types.is_integer(cells.type)):
        return
    numbers = kinds.to_number(cells, column.decimal)
    is_large = pc.greater(pc.abs(numbers), kinds.EXACT).fill_null(False)
    text = pc.utf8_trim_whitespace(pc.cast(cells.filter(is_large), pa.string()))
    count = pc.sum(pc.match_substring_regex(text, r"^[+-]?\d+$")).as_py() or 0
    if count:
        rule = f"whole numbers of {column.name!r} should stay below 2^53"
        got = f"{count:,} larger ones: their last digits are lost"
        fix = f"'data.kinds={{{column.name}: category}}', or data.ignore=[{column.name}]"
        yield Problem(rule, got, fix, "D116")


def durations(column: Column, cells: pa.ChunkedArray) -> Iterator[Problem]:
    """Say in which unit durations are read."""
    if pa.types.is_duration(cells.type) or pa.types.is_time(cells.type):
        rule = f"{column.name!r} holds durations or times of the day"
        yield Problem(rule, f"{cells.type}: read as seconds", "nothing", "D119")


def other_stages(column: Column, sample: Sample) -> Iterator[Problem]:
    """Compare val and test with train: levels that are new, values that are never there."""
    for stage in sample.keys() - {"train"}:
        cells = sample[stage].column(column.name)
        values = convert(column, cells)
        if column.kind == "category":
            seen = pc.unique(convert(column, sample["train"].column(column.name)))
            counts = pc.value_counts(values.filter(pc.invert(pc.is_in(values, value_set=seen))))
            new = [p for p in counts.to_pylist() if p["values"] != kinds.MISSING]
            if new:
                top = sorted(new, key=lambda pair: -pair["counts"])[:MAX_NAMED]
                names = ", ".join(f"{pair['values']!r}" for pair in top)
                rows = sum(pair["counts"] for pair in new)
                rule = f"levels of {column.name!r} should occur in train"
                got = f"{len(new):,} only in {stage}, in {rows:,} rows, such as {names}"
                yield Problem(rule, f"{got}: taken for unknown", "nothing", "D117")
            is_gone = pc.all(pc.equal(values, kinds.MISSING)).as_py()
        else:
            is_gone = values.null_count == len(values)
        if is_gone and column.num_missing < len(sample["train"]):
            rule = f"{column.name!r} should have values in {stage}, as in train"
            fix = f"data.ignore=[{column.name}] if it is not known when it matters"
            yield Problem(rule, f"{len(values):,} empty cells", fix, "D118")


LOOKS: tuple[Look, ...] = (
    infinite,
    markers,
    nearly_constant,
    mixed,
    signs,
    units,
    large_integers,
    durations,
)
