"""Say how the data of a run differ from others: rows, labels, classes, columns, split; by name."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from kindling.data_record import DataRecord, unpack
from kindling.errors import Problem
from kindling.formatting import count, first_few, printable
from kindling.types import SPLITS

CODE = "D308"


def differences(old: DataRecord, new: DataRecord, rule: str, fix: str) -> list[Problem]:
    """List what differs between the data of a run and those that were read now; most often nothing.

    Args:
        old: of the run.
        new: of now.
        rule: why they have to be the same.
        fix: what to do.
    """
    if old.digest == new.digest:
        return []
    found = [*_learnt(old, new), *_inputs(old, new)]
    if not found:
        moved = _moved(old, new)
        found = [f"the same rows, split otherwise{moved}: the split's settings or code differ"]
    return [Problem(rule, got, fix, CODE) for got in found]


def _learnt(old: DataRecord, new: DataRecord) -> Iterator[str]:
    """Compare what is learnt of what."""
    for what in ("target", "problem_type"):
        before, now = getattr(old, what), getattr(new, what)
        if before != now:
            yield printable(f"{what.replace('_', ' ')} {now}, which was {before}")
    if old.classes != new.classes:
        yield f"classes {_sets(old.classes, new.classes)}"
    # Their order counts: the weights of a checkpoint know a column by its place.
    if list(old.columns) != list(new.columns):
        yield f"columns {_sets(old.columns, new.columns)}"
    types = [
        f"{name} is {new.columns[name]}, was {kind}"
        for name, kind in old.columns.items()
        if new.columns.get(name, kind) != kind
    ]
    if types:
        yield f"column types: {printable(first_few(types))}"
    if old.image_shape != new.image_shape:
        yield f"images of {new.image_shape}, which were {old.image_shape}"


def _sets(old: Sequence[str] | Mapping[str, str], new: Sequence[str] | Mapping[str, str]) -> str:
    """Say which names are new and which are gone."""
    words = [
        f"{first_few(map(repr, names))} {count_word}"
        for names, count_word in (
            ([name for name in new if name not in old], "new"),
            ([name for name in old if name not in new], "gone"),
        )
        if names
    ]
    return printable("; ".join(words) or "in another order")


def _inputs(old: DataRecord, new: DataRecord) -> Iterator[str]:
    """Compare rows and labels, and name those that differ where both records know them."""
    noun = "row" if new.image_shape is None else "image"
    is_same_kind = set(old.columns) == set(new.columns) and old.image_shape == new.image_shape
    has_other_inputs = is_same_kind and old.inputs != new.inputs
    if not has_other_inputs and old.labels == new.labels:
        return
    named = [(record.names, record.label_hashes) for record in (old, new)]
    if all(map(all, named)):
        yield from _named_rows(old, new, noun, with_inputs=has_other_inputs)
        return
    if old.num_rows != new.num_rows:
        yield f"{count(new.num_rows, noun)}, which were {old.num_rows:,}"
    elif old.labels != new.labels:
        yield f"other labels of {new.target}, or the {noun}s in another order"
    yield from _files(old, new)


def _files(old: DataRecord, new: DataRecord) -> Iterator[str]:
    """Compare the bytes of large files."""
    before = {file.sha256 for file in old.files}
    changed = [file.name for file in new.files if file.sha256 not in before]
    if changed:
        yield printable(f"another content of {first_few(changed)}")


def _named_rows(old: DataRecord, new: DataRecord, noun: str, *, with_inputs: bool) -> Iterator[str]:
    """Name the rows that are new, gone or changed."""
    is_hashed = with_inputs and bool(old.input_hashes) and bool(new.input_hashes)
    labels = unpack(old.label_hashes), unpack(new.label_hashes)
    if not is_hashed:
        inputs = tuple(np.zeros_like(hashes) for hashes in labels)
    else:
        inputs = unpack(old.input_hashes), unpack(new.input_hashes)
    if new.image_shape is not None and len(set(old.names)) == old.num_rows:
        pairs, added, gone = _by_name(old.names, new.names)
    elif old.num_rows == new.num_rows:
        pairs, added, gone = np.arange(new.num_rows)[:, None].repeat(2, 1), [], []
    else:
        both = [
            i.astype(np.uint64) << np.uint64(32) | y for i, y in zip(inputs, labels, strict=True)
        ]
        pairs = np.empty((0, 2), np.int64)
        added = np.flatnonzero(~np.isin(both[1], both[0])).tolist()
        gone = np.flatnonzero(~np.isin(both[0], both[1])).tolist()
        yield f"{count(new.num_rows, noun)}, which were {old.num_rows:,}"
    changed = pairs[inputs[0][pairs[:, 0]] != inputs[1][pairs[:, 1]], 1].tolist()
    relabelled = pairs[labels[0][pairs[:, 0]] != labels[1][pairs[:, 1]], 1].tolist()
    what = "cells" if new.image_shape is None else "pixels"
    if changed and sorted(inputs[0]) == sorted(inputs[1]):
        yield f"the same {noun}s in another order: {_some(new, changed)}"
        return
    for words, record, rows in (
        (f"new {noun}s", new, added),
        (f"{noun}s that are gone", old, gone),
        (f"other {what} in", new, changed),
        ("other labels in", new, relabelled),
    ):
        if rows:
            yield f"{words}: {_some(record, rows)}"
    if with_inputs and not is_hashed:
        yield from _files(old, new)


def _some(record: DataRecord, rows: list[int]) -> str:
    return first_few(map(record.row, rows), total=len(rows))


def _by_name(old: Sequence[str], new: Sequence[str]) -> tuple[np.ndarray, list[int], list[int]]:
    """Pair rows of the same name; also return those that only one side has."""
    places, known = {name: k for k, name in enumerate(old)}, set(new)
    pairs = [(places[name], k) for k, name in enumerate(new) if name in places]
    added = [k for k, name in enumerate(new) if name not in places]
    gone = [k for k, name in enumerate(old) if name not in known]
    return np.array(pairs, np.int64).reshape(-1, 2), added, gone


def _moved(old: DataRecord, new: DataRecord) -> str:
    """Say how many test rows were train rows before."""
    if not old.splits or len(old.splits) != len(new.splits):
        return ""
    test = SPLITS.index("test")
    known = sum(
        before == "0" and now == str(test)
        for before, now in zip(old.splits, new.splits, strict=True)
    )
    return f" ({known:,} of the {new.sizes['test']:,} test rows were trained on)"
