"""Compose a configuration in a notebook or a script, and check it again once it was edited."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from kindling.config.compose import compose_config, register_resolvers
from kindling.config.overrides import check_overrides, with_trainer_keys
from kindling.config.replay import found_run, replay
from kindling.config.run_state import chosen_run
from kindling.errors import ConfigError, Problem
from kindling.quoting import as_typed
from kindling.runs import CONFIG_FILE

OF_THE_RUN = ("run_dir", "overrides")  # root keys that are no settings


def compose_checked(overrides: list[str], conf: str | Path | None) -> DictConfig:
    """Compose conf/train.yaml as the command line does, with the same checks.

    Args:
        overrides: as they are typed behind `python train.py`.
        conf: the folder; None looks for it, see `find_conf`.

    Raises:
        ConfigError: lists everything that is wrong with the overrides.
    """
    folder = find_conf(conf)
    register_resolvers(folder.parent)
    typed = replay(chosen_run(with_trainer_keys(overrides, folder), folder))
    check_overrides(typed, folder, is_sweep=False)
    return compose_config(folder, typed)


def find_conf(given: str | Path | None) -> Path:
    """Find conf/ beside train.py: in the working directory, above it, or on sys.path."""
    if given is not None:
        folder = Path(given).absolute()
        if not (folder / "train.yaml").is_file():
            got, fix = f"no train.yaml in {folder}", 'type conf="path/of/the/clone/conf"'
            raise ConfigError(Problem("conf must be a folder with train.yaml", got, fix))
        return folder
    here = Path.cwd()
    for root in (here, *here.parents, *map(Path, sys.path)):
        if (root / "train.py").is_file() and (root / "conf" / "train.yaml").is_file():
            return root.absolute() / "conf"
    rule = "conf/ must lie beside train.py in the working directory, above it, or on sys.path"
    fix = 'type sys.path.insert(0, "path/of/the/clone"), or conf="path/of/the/clone/conf"'
    raise ConfigError(Problem(rule, f"none from {here} on", fix))


def compose_edited(cfg: DictConfig, conf: Path) -> DictConfig:
    """Compose again what `compose_checked` has composed, with what was edited since.

    So what runs is what overrides.txt will say. `cfg` keeps two things: its `overrides` take up
    the edits, and a `run_dir` that an earlier run has filled is replaced by a new one.

    Raises:
        ConfigError: lists everything that is wrong with the edits.
    """
    if OmegaConf.is_missing(cfg, "overrides") or OmegaConf.is_interpolation(cfg, "overrides"):
        rule, fix = "train takes a configuration of kindling.compose", "type kindling.compose(...)"
        raise ConfigError(Problem(rule, "one that was composed in another way", fix))
    fresh = compose_config(conf, list(cfg.overrides))
    before, after = (OmegaConf.to_container(c, resolve=False) for c in (fresh, cfg))
    edited_keys = edits(before, after)  # type: ignore[arg-type]
    overrides = [*cfg.overrides, *map(found_run, edited_keys)]
    check_overrides(overrides, conf, is_sweep=False)
    edited = compose_config(conf, overrides)
    is_used = cfg.resume is None and (Path(cfg.run_dir) / CONFIG_FILE).exists()
    edited.run_dir = fresh.run_dir if is_used else cfg.run_dir
    cfg.overrides, cfg.run_dir = overrides, edited.run_dir
    return edited


def edits(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Give the overrides that make the one configuration of the other."""
    for name in dict.fromkeys([*before, *after]):
        key, old, new = f"{prefix}{name}", before.get(name), after.get(name)
        if name not in after:
            yield f"~{key}"
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from edits(old, new, f"{key}.")
        elif key not in OF_THE_RUN and (name not in before or old != new):
            if not re.fullmatch(r"[\w.-]+", key):
                rule, fix = "an edit must be one that can be typed", "give it to kindling.compose"
                raise ConfigError(Problem(rule, f"an edit of {key}", fix))
            yield f"{'' if name in before else '+'}{key}={as_typed(new)}"
