"""Many runs in; for each data set one table out, seeds gathered, the best runs first."""

import difflib
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kindling.errors import ConfigError, Problem
from kindling.report.run import HEADLINES, LARGE_IS_GOOD, Run, as_text

REPEATS = ("seed", "fold")  # runs that differ in keys of these last names alone are one group


@dataclass(frozen=True)
class Group:
    """Runs whose settings are equal but for seed or fold; a single run is a group too.

    Args:
        runs: sorted as the groups are.
        mean: of each number, over the runs that have it.
        spread: standard deviation (n - 1); none where only one run has the number.
    """

    runs: tuple[Run, ...]
    mean: Mapping[str, float]
    spread: Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """Runs that learnt the same task from the same data.

    Args:
        data: the name of the data set.
        task: classification or regression.
        settings: keys that differ between the runs.
        numbers: names of the numbers to show.
        sorted_by: one of either.
        groups: the best first.
    """

    data: str
    task: str
    settings: tuple[str, ...]
    numbers: tuple[str, ...]
    sorted_by: str
    groups: tuple[Group, ...]


def compare(runs: Sequence[Run], sort: str | None = None) -> list[Table]:
    """Put runs on the same data into one table.

    Args:
        runs: in any order.
        sort: a number such as test/log_loss, or a setting such as model.width; by default the
            headline metric on the val rows. Tables without that key keep the default.

    Raises:
        ConfigError: no run has that key.
    """
    known = {key for run in runs for key in (*run.numbers, *run.settings)}
    if sort is not None and sort not in known:
        near = difflib.get_close_matches(sort, sorted(known), n=3, cutoff=0.4)
        fix = f"type one of {', '.join(near or [*sorted(known)[:12], '...'])}"
        raise ConfigError(Problem("--sort needs a number or a setting of the runs", sort, fix))
    kinds: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.folder):
        kinds.setdefault((run.data, run.headline), []).append(run)
    return [_table(kinds[kind], *kind, sort) for kind in sorted(kinds)]


def _table(runs: list[Run], data: str, headline: str, sort: str | None) -> Table:
    settings = differing(runs)
    numbers = [f"val/{headline}", f"test/{headline}", f"baseline/{headline}"]
    numbers += ["best_epoch", "seconds", "num_parameters"]
    measured = {name for run in runs for name in run.numbers}
    is_known = sort in measured or any(sort in run.settings for run in runs)
    key = sort if sort is not None and is_known else numbers[0]
    if key in measured and key not in numbers:
        numbers.insert(0, key)
    shown = tuple(name for name in numbers if name in measured)
    order = _order(key)
    groups = [gather(sorted(equal, key=order)) for equal in _equal(runs, settings)]
    groups.sort(key=lambda group: order(replace(group.runs[0], numbers=group.mean)))
    return Table(data, HEADLINES[headline], tuple(settings), shown, key, tuple(groups))


def differing(runs: Sequence[Run]) -> list[str]:
    """Return the settings that differ, each once, however many keys hold copies of it."""
    columns: dict[str, tuple[str, ...]] = {}
    for key in dict.fromkeys(key for run in runs for key in run.settings):
        columns[key] = tuple(_text(run, key) for run in runs)
    shown: dict[tuple[str, tuple[str, ...]], str] = {}
    for key in sorted(columns, key=lambda key: key.count(".")):  # seed before data.seed
        if len(set(columns[key])) > 1 and not _implied(runs, key):
            shown.setdefault((_last(key), columns[key]), key)
    return [key for key in columns if key in shown.values()]


def gather(runs: Sequence[Run]) -> Group:
    """Take mean and spread of each number over the runs of a group."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for name, value in run.numbers.items():
            values.setdefault(name, []).append(value)
    mean = {name: statistics.fmean(found) for name, found in values.items()}
    spread = {name: statistics.stdev(found) for name, found in values.items() if len(found) > 1}
    return Group(tuple(runs), mean, spread)


def _equal(runs: Iterable[Run], settings: Iterable[str]) -> Iterable[list[Run]]:
    """Part the runs by all settings that differ, but for seed and fold."""
    keys = [key for key in settings if _last(key) not in REPEATS]
    same: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        same.setdefault(tuple(_text(run, key) for key in keys), []).append(run)
    return same.values()


def _implied(runs: Iterable[Run], key: str) -> bool:
    """Whether the class of the key's section says it all: SGD has a momentum, AdamW has none."""
    section = key.rpartition(".")[0]
    values = {_text(run, key) for run in runs if key in run.settings}
    having = {_text(run, section) for run in runs if key in run.settings}
    lacking = {_text(run, section) for run in runs if key not in run.settings}
    return len(values) == 1 and having.isdisjoint(lacking)


def is_better_large(key: str) -> bool:
    """Whether the best runs have the largest numbers of that name."""
    return key.rpartition("/")[2] in LARGE_IS_GOOD


def _order(key: str) -> Callable[[Run], tuple]:
    """Make what runs are sorted by: good numbers first, settings as they rise, then the rest."""
    sign = -1 if is_better_large(key) else 1

    def order(run: Run) -> tuple[bool, bool, float, str]:
        value = run.numbers.get(key, run.settings.get(key))
        if isinstance(value, int | float):
            return False, False, sign * value, ""
        return value is None, True, 0.0, str(value)

    return order


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _text(run: Run, key: str) -> str:
    return as_text(run.settings[key]) if key in run.settings else ""
