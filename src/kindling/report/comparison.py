"""Compare finished runs: what differs, mean and std over seeds and folds, the best first."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from kindling.errors import ConfigError, Problem
from kindling.formatting import count, first_few
from kindling.report.run_folders import Run, Value
from kindling.scoring import MetricInfo

ROWS = "data.rows"  # no setting: what tells runs of other rows apart
REPEATS = ("seed", "fold")  # runs that differ in keys of these last names alone are one group


@dataclass(frozen=True)
class Group:
    """Runs whose settings are equal but for seed or fold; a single run is a group too.

    Args:
        runs: sorted as the groups are.
        mean: of each number, over the runs that have it.
        std: standard deviation (n - 1); none where only one run has the number.
    """

    runs: tuple[Run, ...]
    mean: Mapping[str, float]
    std: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Runs that learnt the same target of the same data and have the same primary metric.

    Args:
        data: the name of the data set.
        metric: the primary one.
        settings: keys that differ between the runs.
        numbers: names of the numbers to show.
        sorted_by: one of either.
        is_descending: whether the largest are the best by that.
        groups: the best first.
        notes: what a reader must know of the rows behind the numbers, in sentences.
    """

    data: str
    problem_type: str
    metric: MetricInfo
    settings: tuple[str, ...]
    numbers: tuple[str, ...]
    sorted_by: str
    is_descending: bool
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        num_runs = sum(len(group.runs) for group in self.groups)
        facts = [self.problem_type, count(num_runs, "run")]
        return f"{self.data}: {', '.join(fact for fact in facts if fact)}"

    @property
    def head(self) -> list[str]:
        """Names of the columns."""
        return ["run", *self.settings, *self.numbers]


def compare(runs: Sequence[Run], sort: str | None = None) -> list[Comparison]:
    """Put runs on the same data into one table.

    Args:
        runs: in any order.
        sort: a number such as test/log_loss, or a setting such as model.width; by default the
            primary metric on the val rows. Tables without that key keep the default.

    Raises:
        ConfigError: no run has that key.
    """
    known = {key for run in runs for key in (*run.numbers, *run.settings)}
    if sort is not None and sort not in known:
        near = difflib.get_close_matches(sort, sorted(known), n=3, cutoff=0.4)
        fix = f"type one of {', '.join(near) or first_few(sorted(known), 12)}"
        raise ConfigError(Problem("--sort needs a number or a setting of the runs", sort, fix))
    same: dict[tuple[str, ...], list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.folder):
        metric = run.metric
        # Other rows under the same name are another data set: its scores tell nothing of these.
        measured = (metric.name, metric.direction, str(metric.range))
        key = (run.data, run.problem_type, *measured, run.labels)
        same.setdefault(key, []).append(run)
    tables = [_compare(same[key], sort) for key in sorted(same)]
    return [_told_apart(table, tables) for table in tables]


def _told_apart(table: Comparison, tables: Sequence[Comparison]) -> Comparison:
    """Say where another table is of the same file or folder as it was at another time."""
    same = (table.data, table.problem_type, table.metric)
    if [(each.data, each.problem_type, each.metric) for each in tables].count(same) == 1:
        return table
    labels = table.groups[0].runs[0].labels
    which = f"labels {labels[:4]}" if labels else "rows unknown"
    note = f"other runs of {table.data} have other rows or labels: they are a table of their own"
    return replace(table, data=f"{table.data} ({which})", notes=(note, *table.notes))


def _compare(runs: list[Run], sort: str | None) -> Comparison:
    metric = runs[0].metric
    numbers = [f"{what}/{metric.name}" for what in ("val", "test", "baseline")]
    numbers += ["best_epoch", "seconds", "num_parameters"]
    values = pd.DataFrame([dict(run.numbers) for run in runs]).astype(float)
    is_known = sort in values or any(sort in run.settings for run in runs)
    key = sort if sort is not None and is_known else numbers[0]
    if key in values and key not in numbers:
        numbers.insert(0, key)
    # The direction of any metric, as the first run that has it recorded it.
    infos = {name: info for run in reversed(runs) for name, info in run.metrics.items()}
    info = infos.get(key.rpartition("/")[2])
    is_descending = info is not None and info.direction == "max"
    order = _order(is_descending)

    # As text, so that 1 and 1.0, a list, and a setting that a run lacks ("") can be compared.
    text = pd.DataFrame([_texts(run) for run in runs]).fillna("")
    settings, equal = _settings(text)
    rows = _rows_apart(runs, text, equal)
    if rows is not None:
        runs = [
            replace(run, settings={**run.settings, ROWS: word})
            for run, word in zip(runs, rows, strict=True)
        ]
        text[ROWS] = rows
        settings, equal = _settings(text)
    group_of = text.groupby(equal, sort=False).ngroup() if equal else pd.Series(0, text.index)
    # A run typed twice is no second draw: it would only make the spread look small.
    scores = [name for name in values if "/" in name]
    is_copy = pd.concat([text, values[scores]], axis=1).duplicated()
    drawn = values[~is_copy].groupby(group_of)
    mean, std = drawn.mean(), drawn.std()
    # Runs are sorted within their group, then groups by their mean.
    ranked: list[tuple[tuple[Any, ...], Group]] = []
    for number, positions in group_of.groupby(group_of).groups.items():
        members = sorted(
            (runs[position] for position in positions),
            key=lambda run: order(run.numbers.get(key, run.settings.get(key))),
        )
        means, stds = (frame.loc[number].dropna().to_dict() for frame in (mean, std))
        rank = order(means.get(key, members[0].settings.get(key)))
        ranked.append((rank, Group(tuple(members), means, stds)))
    groups = tuple(group for _, group in sorted(ranked, key=lambda pair: pair[0]))
    shown = tuple(name for name in numbers if name in values)
    return Comparison(
        runs[0].data,
        runs[0].problem_type,
        metric,
        tuple(settings),
        shown,
        key,
        is_descending,
        groups,
        tuple(_notes(runs, groups, int(is_copy.sum()), has_other_rows=rows is not None)),
    )


def _settings(text: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the settings that differ, and those of them that a repetition shares."""
    settings = differing(text)
    return settings, [setting for setting in settings if last_name(setting) not in REPEATS]


def _rows_apart(runs: list[Run], text: pd.DataFrame, equal: list[str]) -> list[str] | None:
    """Tell runs apart that would pass for repetitions, but are of other rows; None: there are none.

    Seed and fold draw another test set of the same rows, which is what they are varied for.
    """
    repeats = [key for key in text if last_name(key) in REPEATS]
    seen: dict[tuple[str, ...], set[str]] = {}
    drawn: dict[tuple[str, ...], set[str]] = {}
    for place, run in enumerate(runs):
        settings = tuple(text.loc[place, equal])
        seen.setdefault(settings, set()).add(run.rows)
        drawn.setdefault((*settings, *text.loc[place, repeats]), set()).add(run.test)
    if all(len(digests) == 1 for digests in (*seen.values(), *drawn.values())):
        return None
    is_same = all(len(digests) == 1 for digests in seen.values())
    return [(run.test if is_same else run.rows)[:4] or "unknown" for run in runs]


def _notes(
    runs: list[Run], groups: tuple[Group, ...], num_copies: int, *, has_other_rows: bool
) -> Iterator[str]:
    """Say what the numbers of a table do not: which runs and rows they are of."""
    if num_copies:
        copies = count(num_copies, "run")
        yield f"{copies} with the settings and scores of another: in no mean, in no std"
    if has_other_rows:
        yield f"runs of other rows are no repetitions, and not averaged: {ROWS} tells them apart"
    tests = [{run.test for run in group.runs} for group in groups]
    if any(len(each) > 1 for each in tests):
        yield "each seed or fold was tested on rows of its own: the std is over both"
    if len({frozenset(each) for each in tests}) > 1:
        yield "not all lines were tested on the same rows: small differences may be theirs"
    unknown = sum(not run.test for run in runs)
    if unknown and len(runs) > 1:
        yield f"{count(unknown, 'run')} without data.json: which rows they tested is not known"


def differing(text: pd.DataFrame) -> list[str]:
    """Return the settings that differ, each once, however many keys hold copies of it.

    Args:
        text: a line for each run, a column for each setting; "" where a run lacks it.
    """
    found: dict[tuple[str, ...], str] = {}
    for key in sorted(text, key=lambda key: key.count(".")):  # seed before data.seed
        if text[key].nunique() > 1 and not _is_implied(text, key):
            found.setdefault((last_name(key), *text[key]), key)
    return [key for key in text if key in found.values()]


def _is_implied(text: pd.DataFrame, key: str) -> bool:
    """Whether the class of the key's section says it all: SGD has a momentum, AdamW has none."""
    section = key.rpartition(".")[0]
    if section not in text:
        return False
    has = text[key] != ""
    return text[key][has].nunique() == 1 and not set(text[section][has]) & set(text[section][~has])


def _order(is_descending: bool) -> Callable[[Value], tuple[Any, ...]]:
    """Make what values are sorted by: good numbers first, text as it rises, then nothing."""
    sign = -1 if is_descending else 1

    def order(value: Value) -> tuple[bool, bool, float, str]:
        if isinstance(value, int | float):
            return False, False, sign * value, ""
        return value is None, True, 0.0, str(value)

    return order


def last_name(key: str) -> str:
    """Return seed of data.seed."""
    return key.rpartition(".")[2]


def _texts(run: Run) -> dict[str, str]:
    return {key: as_text(value) for key, value in run.settings.items()}


def as_text(value: Value) -> str:
    """Write a setting as it would be typed."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
