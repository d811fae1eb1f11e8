"""Name the arguments that a section of conf/ leaves out, though its class cannot do without them.

What code fills in when it builds or calls a section stands in `CALLS` and nowhere else.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kindling.config.signatures import section_signature
from kindling.errors import Problem
from kindling.fixes import Setting

# What torch's classes (and those of a project) call the number of steps of the whole training.
NUM_STEPS = ("num_steps", "total_steps", "T_max")
PARTS = ("model", "optimizer", "scheduler")  # that the task is given
BUILT = ("data", *PARTS, "task", "trainer", "callbacks", "logger")


@dataclass(frozen=True)
class Call:
    """What code adds to the keys of a section.

    Args:
        leading: how many of the first arguments.
        names: of arguments that are given by name, where there are such.
    """

    leading: int = 0
    names: tuple[str, ...] = ()


# By section; the first ones say _partial_: true and are called when the data are known.
CALLS = {
    "model": Call(1),  # the description of the data
    "optimizer": Call(1),  # the parameters
    "scheduler": Call(1, NUM_STEPS),  # the optimizer
    "task": Call(2, ("num_batches", "optimizer", "scheduler")),  # network and description
    "task.loss": Call(1, ("class_weight",)),  # the description of the data
}
BUILDS = {"trainer": Call(0, ("accelerator", "devices"))}


def required_problems(plain: Mapping[str, Any], where: Callable[[str], str]) -> Iterator[Problem]:
    """Name each argument that is left out.

    Args:
        plain: the whole configuration, as plain values.
        where: names the file and the line of a dotted key.
    """
    for key, section in _built(plain):
        target, names = section["_target_"], _left_out(key, section)
        if not names:
            continue
        place = where(f"{key}._target_")
        is_called = section.get("_partial_") is True
        if key in PARTS and not is_called:
            continue  # it is said of every class there
        filled = [name for name in names if key == "task.loss" or name in CALLS["task"].names]
        if key in CALLS and not is_called and filled:
            rule = f"{key} must have _partial_: true, as code gives {target} its {filled[0]}"
            yield Problem(rule, f"none in {place}", "add the line there")
            continue
        for name in names:
            rule = f"{key}.{name} must be given: {target} cannot do without it"
            ways = (f"add {name}: to that section", Setting(f"+{key}.{name}"))
            yield Problem(rule, f"no {name} beside _target_ in {place}", ways)


def _built(plain: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each section that is built in every run, and by its keys alone or as `CALLS` says."""
    is_called = plain.get("task", {}).get("_partial_") is True
    for name in BUILT:
        section = plain.get(name)
        if isinstance(section, Mapping) and (is_called or name not in PARTS):
            yield from _inside(name, section)


def _inside(key: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node.get("_target_"), str):
        yield key, node
    for name, value in node.items() if node.get("_recursive_") is not False else ():
        if isinstance(value, Mapping):
            yield from _inside(f"{key}.{name}", value)


def _left_out(key: str, section: Mapping[str, Any]) -> list[str]:
    """Name the arguments without a default that neither the section nor any code gives."""
    signature = section_signature(section)
    is_partial = section.get("_partial_", False) is not False
    call = (CALLS if is_partial else BUILDS).get(key, None if is_partial else Call())
    if signature is None or call is None or "_args_" in section:
        return []
    filled = {*section, *signature.positional[: call.leading], *call.names}
    unknown = [name for name in section if name not in signature.rules]
    return [
        name
        for name in signature.rules
        if name in signature.required - filled
        and not difflib.get_close_matches(name, unknown, n=1)  # it is named as misspelt
    ]
