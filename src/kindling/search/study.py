"""Keep the trials of a search in its folder, as a study of optuna; ask it for the next ones."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindling.errors import ConfigError, Problem
from kindling.formatting import printable
from kindling.rng import derive_seed

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

FILES = {"sqlite": "study.db", "journal": "study.journal"}
TRIAL = "KINDLING_TRIAL"  # in the environment of a trial: its run folder, SEARCH/trial-007
PRUNED = 4  # the exit code of a trial that was ended early
NAME = "kindling"  # of the one study in the file
SETTINGS = "settings"  # the study's attribute: what a restart must not change
PRUNER = "pruner"
WORDS = "words"  # a trial's attribute: what was drawn, as it is typed
RUNG_FACTOR = 2  # rungs are epochs 1, 2, 4, 8, ...
FULL_TRIALS, FULL_EPOCHS = 4, 4  # that the median waits for: noise ends no trial


def open_storage(folder: Path, kind: str | None = None) -> "BaseStorage":
    """Open the file of a search, or make it; without a kind, whichever is there.

    Raises:
        ConfigError: the search was begun in a file of the other kind.
    """
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    there = next((each for each, name in FILES.items() if (folder / name).is_file()), None)
    kind = kind or there
    if there not in (None, kind):
        rule, got = "a search stays in its storage", f"{kind}, and there is {folder / FILES[there]}"
        raise ConfigError(Problem(rule, got, f"type hydra.sweeper.storage={there}"))
    file = folder / FILES[str(kind)]
    if kind == "journal":
        return JournalStorage(JournalFileBackend(str(file)))
    seconds = {"connect_args": {"timeout": 60}}  # that one process waits for another
    return RDBStorage(f"sqlite:///{file.absolute()}", engine_kwargs=seconds)


def open_study(
    folder: Path, storage: str, settings: Mapping[str, str], *, mode: str, pruner: str
) -> "Study":
    """Open the study of a search, or make it.

    Raises:
        ConfigError: it was begun with another space, or other words.
    """
    from optuna import create_study

    study = create_study(
        storage=open_storage(folder, storage),
        study_name=NAME,
        direction="maximize" if mode == "max" else "minimize",
        load_if_exists=True,
        pruner=make_pruner(pruner),
    )
    before = study.user_attrs.get(SETTINGS)
    if before is None:
        study.set_user_attr(SETTINGS, json.dumps(settings))
    elif problems := list(_differences(json.loads(before), settings)):
        raise ConfigError(*problems)
    study.set_user_attr(PRUNER, pruner)  # for the trials, which ask it themselves
    return study


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Problem]:
    rule = "a search goes on with the space and the words that it was begun with"
    fix = "leave it as it was, or leave hydra.sweep.dir= out for a search of its own"
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key, "not there"), now.get(key, "not there")
        if old != new:
            yield Problem(rule, printable(f"{key}: {new}, which was {old}"), fix)


def make_pruner(name: str) -> "BasePruner":
    """Return what ends trials early; it is asked at rungs only, see pruning.py."""
    from optuna.pruners import MedianPruner, NopPruner, SuccessiveHalvingPruner

    if name == "median":
        return MedianPruner(n_startup_trials=FULL_TRIALS, n_warmup_steps=FULL_EPOCHS)
    if name == "halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=RUNG_FACTOR)
    return NopPruner()


def make_sampler(name: str, seed: int, number: int) -> "BaseSampler":
    """Return what draws the settings of one trial: after a restart the same as without one.

    A sampler that is seeded once would, after a restart, draw its first settings again.
    """
    from optuna.samplers import RandomSampler, TPESampler

    drawn = derive_seed(seed, "trial", number) % 2**32
    return RandomSampler(drawn) if name == "random" else TPESampler(seed=drawn)


def trial_folder(search: Path, number: int) -> Path:
    """Name the run folder of a trial."""
    return search / f"trial-{number:03d}"


def load_trial(folder: Path) -> Any:
    """Return the trial of a run folder, for its own process: to report, and to be pruned."""
    from optuna import load_study
    from optuna.samplers import RandomSampler
    from optuna.trial import Trial

    storage = open_storage(folder.parent)
    study = load_study(study_name=NAME, storage=storage, sampler=RandomSampler(0))
    study.pruner = make_pruner(study.user_attrs[PRUNER])
    number = int(folder.name.rpartition("-")[2])
    return Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)
