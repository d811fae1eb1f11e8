"""Begin a search: read its space and options, refuse what cannot be done, open its study.

`python train.py -m hydra/sweeper=optuna 'model.width=choice(64,128)'`; a search that was stopped or
killed goes on with the same command and `hydra.sweep.dir=FOLDER`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from kindling.cli.input_output import require_package
from kindling.config.compose import compose_unfilled, project_folder
from kindling.config.overrides import check_overrides
from kindling.config.values import leaves
from kindling.errors import ConfigError, Problem
from kindling.quoting import shell_line
from kindling.run.lock import locked
from kindling.runs import RUNS
from kindling.search.ask_and_tell import Search
from kindling.search.space import describe, distributions, ends, read_words
from kindling.search.study import open_study
from kindling.search.summary import sum_up
from kindling.trainer.signals import STOP

CHOICES = {
    "sampler": ("tpe", "random"),
    "pruner": ("median", "halving", "none"),
    "storage": ("sqlite", "journal"),
}
SWEEP = "sweep"  # the group of search spaces in conf/


def search(cfg: DictConfig, words: Sequence[str], options: Mapping[str, Any]) -> None:
    """Run trials until the study has `n_trials` finished ones.

    Args:
        cfg: of Hydra, with the sweep's own file.
        words: that were typed, Hydra's own left out.
        options: those of OptunaConf, which docs/sweeps.md tells of.

    Raises:
        ConfigError: lists what is wrong with the search.
        SystemExit: with the first failure's code, where no trial has gone well.
    """
    require_package("optuna", "sweep")
    _check_options(cfg, words, options)
    params: Any = OmegaConf.to_container(options["params"], resolve=True)
    searched, fixed = read_words(params, [word for word in words if not _is_sweep(word)])
    _refuse_other_keys(cfg, words)
    space = distributions(searched)
    checked = [*fixed, *(ends(key, each) for key, each in space.items())]
    check_overrides(checked, project_folder() / "conf", is_sweep=True)
    HydraConfig.instance().set_config(cfg)  # its folder may name what is chosen
    folder = Path(cfg.hydra.sweep.dir)
    if folder == RUNS:  # that of all runs: nobody has named one
        folder /= cfg.hydra.sweep.subdir
    settings = {key: describe(each) for key, each in space.items()}
    settings |= {"words": shell_line(fixed), "monitor": cfg.monitor, "mode": cfg.mode}
    with locked(folder):
        pruner = options["pruner"]
        study = open_study(folder, options["storage"], settings, mode=cfg.mode, pruner=pruner)
        running = Search(study, space, fixed, folder, cfg.monitor, cfg.seed, options)
        with STOP.at_last(running.stop):
            running.go()
    sum_up(study, folder, cfg.monitor, fixed)
    running.leave()


def _check_options(cfg: DictConfig, words: Sequence[str], options: Mapping[str, Any]) -> None:
    rule = "each trial has a folder of its own"
    ways = "leave it out, or type hydra.sweep.dir="
    problems = [Problem(rule, word, ways) for word in words if word.startswith("run_dir=")]
    for name, known in CHOICES.items():
        if options[name] not in known:
            rule = f"hydra.sweeper.{name} must be one of {', '.join(known)}"
            problems.append(Problem(rule, str(options[name]), "type one of them"))
    for name in ("n_trials", "n_jobs", "timeout_s"):
        if options[name] is not None and options[name] <= 0:
            rule = f"hydra.sweeper.{name} must be positive"
            problems.append(Problem(rule, str(options[name]), "type a larger one"))
    launcher = cfg.hydra.runtime.choices["hydra/launcher"]
    if launcher != "basic":
        rule = "a search starts its trials itself"
        problems.append(Problem(rule, f"hydra/launcher={launcher}", "leave it out"))
    if problems:
        raise ConfigError(*problems)


def _is_sweep(word: str) -> bool:
    return word.partition("=")[0] == SWEEP


def _refuse_other_keys(cfg: DictConfig, words: Sequence[str]) -> None:
    """Refuse keys that a file of conf/sweep sets beside hydra.sweeper: no trial would have them."""
    if not any(map(_is_sweep, words)):
        return
    own = [word for word in words if not _is_sweep(word)]
    without = compose_unfilled(project_folder() / "conf", own)
    before, now = (
        dict(leaves(OmegaConf.to_container(each, resolve=False))) for each in (without, cfg)
    )
    changed = [
        key
        for key, value in now.items()
        if key.partition(".")[0] != "hydra" and (key not in before or before[key] != value)
    ]
    if changed:
        rule = "a file of conf/sweep sets keys of hydra.sweeper only"
        fix = "write them below hydra.sweeper.params there: all trials get them"
        raise ConfigError(Problem(rule, ", ".join(changed), fix))
