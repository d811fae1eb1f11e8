"""Find leakage: columns that give the target away, and rows of val or test that train has too."""

import numpy as np

from kindling.contract import DescribedData
from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import first_few
from kindling.tables.asked_columns import leave_out
from kindling.tables.schema import TableSchema

MAX_LEAK_ROWS, MIN_LEAK_ROWS = 20_000, 50
PERFECT = 0.999  # share of the target that a column explains
BINS = 50

MAX_HASHED_ROWS = 1_000_000  # of each split
CHUNK_ROWS = 16_384  # that fit into a processor's cache
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits in no order
NOTEWORTHY = 0.01  # share of val or test from which repeated rows flatter the scores
BY_CHANCE = 0.1  # rows that are like another one because columns have few values
ROWS_TO_GUESS = 20_000


def check_leaks(data: DescribedData) -> list[Problem]:
    """Warn of every feature that tells the target nearly perfectly on its own."""
    rows = data.split["train"][:MAX_LEAK_ROWS]
    if len(rows) < MIN_LEAK_ROWS:
        return []
    x, y, spec = data.x[rows].numpy(), data.y[rows].numpy(), data.spec
    found = []
    assert isinstance(data.schema, TableSchema)
    column_of = {name: column.name for column in data.schema.used for name in column.features}
    for k, name in enumerate((*spec.numbers, *spec.categories)):
        values, is_code = x[:, k], k >= len(spec.numbers)
        if spec.is_regression:
            share = explained_variance(values, y) if is_code else rank_correlation(values, y)
        else:
            share = explained_classes(values if is_code else binned(values), y)
        if share >= PERFECT:
            rule = f"no column should give {spec.target!r} away"
            got = f"{name!r} alone explains {share:.1%} of it"
            column = column_of[name]
            fix = leave_out(column, f"unless it is known before {spec.target!r} is")
            found.append(Problem(rule, got, fix, "D209", column=column))
    return found


def binned(values: np.ndarray) -> np.ndarray:
    """Return codes of at most BINS ranges with about as many rows each."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def explained_classes(codes: np.ndarray, y: np.ndarray) -> float:
    """Return by how much the most frequent class of each code beats that of all rows, 0 to 1.

    Every code is charged one row: a code for each row would know every label by heart.
    """
    _, codes = np.unique(codes, return_inverse=True)
    counts = np.zeros((codes.max() + 1, y.max() + 1))
    np.add.at(counts, (codes, y), 1)
    right = counts.max(axis=1).sum() - len(counts)
    guess = counts.sum(axis=0).max() - 1
    to_gain = len(y) - len(counts) - guess
    return float((right - guess) / to_gain) if to_gain > 0 else 0.0


def explained_variance(codes: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the variance that lies between categories, each charged one row."""
    _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    means = np.bincount(codes, weights=y) / counts
    within = np.sum((y - means[codes]) ** 2) / max(len(y) - len(counts), 1)
    return float(1 - within / max(y.var(), 1e-12))


def rank_correlation(values: np.ndarray, y: np.ndarray) -> float:
    """Return how well two numbers order the rows alike, whichever way round: 0 to 1."""
    ranks = [np.unique(some, return_inverse=True)[1].astype(float) for some in (values, y)]
    if any(rank.max() == 0 for rank in ranks):
        return 0.0
    return abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))


def check_rows(data: DescribedData) -> list[Problem]:
    """Find rows of val and test that are in train too, and rows of train that repeat others.

    Rows are compared with their target, as the network gets them, by a hash of 64 bits.
    """
    hashes = {split: hash_rows(data, rows[:MAX_HASHED_ROWS]) for split, rows in data.split.items()}
    train = np.sort(hashes["train"])  # faster than a set of so many
    found = []
    for split in ("val", "test"):
        places = np.searchsorted(train, hashes[split]).clip(max=len(train) - 1)
        is_known = train[places] == hashes[split]
        known, rows = int(is_known.sum()), data.split[split][:MAX_HASHED_ROWS]
        if known:
            names = first_few(data.raw.names[rows[is_known]], noun="rows")
            rule = f"rows of {split} should not be in train"
            got = f"{known:,} of {len(rows):,} are, with the same target, such as rows {names}"
            is_much = known >= NOTEWORTHY * len(rows) and twins_by_chance(data) < BY_CHANCE
            together = (Setting("data.group", ..., "to keep them together"),)
            ways = ("take one of each pair out", *(together if data.raw.groups is None else ()))
            code = "D305" if is_much else "D306"
            found.append(Problem(rule, got, ways, code, count=known))
    repeated = train[1:][train[1:] == train[:-1]]
    if len(repeated):
        rows = data.split["train"][:MAX_HASHED_ROWS][np.isin(hashes["train"], repeated[:1])]
        names = ", ".join(map(str, data.raw.names[rows[:2]]))
        got = f"{len(repeated):,} repeat another one, such as rows {names}"
        rule, fix = "rows of train should differ", "nothing, or take them out"
        found.append(Problem(rule, got, fix, "D306", count=len(repeated)))
    return found


def twins_by_chance(data: DescribedData) -> float:
    """Guess how many train rows are like a given one only because columns have few values.

    As if columns had nothing to do with each other: a lower bound.
    """
    rows = data.split["train"][:ROWS_TO_GUESS]
    columns = [*data.x[rows].numpy().T, data.y[rows].numpy()]
    twins = float(len(data.split["train"]))
    for column in columns:
        counts = np.unique(column, return_counts=True)[1]
        twins *= float(np.sum((counts / len(rows)) ** 2))
    return twins


def hash_rows(data: DescribedData, rows: np.ndarray) -> np.ndarray:
    """Return uint64 (N,), equal where features and target are."""
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), CHUNK_ROWS):
        some = rows[start : start + CHUNK_ROWS]
        columns = [*data.x[some].numpy().T, data.y[some].numpy().astype(np.float32)]
        mixed = np.zeros(len(some), np.uint64)
        for column in columns:
            mixed ^= (column + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
            mixed *= MULTIPLIER
            mixed ^= mixed >> np.uint64(32)
        hashes[start : start + CHUNK_ROWS] = mixed
    return hashes
