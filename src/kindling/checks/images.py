"""What image files show, by a hash of it, in; pictures that occur more than once out."""

import numpy as np

from kindling.errors import Problem
from project.data.datamodule import DataModule

MAX_NAMED = 5


def picture_findings(data: DataModule) -> list[Problem]:
    """Find the same picture, pixel by pixel, in several stages, under several labels, or twice.

    On both sides of a split it flatters the scores; under two labels it cannot be learnt.
    """
    assert data.raw.content_hashes is not None
    stages = np.empty(len(data.raw.content_hashes), dtype=object)
    for stage, rows in data.split.items():
        stages[rows] = stage
    groups = repeated(data.raw.content_hashes)
    kinds = [
        (
            "a picture should be in one of train, val and test only",
            [pair for group in groups if (pair := differing(group, stages))],
            "take one of each pair out: it flatters the scores",
            "D411",
        ),
        (
            "a picture should have one label",
            [pair for group in groups if (pair := differing(group, data.raw.y))],
            "correct one of the labels",
            "D411",
        ),
        (
            "pictures should differ",
            [(first, second) for first, second, *_ in groups],
            "nothing, or take one of each pair out",
            "D412",
        ),
    ]
    found = []
    for rule, pairs, fix, code in kinds:
        names = [" = ".join(map(str, data.raw.names[list(pair)])) for pair in pairs[:MAX_NAMED]]
        more = ", ..." if len(pairs) > MAX_NAMED else ""
        if pairs:
            got = f"{len(pairs):,} repeated: {', '.join(names)}{more}"
            found.append(Problem(rule, got, fix, code))
    return found


def repeated(content_hashes: np.ndarray) -> list[list[int]]:
    """Return the rows of each digest that occurs more than once, in the order of the first ones."""
    order = np.argsort(content_hashes, kind="stable")
    starts = np.flatnonzero(np.diff(content_hashes[order])) + 1
    return sorted(group.tolist() for group in np.split(order, starts) if len(group) > 1)


def differing(group: list[int], values: np.ndarray) -> tuple[int, int] | None:
    """Return the first row and the first one with another value than it, if there is one."""
    others = [row for row in group if values[row] != values[group[0]]]
    return (group[0], others[0]) if others else None
