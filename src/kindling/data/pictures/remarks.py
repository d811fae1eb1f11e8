"""What image files say of themselves, and their pixels, in; what a person should know of it out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kindling.data.pictures.decode import SUFFIXES, Header
from kindling.data.pictures.folders import MAX_NAMED, Entry, some_of
from kindling.errors import Problem

MIN_SIZE_PX = 8  # a side below this shows nothing, and no network takes it


def odd_headers(entries: Sequence[Entry], headers: Sequence[Header | None]) -> list[str]:
    """Note files that can be used, but are not quite what one expects."""
    pairs = [(e, h) for e, h in zip(entries, headers, strict=True) if h is not None]
    odd = {
        "hold several frames, the first is taken": [e.name for e, h in pairs if h.has_more_frames],
        "hold another format than their name says": [
            f"{e.name} ({h.format})"
            for e, h in pairs
            if h.format != SUFFIXES.get(e.file.suffix.lower())
        ],
        f"have a side under {MIN_SIZE_PX} pixels": [
            f"{e.name} ({h.height}x{h.width})"
            for e, h in pairs
            if min(h.height, h.width) < MIN_SIZE_PX
        ],
    }
    return [f"{len(names)} images {what}: {some_of(names)}" for what, names in odd.items() if names]


def repeated(entries: Sequence[Entry], y: np.ndarray, digests: np.ndarray) -> list[str]:
    """Note pictures that occur more than once, pixel by pixel.

    On both sides of a split they flatter the scores; under two labels they cannot be learnt.
    """
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.diff(digests[order], prepend=~digests[order[:1]]))
    groups = [group for group in np.split(order, starts[1:]) if len(group) > 1]

    def name(group: np.ndarray) -> str:
        return " = ".join(entries[row].name for row in group[:2])

    odd = {
        "repeat another one": groups,
        "are in several stages": [g for g in groups if len({entries[row].stage for row in g}) > 1],
        "have several labels": [g for g in groups if len(set(y[g].tolist())) > 1],
    }
    return [
        f"{sum(len(g) - 1 for g in found)} images {what}: {some_of([name(g) for g in found])}"
        for what, found in odd.items()
        if found
    ]


def summarise(problems: Sequence[Problem]) -> list[Problem]:
    """Make one problem of all of a kind, and name the first few files."""
    kinds: dict[Problem, list[str]] = {}
    for problem in problems:
        kinds.setdefault(replace(problem, got=""), []).append(problem.got)
    return [replace(kind, got=_some(sorted(got))) for kind, got in kinds.items()]


def _some(got: list[str]) -> str:
    more = f"; ... ({len(got):,} files in all)" if len(got) > MAX_NAMED else ""
    return "; ".join(got[:MAX_NAMED]) + more
