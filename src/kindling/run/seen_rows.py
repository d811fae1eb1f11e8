"""Find rows of val and test that an earlier run, whose weights a run starts from, was trained on.

Its network knows their answers: scores on them would look better than they are.
"""

from pathlib import Path

import numpy as np

from kindling.config.replay import read_config
from kindling.contract import DescribedData
from kindling.data_record import DataRecord, make_record, read_record, unpack
from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import first_few, short_path
from kindling.runs import CONFIG_FILE
from kindling.types import SPLITS

CODE = "D310"
MOST_RUNS = 16  # one behind the other


def find_seen_rows(run: Path, data: DescribedData) -> str:
    """Add a warning to the data's findings where there are such rows; return a note for the plan.

    Args:
        run: the folder of the earlier run, or its bundle alone.
        data: of this run.
    """
    now = make_record(data)
    seen, unknown = np.zeros(now.num_rows, bool), ""
    for each in lineage(run):
        known = seen_by(each, now)
        if known is None:
            unknown = f"which rows {short_path(str(each))} was trained on is not known"
        else:
            seen |= known
    told = []
    for place, split in enumerate(SPLITS[1:] if seen.any() else (), start=1):
        rows = np.flatnonzero(seen & (splits_of(now) == place)).tolist()
        if rows:
            named = first_few(map(now.row, rows[:3]), 3, total=len(rows))
            told.append(f"{len(rows):,} of {now.sizes[split]:,} {split} rows ({named})")
    if told:
        rule = "rows of val and test should be new to the run that this one starts from"
        got = f"train rows of {short_path(str(run))}: {', '.join(told)}"
        same = "type the seed and the split's keys of that run"
        ways = (same, Setting("init_from", None, "to start anew"))
        data.findings.append(Problem(rule, got, ways, CODE))
    return unknown


def lineage(run: Path) -> list[Path]:
    """List a run, the one that it has started from itself, and so on."""
    found: list[Path] = []
    while run not in found and len(found) < MOST_RUNS:
        found.append(run)
        origin = read_config(run).get("init_from") if (run / CONFIG_FILE).is_file() else None
        run = Path(origin) if isinstance(origin, str) else run
    return found


def seen_by(run: Path, now: DataRecord) -> np.ndarray | None:
    """Return which rows were train rows of a run: bool (N,); None where nobody knows."""
    before = read_record(run) if run.is_dir() else None
    if before is None:
        return None
    if (before.inputs, before.split) == (now.inputs, now.split):
        return np.zeros(now.num_rows, bool)  # the same rows in the same splits
    keys = [keys_of(record, with_label=before.target == now.target) for record in (before, now)]
    if keys[0] is None or keys[1] is None:
        return None
    return np.isin(keys[1], keys[0][splits_of(before) == SPLITS.index("train")])


def keys_of(record: DataRecord, *, with_label: bool) -> np.ndarray | None:
    """Return uint64 (N,) that tell rows apart; None where they were too many to be kept.

    32 bits of a row alone would make two of many rows one by chance: the label's stand beside them,
    unless the two runs learn different targets.
    """
    if not record.input_hashes or not record.label_hashes or not record.splits:
        return None
    keys = unpack(record.input_hashes).astype(np.uint64)
    return keys << np.uint64(32) | unpack(record.label_hashes) if with_label else keys


def splits_of(record: DataRecord) -> np.ndarray:
    """Return uint8 (N,): each row's place in SPLITS."""
    return np.frombuffer(record.splits.encode(), np.uint8) - ord("0")
