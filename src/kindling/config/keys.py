"""Check the key of one override: whether it exists, or may be added, and the type of its value.

The type of a key is that of its default in conf/.
"""

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from kindling.config.ranges import Rule
from kindling.config.signatures import section_signature
from kindling.config.values import leaves, moved_problems
from kindling.errors import Problem
from kindling.fixes import Fix, Setting

# How alike two keys are, from 0 to 1: worth a hint; surely a misspelt one, not one to look up.
SIMILAR, ALMOST_EQUAL = 0.6, 0.9
KEPT = ("callbacks.checkpoint",)  # beside all keys at the root
TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}


def key_problems(
    override: Override, plain: Mapping[str, Any], rules: Mapping[str, Rule]
) -> list[Problem]:
    """List what is wrong with an override of one key; most often nothing.

    Args:
        override: of a value, not of the choice of a group.
        plain: the composed configuration without it, as plain values.
        rules: of that configuration, see `rules_of`; the keys in it are checked by value later.
    """
    key, text = override.key_or_group, override.input_line or ""
    moved = moved_problems(key, text, plain)
    if moved:
        return moved
    if exists(plain, key):
        if override.is_add() and not override.is_force_add():
            return [Problem(f"{key} is there already", text, typed_as(key, override))]
        if override.is_delete():
            return [] if "." in key and key not in KEPT else [kept_problem(key, text)]
        before = value_of(plain, key)
        has_rule = key in rules and not isinstance(before, dict)
        return [] if has_rule else type_problems(key, before, override)
    if (override.is_add() or override.is_force_add()) and may_be_added(plain, key):
        return []
    owner, name = owner_of(plain, key)
    is_known = is_open(value_of(plain, owner)) or takes(value_of(plain, owner), name)
    if is_known and not override.is_delete():
        return [Problem(f"{owner} has no {name} yet", text, typed_as(f"+{key}", override))]
    near = nearest(plain, key)
    # A group is typed with a choice, which the wrong key most often has: schedule=cosine.
    is_group = near is not None and "." not in near and isinstance(plain[near], dict)
    meant = f"{near}={text.partition('=')[2]}" if is_group else near
    fix = f"did you mean {meant}?" if near else "python train.py --help lists all keys"
    return [Problem(f"there is no key {key}", text, fix)]


def kept_problem(key: str, text: str) -> Problem:
    """Say that a part which every run needs is not to be taken out."""
    return Problem(f"{key} cannot be taken out: every run needs it", text, Setting(key))


def typed_as(key: str, override: Override) -> Fix:
    """Offer the same value under this key."""
    value, text = override.value(), override.input_line or ""
    if override.is_sweep_override() or "${" in text:
        return f"type {key}={text.partition('=')[2]}"
    return Setting(key, value)


def exists(plain: Any, key: str) -> bool:
    """Say whether a dotted key leads somewhere."""
    for name in key.split("."):
        if not isinstance(plain, dict) or name not in plain:
            return False
        plain = plain[name]
    return True


def value_of(plain: Any, key: str) -> Any:
    """Follow a dotted key that exists; the empty key is the whole."""
    for name in key.split(".") if key else []:
        plain = plain[name]
    return plain


def owner_of(plain: Any, key: str) -> tuple[str, str]:
    """Return the longest part of the key that exists, and the name that is missing in it."""
    names = key.split(".")
    depth = max(i for i in range(len(names)) if i == 0 or exists(plain, ".".join(names[:i])))
    return ".".join(names[:depth]), names[depth]


def is_open(node: Any) -> bool:
    """Say whether a section takes new names: it is empty, or holds named objects only."""
    return isinstance(node, dict) and all(
        isinstance(v, dict) and "_target_" in v for v in node.values()
    )


def may_be_added(plain: Any, key: str) -> bool:
    """Say whether +key fits: into an open section, or as an argument of the section's target."""
    owner, name = owner_of(plain, key)
    section = value_of(plain, owner)
    if is_open(section):
        return True
    if not isinstance(section, dict) or "_target_" not in section:
        return False
    if difflib.get_close_matches(name, section, n=1, cutoff=ALMOST_EQUAL):
        return False
    if name in ("_convert_", "_recursive_", "_args_"):  # Hydra's own
        return True
    signature = section_signature(section)
    if signature is not None and (name in signature.rules or not signature.is_open):
        return name in signature.rules
    return is_parameter(str(section["_target_"]), name)  # its source does not tell


def takes(section: Any, name: str) -> bool:
    """Say whether the source of a section's target shows a parameter of this name."""
    if not isinstance(section, dict) or "_target_" not in section:
        return False
    signature = section_signature(section)
    return signature is not None and name in signature.rules


def is_parameter(target: str, name: str) -> bool:
    """Say whether a class or function takes a name, by importing it; this may take seconds."""
    from hydra.utils import get_object

    try:
        return name in inspect.signature(get_object(target)).parameters
    except (ImportError, AttributeError, TypeError, ValueError, HydraException):
        return True  # building it will say what is wrong with the target


def nearest(plain: Any, key: str) -> str | None:
    """Find the key that was meant: alike as a whole, or in its last name."""
    known = [known for known, _ in leaves(plain)] + list(plain)
    name = key.rpartition(".")[2]

    def likeness(candidate: str) -> float:
        last = candidate.rpartition(".")[2]
        pairs = ((key, candidate), (name, last))
        return max(difflib.SequenceMatcher(None, *pair).ratio() for pair in pairs)

    best = max(known, key=lambda candidate: (likeness(candidate), -len(candidate)))
    return best if likeness(best) >= SIMILAR else None


def type_problems(key: str, default: Any, override: Override) -> list[Problem]:
    """Check that a value is of its default's type."""
    value, text = override.value(), override.input_line or ""
    is_reference = isinstance(value, str) and "${" in value
    if default is None or default == "???" or is_reference:
        return []
    if isinstance(default, dict):
        return [] if isinstance(value, dict) else [_section_problem(key, text)]
    allowed: tuple[type, ...] = (type(default),)
    if isinstance(default, str):
        allowed = (str, int, float, bool)  # a name may look like a number
    elif isinstance(default, float):
        allowed = (int, float)
    if isinstance(value, allowed) and (
        isinstance(default, bool | str) or not isinstance(value, bool)
    ):
        return []
    words = TYPE_WORDS.get(type(default), "one word")
    return [Problem(f"{key} must be {words}", text, Setting(key, default, "as by default"))]


def _section_problem(key: str, text: str) -> Problem:
    if key in KEPT:
        return kept_problem(key, text)
    return Problem(
        f"{key} is a section with keys of its own", text, Setting(f"~{key}", words="to take it out")
    )
