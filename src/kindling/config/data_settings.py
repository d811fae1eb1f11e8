"""Read data.KEY=VALUE behind a command of the toolkit, as it is typed behind `python train.py`.

Keys and ranges are those of the data module and its source, so what a training takes is taken here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kindling.config.overrides import parse
from kindling.config.signatures import Signature, section_signature
from kindling.errors import ConfigError, Problem
from kindling.formatting import did_you_mean

PREFIX = "data."


def read_settings(words: Sequence[str]) -> dict[str, Any]:
    """Read overrides of the data section; a key with a dot, such as csv.separator, is nested.

    Raises:
        ConfigError: a word is no KEY=VALUE, or of another section.
    """
    parsed, problems = parse(list(words))
    settings: dict[str, Any] = {}
    for override in parsed:
        key, text = override.key_or_group, override.input_line or ""
        is_plain = not (override.is_add() or override.is_delete() or override.is_sweep_override())
        if not key.startswith(PREFIX) or not is_plain:
            rule = "behind FILE stand settings of the data, data.KEY=VALUE"
            problems.append(Problem(rule, text, "leave it out"))
            continue
        *sections, name = key.removeprefix(PREFIX).split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = override.value()
    if problems:
        raise ConfigError(*problems)
    return settings


def check_settings(
    settings: Mapping[str, Any],
    target: str,
    sources: Mapping[str, str],
    *,
    kind: str,
    useless: Mapping[str, str],
    typed: Mapping[str, str],
) -> None:
    """Refuse settings that are unknown, out of range, or without a use for this kind of data.

    Args:
        settings: by the name of the key in the data section.
        target: dotted name of what builds the data module.
        sources: dotted name of the source of each kind of data, by words: "tables".
        kind: that of this data.
        useless: keys that change nothing here, and what they do.
        typed: how a key was typed, where it was not as data.KEY.

    Raises:
        ConfigError: lists all of them.
    """
    signatures = {name: _signature(target, source) for name, source in sources.items()}
    known, problems = signatures[kind], []
    for key, value in settings.items():
        word = typed.get(key, f"{PREFIX}{key}")
        others = [name for name in signatures if key in signatures[name].rules and name != kind]
        if key in useless:
            rule = f"{word} {useless[key]}: it changes nothing of what is found in the data"
            problems.append(Problem(rule, f"{word}={value}", "leave it out"))
        elif key in known.rules or known.is_open:
            check = known.rules.get(key)
            if check is not None and (words := check(value)):
                problems.append(Problem(f"{word} must be {words}", f"{value}", "correct it"))
        elif others:
            rule = f"{word} is for {others[0]}, and has no use for {kind}"
            problems.append(Problem(rule, f"{word}={value}", "leave it out"))
        else:
            fix = did_you_mean(key, known.rules, prefix=PREFIX) or "leave it out"
            problems.append(Problem(f"there is no key {word}", f"{word}={value}", fix))
    if problems:
        raise ConfigError(*problems)


def _signature(target: str, source: str) -> Signature:
    found = section_signature({"_target_": target, "source": source})
    return found or Signature({}, is_open=True)
