"""Rows as the network gets them in; those that stand in several stages, or twice, out."""

import numpy as np

from kindling.errors import Problem
from project.data.datamodule import DataModule

MAX_ROWS = 1_000_000
CHUNK = 16_384  # rows that fit into a processor's cache
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits in no order
NOTEWORTHY = 0.01  # share of val or test from which repeated rows flatter the scores
BY_CHANCE = 0.1  # rows that are like another one because columns have few values
ROWS_TO_GUESS = 20_000


def row_findings(data: DataModule) -> list[Problem]:
    """Compare rows with their target, by a hash of 64 bits."""
    hashes = {stage: hash_rows(data, rows[:MAX_ROWS]) for stage, rows in data.split.items()}
    train = np.sort(hashes["train"])  # faster than a set of so many
    found = []
    for stage in ("val", "test"):
        places = np.searchsorted(train, hashes[stage]).clip(max=len(train) - 1)
        is_known = train[places] == hashes[stage]
        count, rows = int(is_known.sum()), data.split[stage][:MAX_ROWS]
        if count:
            names = ", ".join(map(str, data.raw.names[rows[is_known][:5]]))
            rule = f"rows of {stage} should not be in train"
            got = f"{count:,} of {len(rows):,} are, with the same target, such as rows {names}"
            is_much = count >= NOTEWORTHY * len(rows) and twins_by_chance(data) < BY_CHANCE
            fix = "take one of each pair out, or keep them together: data.group=..."
            found.append(Problem(rule, got, fix, "D305" if is_much else "D306"))
    repeated = train[1:][train[1:] == train[:-1]]
    if len(repeated):
        rows = data.split["train"][:MAX_ROWS][np.isin(hashes["train"], repeated[:1])]
        names = ", ".join(map(str, data.raw.names[rows[:2]]))
        rule, got = (
            "rows of train should differ",
            f"{len(repeated):,} repeat another one, such as rows {names}",
        )
        found.append(Problem(rule, got, "nothing, or take them out", "D306"))
    return found


def twins_by_chance(data: DataModule) -> float:
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


def hash_rows(data: DataModule, rows: np.ndarray) -> np.ndarray:
    """Return uint64 (N,), equal where features and target are."""
    hashes = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        columns = [*data.x[some].numpy().T, data.y[some].numpy().astype(np.float32)]
        mixed = np.zeros(len(some), np.uint64)
        for column in columns:
            mixed ^= (column + np.float32(0)).view(np.uint32)  # -0.0 becomes 0.0
            mixed *= MULTIPLIER
            mixed ^= mixed >> np.uint64(32)
        hashes[start : start + CHUNK] = mixed
    return hashes
