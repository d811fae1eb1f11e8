"""Check the overrides of a command line, and list everything that is wrong with them at once.

Hydra stops at the first unknown key and calls it an error of the program. Here each gets the
nearest right one, before torch is imported.
"""

import difflib
import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from kindling.config.compose import compose_unfilled
from kindling.config.keys import exists, kept_problem, key_problems, value_of
from kindling.config.signatures import forget
from kindling.config.values import leaf_problems, rules_of, value_problems
from kindling.errors import ConfigError, Problem

MAX_COMBINATIONS = 64  # of groups in a sweep that are composed beforehand


def check_overrides(overrides: list[str], conf: Path, *, is_sweep: bool) -> None:
    """Raise a ConfigError that lists everything wrong with the command line."""
    forget()
    parsed, problems = parse(overrides)
    own = [o for o in parsed if not o.key_or_group.startswith("hydra")]
    if not is_sweep:
        problems += [_sweep_problem(o) for o in own if o.is_sweep_override()]
    groups = [o for o in own if (conf / o.key_or_group).is_dir()]
    wrong = {id(o): _choice_problems(o, conf) for o in groups}
    problems += itertools.chain(*wrong.values())
    groups = [o for o in groups if not wrong[id(o)]]
    values = [o for o in own if not (conf / o.key_or_group).is_dir()]
    # Keys and defaults depend on the chosen files, so values are checked for each combination.
    try:
        for chosen in itertools.islice(itertools.product(*map(expand, groups)), MAX_COMBINATIONS):
            problems += _check_values(list(chosen), values, conf)
    except (HydraException, OmegaConfBaseException) as error:
        message = " ".join(str(error).split())
        problems.append(Problem("conf/ and the overrides must fit", message, "correct them"))
    if problems:
        raise ConfigError(*dict.fromkeys(problems))


def _check_values(groups: list[str], values: list[Override], conf: Path) -> list[Problem]:
    """Check keys, types and ranges against the configuration that these groups make up."""
    plain: Any = OmegaConf.to_container(compose_unfilled(conf, groups), resolve=False)
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
    return [*itertools.chain(*itertools.chain(*found), *checked), *value_problems(cfg)]


def is_class(override: Override) -> bool:
    """Say whether an override names another class in a section that is there."""
    is_name = override.key_or_group.endswith("._target_") and isinstance(override.value(), str)
    return is_name and not (override.is_add() or override.is_delete())


def parse(overrides: list[str]) -> tuple[list[Override], list[Problem]]:
    """Read each override by Hydra's grammar; explain how to quote one that it cannot read.

    Such a one is then read as if it were quoted, so that what else is wrong with it is listed too.
    """
    parser, parsed, problems = OverridesParser.create(), [], []
    for text in overrides:
        try:
            parsed.append(parser.parse_override(text))
        except HydraException:
            key, equals, value = text.partition("=")
            rule = "an override is key=value; spaces, brackets, commas and quotes need quoting"
            quoted = value.strip("'\"").replace("\\", "\\\\").replace("'", "\\'")
            meant = f"{key}='{quoted}'" if equals else ""
            with suppress(HydraException):
                parsed.append(parser.parse_override(meant))
            fix = f'type "{meant}"' if meant else f"type {key}=..."
            problems.append(Problem(rule, text, fix))
    return parsed, problems


def expand(override: Override) -> list[str]:
    """Return an override as the overrides of the single runs that it stands for."""
    if not override.is_sweep_override() or override.is_interval_sweep():
        return [override.input_line or ""]
    return [f"{override.get_key_element()}={v}" for v in override.sweep_string_iterator()]


def _sweep_problem(override: Override) -> Problem:
    text = override.input_line or ""
    key, _, value = text.partition("=")
    fix = f"type -m to try each of them, or {key}=[{value}] for one list"
    return Problem("several values for one key are a sweep", text, fix)


def _choice_problems(override: Override, conf: Path) -> list[Problem]:
    """Name the nearest file of conf/GROUP for each choice that is none."""
    group, problems = override.key_or_group, []
    known = sorted(path.stem for path in (conf / group).glob("*.yaml"))
    if override.is_delete():
        return [kept_problem(group, override.input_line or "")]
    for text in expand(override):
        choice = text.partition("=")[2]
        if choice not in known:
            near = difflib.get_close_matches(choice, known, n=1, cutoff=0.3)
            hint = f"did you mean {group}={near[0]}? " if near else ""
            rule = f"{group} must name a file of conf/{group}"
            problems.append(Problem(rule, text, f"{hint}there are {', '.join(known)}"))
    return problems
