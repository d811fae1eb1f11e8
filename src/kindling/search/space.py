"""Read a search space: Hydra's choice, range and interval become distributions of optuna.

A value that was drawn becomes a word of the command line again, the same whenever it is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import ChoiceSweep, Override

from kindling.config.overrides import read_override
from kindling.errors import ConfigError, Problem
from kindling.quoting import as_typed

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

DIGITS = 4  # of a number that is drawn: more would not be read, nor matter
OF_THE_STUDY = ("monitor", "mode")  # by which trials are compared


def read_words(
    params: Mapping[str, Any], words: Sequence[str]
) -> tuple[dict[str, Override], list[str]]:
    """Tell what is searched, by key, from the words that every trial gets.

    Args:
        params: of a YAML file; what is typed has the last word.
        words: of the command line.
    """
    written = [
        f"{key}={value if isinstance(value, str) else as_typed(value, is_short=True)}"
        for key, value in params.items()
    ]
    read = [read_override(text) for text in (*written, *words)]
    problems = [problem for _, problem in read if problem is not None]
    if problems:
        raise ConfigError(*problems)
    last = {override.get_key_element(): override for override, _ in read if override is not None}
    searched = {key: override for key, override in last.items() if override.is_sweep_override()}
    fixed = [str(each.input_line) for key, each in last.items() if key not in searched]
    problems = [*_space_problems(searched)]
    if problems:
        raise ConfigError(*problems)
    return searched, fixed


def _space_problems(searched: Mapping[str, Override]) -> Iterator[Problem]:
    if not searched:
        fix = "type a space: model.width=choice(64,128), or sweep=table"
        yield Problem("a search needs settings to vary", "none", fix)
    for key, override in searched.items():
        got = str(override.input_line)
        if key in OF_THE_STUDY:
            yield Problem(f"all trials are compared by one {key}", got, f"type one {key}")
        tags = {*getattr(override.value(), "tags", ())} - {"log"}
        if tags:
            rule = "the only tag of a search space is log"
            yield Problem(rule, f"{', '.join(sorted(tags))} in {got}", "type tag(log, ...)")


def distributions(searched: Mapping[str, Override]) -> "dict[str, BaseDistribution]":
    """Return what each searched key is drawn from."""
    found, problems = {}, []
    for key, override in searched.items():
        try:
            found[key] = _distribution(override)
        except (ValueError, IndexError) as error:
            rule = "a search space must have values to draw from"
            got = f"{override.input_line}: {error}"
            problems.append(Problem(rule, got, "correct its ends"))
    if problems:
        raise ConfigError(*problems)
    return found


def _distribution(override: Override) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space: Any = override.value()
    if override.is_choice_sweep():
        if isinstance(space, ChoiceSweep):
            space.shuffle = False  # the order would be another one after a restart
        # As text: a null, a list and a class are all choices to it, and it knows no order of them.
        values = override.sweep_iterator(transformer=Override._convert_value)
        texts = (as_typed(value, is_short=True) for value in values)
        return CategoricalDistribution(tuple(dict.fromkeys(texts)))
    if override.is_range_sweep():
        numbers = sorted(space.range())  # without its end, as in Python
        step = abs(space.step)
        is_whole = all(isinstance(each, int) for each in (*numbers, step))
        kind = IntDistribution if is_whole else FloatDistribution
        return kind(numbers[0], numbers[-1], step=step)
    is_whole = isinstance(space.start, int) and isinstance(space.end, int)
    kind = IntDistribution if is_whole else FloatDistribution
    return kind(space.start, space.end, log="log" in space.tags)


def describe(distribution: "BaseDistribution") -> str:
    """Say in words what is drawn from: how a study remembers it."""
    if hasattr(distribution, "choices"):
        return ", ".join(map(str, distribution.choices))
    drawn: Any = distribution
    step = f" by {drawn.step}" if drawn.step not in (None, 1) else ""
    return f"{drawn.low} to {drawn.high}{step}{' (log)' if drawn.log else ''}"


def suggest(trial: Any, space: "Mapping[str, BaseDistribution]") -> list[str]:
    """Draw a value for each key, or take what the trial has already; return the words to type."""
    return [f"{key}={_text(trial._suggest(key, each), each)}" for key, each in space.items()]


def _text(value: Any, distribution: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    digits = DIGITS if distribution.step is None else 12  # 0.1 + 0.2 is 0.3
    rounded = float(f"{value:.{digits}g}")
    return repr(min(max(rounded, float(distribution.low)), float(distribution.high)))


def ends(key: str, distribution: Any) -> str:
    """Write all choices, or both ends, as a sweep that can be checked beforehand."""
    texts = getattr(distribution, "choices", None) or [
        _text(end, distribution) for end in (distribution.low, distribution.high)
    ]
    return f"{key}={','.join(dict.fromkeys(texts))}"
