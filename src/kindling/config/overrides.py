"""Check the overrides of a command line, and list everything that is wrong with them at once.

Hydra stops at the first unknown key and calls it an error of the program. Here each gets the
nearest right one, before torch is imported.
"""

import difflib
import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from kindling.config.compose import compose_unfilled
from kindling.config.keys import exists, kept_problem, key_problems, takes, value_of
from kindling.config.signatures import forget
from kindling.config.values import MOVED, leaf_problems, rules_of, value_problems
from kindling.config.yaml_keys import TYPED, ConfFiles, syntax_problem, yaml_problems
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting, Way
from kindling.quoting import as_override

TRAINER = {"_target_": "lightning.Trainer"}
SEVERAL = ("callbacks", "experiment", "logger")  # groups of which several files go together
MAX_COMBINATIONS = 64  # of groups in a sweep that are composed beforehand


def check_overrides(overrides: list[str], conf: Path, *, is_sweep: bool) -> None:
    """Raise a ConfigError that lists everything wrong with the command line."""
    forget()
    read = [read_override(text) for text in overrides]
    parsed, problems = [o for o, _ in read if o is not None], list[Problem]()
    own = [o for o in parsed if not o.key_or_group.startswith("hydra")]
    groups = [o for o in own if (conf / o.key_or_group).is_dir()]
    wrong = {id(o): _choice_problems(o, conf) for o in groups}
    problems += itertools.chain(*wrong.values())
    groups = [o for o in groups if not wrong[id(o)]]
    if not is_sweep:
        problems += [_sweep_problem(o, None) for o in groups if o.is_sweep_override()]
        spaces = [o for o in groups if o.key_or_group == "sweep" and o.value() is not None]
        rule = "a search space is for several runs"
        problems += [Problem(rule, o.input_line or "", "type -m to search it") for o in spaces]
    values = [o for o in own if not (conf / o.key_or_group).is_dir()]
    rule = "a sweep must have a value to try"
    empty = [o for o in values if not expand(o)]
    problems += [Problem(rule, o.input_line or "", "correct its ends") for o in empty]
    values = [o for o in values if o not in empty]
    sweeper = [o.input_line or "" for o in parsed if o.key_or_group == "hydra/sweeper"]
    # Keys and defaults depend on the chosen files, so values are checked for each combination.
    try:
        for chosen in itertools.islice(itertools.product(*map(expand, groups)), MAX_COMBINATIONS):
            problems += _check_values([*chosen, *sweeper], values, conf, is_sweep=is_sweep)
    except yaml.YAMLError as error:
        problems.append(syntax_problem(error, conf))
    except (HydraException, OmegaConfBaseException) as error:
        message = " ".join(str(error).split())
        problems.append(Problem("conf/ and the overrides must fit", message, "correct them"))
    # How to quote a key that there is not would be of no help.
    told = {problem.got for problem in problems}
    unquoted = [p for o, p in read if p is not None and (o is None or o.input_line not in told)]
    problems = [*unquoted, *problems]
    if problems:
        raise ConfigError(*dict.fromkeys(problems))


def with_trainer_keys(overrides: list[str], conf: Path) -> list[str]:
    """Let all keys of Lightning's Trainer be typed alike, also those that conf/trainer lacks."""
    files = (file.read_text(encoding="utf-8") for file in (conf / "trainer").glob("*.yaml"))
    written = {key for text in files for key in re.findall(r"^(\w+):", text, re.MULTILINE)}

    def as_added(text: str) -> str:
        key = text.partition("=")[0]
        section, _, name = key.partition(".")
        is_further = section == "trainer" and name not in written and key not in MOVED
        return f"++{text}" if is_further and takes(TRAINER, name) else text

    return [as_added(text) for text in overrides]


def _check_values(
    groups: list[str], values: list[Override], conf: Path, *, is_sweep: bool
) -> list[Problem]:
    """Check keys, types and ranges against the configuration that these groups make up."""
    composed = compose_unfilled(conf, groups, with_hydra=True)
    plain: Any = OmegaConf.to_container(composed, resolve=False)
    choices = plain.pop("hydra")["runtime"]["choices"]
    files = ConfFiles(conf, choices)
    as_written = deepcopy(plain)
    # A class that is typed decides which further keys there are, and what they take.
    for override in values:
        if is_class(override) and exists(plain, override.key_or_group):
            section = value_of(plain, override.key_or_group.rpartition(".")[0])
            section["_target_"] = override.value()
    rules = rules_of(plain)
    # First the keys: Hydra would stop at a wrong one, and tell nothing of the values.
    singles = [parse(expand(override))[0] for override in values]
    found = [[key_problems(single, plain, rules) for single in several] for several in singles]
    sound = [several[0] for several, p in zip(singles, found, strict=True) if not any(p)]
    cfg = compose_unfilled(conf, [*groups, *(o.input_line or "" for o in sound)])
    rest = [o for several in singles for o in several[1:]]  # of sweeps; the first is in cfg
    checked = [leaf_problems(o.key_or_group, o.value(), rules) for o in rest]
    if not is_sweep:
        several = [o for o in values if o.is_sweep_override()]
        checked += [iter([_sweep_problem(o, _default(o, plain))]) for o in several]
    else:
        checked += [_interval_problems(values, choices["hydra/sweeper"])]
    changed: Any = OmegaConf.to_container(cfg, resolve=False)

    typed = {override.key_or_group for override in values}

    def where(key: str) -> str:
        if key in typed:
            return TYPED
        is_written = exists(as_written, key) and value_of(as_written, key) == value_of(changed, key)
        return files.where(key) if is_written else TYPED

    def place(key: str) -> str:
        return "" if where(key) == TYPED else f" in {where(key)}"

    checked += [iter(yaml_problems(as_written, changed, files, where))]
    return [*itertools.chain(*itertools.chain(*found), *checked), *value_problems(cfg, place)]


def _default(override: Override, plain: Any) -> Any:
    key = override.key_or_group
    return value_of(plain, key) if exists(plain, key) else None


def is_class(override: Override) -> bool:
    """Say whether an override names another class in a section that is there."""
    is_name = override.key_or_group.endswith("._target_") and isinstance(override.value(), str)
    return is_name and not (override.is_add() or override.is_delete())


def parse(overrides: list[str]) -> tuple[list[Override], list[Problem]]:
    """Read each override as `read_override` does; list those that can be read, and the problems."""
    read = [read_override(text) for text in overrides]
    return [o for o, _ in read if o is not None], [p for _, p in read if p is not None]


def read_override(text: str) -> tuple[Override | None, Problem | None]:
    """Read an override by Hydra's grammar; explain how to quote one that it cannot read.

    Such a one is then read as if it were quoted, so that what else is wrong with it is listed too.
    """
    parser = OverridesParser.create()
    try:
        return parser.parse_override(text), None
    except HydraException:
        key, equals, value = text.partition("=")
        rule = "an override is key=value; spaces, brackets, commas and quotes need quoting"
        meant = Setting(key, as_meant(value) if equals else ...)
        problem = Problem(rule, text, meant)
    with suppress(HydraException):
        return parser.parse_override(as_override(key, meant.value)), problem
    return None, problem


def as_meant(text: str) -> Any:
    """Read a value that the grammar cannot read: a list, a mapping, or most often one text."""
    inner, ends = text[1:-1].strip(), text[:1] + text[-1:]
    if ends == "[]":
        return [as_meant(part.strip()) for part in inner.split(",")]
    if ends == "{}" and all(":" in part for part in inner.split(",")):
        pairs = [part.rpartition(":") for part in inner.split(",")]
        return {as_meant(name.strip()): as_meant(value.strip()) for name, _, value in pairs}
    is_quoted = len(text) > 1 and ends in ("''", '""')
    return text[1:-1] if is_quoted else text


def expand(override: Override) -> list[str]:
    """Return an override as the overrides of the single runs that it stands for."""
    if not override.is_sweep_override():
        return [override.input_line or ""]
    if override.is_interval_sweep():  # both ends: what lies between them is as good
        interval: Any = override.value()
        return [f"{override.get_key_element()}={end}" for end in (interval.start, interval.end)]
    return [f"{override.get_key_element()}={v}" for v in override.sweep_string_iterator()]


def _sweep_problem(override: Override, default: Any) -> Problem:
    """Offer a sweep; or one list, or one text, by what stands there by default."""
    text = override.input_line or ""
    key, _, value = text.partition("=")
    ways: list[Way] = ["type -m to try each of them"]
    if isinstance(default, list):
        ways += [Setting(key, as_meant(f"[{value}]"), "for one list")]
    elif default is None or isinstance(default, str):
        ways += [Setting(key, value, "for one text")]
    return Problem("several values for one key are a sweep", text, tuple(ways))


def _interval_problems(values: list[Override], sweeper: str) -> Iterator[Problem]:
    """Refuse what has no end of values where each of them is to be tried."""
    for override in values if sweeper == "basic" else ():
        if override.is_interval_sweep():
            rule, fix = "an interval is for a search", "type hydra/sweeper=optuna, or single values"
            yield Problem(rule, override.input_line or "", fix)


def _choice_problems(override: Override, conf: Path) -> list[Problem]:
    """Name the nearest file of conf/GROUP for each choice that is none."""
    group, problems = override.key_or_group, []
    known = sorted(path.stem for path in (conf / group).glob("*.yaml"))
    if override.is_delete():
        return [kept_problem(group, override.input_line or "")]
    several = override.value() if group in SEVERAL else None
    for text in (several or [""]) if isinstance(several, list) else expand(override):
        choice = str(text).rpartition("=")[2]
        if choice not in known:
            near = difflib.get_close_matches(choice, known, n=1, cutoff=0.3)
            hint = f"did you mean {group}={near[0]}? " if near else ""
            rule = f"{group} must name a file of conf/{group}"
            got = override.input_line if isinstance(several, list) else text
            problems.append(Problem(rule, got or "", f"{hint}there are {', '.join(known)}"))
    return problems
