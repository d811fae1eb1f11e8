"""Find images that occur more than once: in several splits, under several labels, or twice."""

from collections.abc import Mapping

import numpy as np

from kindling.errors import Problem
from kindling.formatting import first_few
from kindling.raw_data import RawData
from kindling.types import Split


def repeated_images(raw: RawData, split: Mapping[Split, np.ndarray]) -> list[Problem]:
    """Compare images pixel by pixel, by their content hashes.

    On both sides of a split a repeated image flatters the scores; under two labels it cannot be
    learnt.
    """
    assert raw.content_hashes is not None
    splits = np.empty(len(raw.content_hashes), dtype=object)
    for name, rows in split.items():
        splits[rows] = name
    groups = _repeated(raw.content_hashes)
    # The gravest first. An image may break all three rules.
    rules = [
        (
            "an image should be in one of train, val and test only",
            [pair for group in groups if (pair := _differing(group, splits))],
            "take one of each pair out: it flatters the scores",
            "D411",
        ),
        (
            "an image should have one label",
            [pair for group in groups if (pair := _differing(group, raw.y))],
            "correct one of the labels",
            "D411",
        ),
        (
            "images should differ",
            [(first, second) for first, second, *_ in groups],
            "nothing, or take one of each pair out",
            "D412",
        ),
    ]
    found = []
    sizes = {group[0]: len(group) for group in groups}
    for rule, pairs, fix, code in rules:
        if pairs:
            names = first_few(
                f"{raw.names[one]} = {raw.names[other]}{_alike(sizes[one])}" for one, other in pairs
            )
            got = f"{len(pairs):,} repeated: {names}"
            found.append(Problem(rule, got, fix, code, count=len(pairs)))
    return found


def _alike(size: int) -> str:
    """Say of more than two that they are all the same."""
    return f" ({size:,} alike)" if size > 2 else ""


def _repeated(content_hashes: np.ndarray) -> list[list[int]]:
    """Return the rows of each hash that occurs more than once, in the order of the first ones."""
    order = np.argsort(content_hashes, kind="stable")
    starts = np.flatnonzero(np.diff(content_hashes[order])) + 1
    return sorted(group.tolist() for group in np.split(order, starts) if len(group) > 1)


def _differing(group: list[int], values: np.ndarray) -> tuple[int, int] | None:
    """Return the first row and the first one with another value than it, if there is one."""
    others = [row for row in group if values[row] != values[group[0]]]
    return (group[0], others[0]) if others else None
