"""Check the keys that the files of conf/ hold: each must be one that its section's class takes.

A key that is typed is checked by `kindling.config.keys`. One that is misspelt in a YAML file would
be found by the class itself, after the seconds that importing torch takes.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from kindling.config.required import PARTS, required_problems
from kindling.config.signatures import section_signature
from kindling.config.targets import package_problem, source_problem, target_problem
from kindling.config.values import leaves, sections
from kindling.errors import Problem
from kindling.fixes import Setting
from kindling.formatting import did_you_mean, first_few

HYDRAS = ("_target_", "_partial_", "_convert_", "_recursive_", "_args_")
ONE_CLASS = ("data", *PARTS, "task", "trainer")  # groups that are one section of one class
OF_ALL = {"experiment", "local", "sweep"}  # groups whose keys are those of the whole configuration
PACKAGE = "# @package _global_"
TYPED = "what was typed"
HIT = 0.6  # how alike two names are, from 0 to 1, so that one may be meant by the other


class ConfFiles:
    """The files that a configuration was composed of, to say where a key stands.

    Args:
        conf: the folder.
        choices: the chosen file of each group, as Hydra keeps them: of a group of which several
            are chosen it keeps none.
    """

    def __init__(self, conf: Path, choices: Mapping[str, Any]) -> None:
        self.conf = conf
        self.groups = {folder.name for folder in conf.iterdir() if folder.is_dir()}
        self.several = self.groups - set(choices)
        files = {name: [file.stem for file in conf.glob(f"{name}/*.yaml")] for name in self.several}
        self.choices = {**files, **choices}
        self.root = _read(conf / "train.yaml")

    def where(self, key: str) -> str:
        """Name the file and the line that a dotted key stands in, or the file of its group."""
        names = key.split(".")
        for prefix, file in self._files():
            inner = names[len(prefix) :] if names[: len(prefix)] == prefix else []
            line = _line_of(_read(file), inner)
            if line is not None:
                return f"{self._short(file)}, line {line}"
        if len(names) > 1:
            return TYPED
        file = self.conf / key / f"{self.choices.get(key)}.yaml"
        return self._short(file if file.is_file() else self.conf / "train.yaml")

    def _files(self) -> Iterator[tuple[list[str], Path]]:
        """Give the files with the section that their keys go to: those that win come first."""
        found: list[tuple[list[str], Path]] = []
        own: list[tuple[list[str], Path]] = [([], self.conf / "train.yaml")]
        for group, choice in self.choices.items():
            for name in choice if isinstance(choice, list) else [choice]:
                file = self.conf / group / f"{name}.yaml"
                if file.is_file():
                    prefix = _package(file) or group.split("/")
                    is_global = prefix == ["_global_"]
                    (own if is_global else found).extend(
                        ([] if is_global else prefix, each) for each in _with_defaults(file)
                    )
        yield from [*own[1:], *own[:1], *found]

    def _short(self, file: Path) -> str:
        return str(Path(self.conf.name) / file.relative_to(self.conf))


def yaml_problems(
    plain: Mapping[str, Any],
    changed: Mapping[str, Any],
    files: ConfFiles,
    where: Callable[[str], str],
) -> list[Problem]:
    """List what is wrong with the keys of a configuration.

    Args:
        plain: as the files make it up.
        changed: the same with what was typed, which is checked by itself.
        files: that it is made of.
        where: names the file and the line of a dotted key, or says that it was typed.
    """
    problems = [*_root_problems(plain, files)]
    for name in files.groups & set(plain) - OF_ALL:
        problems += _group_problems(name, plain[name], files)
    for name in OF_ALL & set(plain):  # without its first line, nothing would read what it says
        file = files.where(name)
        rule = f"{file} must begin with {PACKAGE}"
        problems.append(Problem(rule, "keys that nothing would read", "write it as the first line"))
    for key, section in sections(changed):
        root, dotted = files.conf.parent, f"{key}._target_" if key else "_target_"
        problem = target_problem(dotted, section["_target_"], root, where)
        problem = problem or source_problem(key, section, root, where)
        problem = problem or package_problem(dotted, section, where)
        if problem is not None:
            problems.append(problem)
        elif key not in files.several:  # else its class is not the one to ask
            problems += _section_problems(key, section, files)
    return [*problems, *required_problems(changed, where)]


def _root_problems(plain: Mapping[str, Any], files: ConfFiles) -> Iterator[Problem]:
    """Refuse a key that an experiment adds at the root, where nothing reads it."""
    known = {*_names(files.root), *files.groups}
    texts = [value for _, value in leaves(plain) if isinstance(value, str)]
    for name in sorted(set(plain) - known):
        if any(f"${{{name}{end}" in text for text in texts for end in ("}", ".")):
            continue  # another key takes its value
        rule = f"there is no key {name}"
        fix = (
            did_you_mean(name, known)
            or f"add {name} to conf/train.yaml, if something is to read it"
        )
        yield Problem(rule, files.where(name), fix)


def _group_problems(name: str, section: Any, files: ConfFiles) -> Iterator[Problem]:
    """Refuse a section that names no class, or a member of one that holds named objects."""
    if not isinstance(section, dict) or not section:
        return
    if "_target_" in section:
        if name in files.several:
            file = files.where(f"{name}._target_").partition(",")[0]
            rule = f"{file} must say where its keys go, to be one of several"
            first = f"# @package {name}.{Path(file).stem}"
            yield Problem(rule, "no such line", f"write {first} as its first line")
        if name in PARTS and section.get("_partial_") is not True:
            rule = f"{name} must have _partial_: true, as it is built when the data are known"
            yield Problem(rule, f"none in {files.where(f'{name}._target_')}", "add the line there")
        return
    if name in ONE_CLASS:
        near = difflib.get_close_matches("_target_", section, n=1, cutoff=HIT)
        where = files.where(f"{name}.{near[0]}" if near else name)
        fix = "write _target_: there" if near else "add _target_: with the name of a class there"
        yield Problem(
            f"{name} must have a _target_", f"{near[0] if near else 'none'} in {where}", fix
        )
        return
    objects = [key for key, value in section.items() if _is_object(value)]
    for key in [key for key in section if key not in objects] if objects else ():
        rule = f"{name}.{key} must have a _target_, as it is to be built"
        meant = did_you_mean(key, objects, prefix=f"{name}.")
        yield Problem(rule, files.where(f"{name}.{key}"), meant or Setting(f"~{name}.{key}"))


def _section_problems(key: str, section: Mapping[str, Any], files: ConfFiles) -> Iterator[Problem]:
    """Name each key that the class of a section does not take."""
    given = [name for name in section if name not in HYDRAS]
    signature = section_signature(section) if given else None
    if signature is None:
        return
    for name in given if not signature.is_open else ():
        if name not in signature.rules:
            dotted = f"{key}.{name}" if key else name
            rule = f"there is no key {dotted}: {section['_target_']} does not take it"
            takes = f"take the line out; it takes {first_few([*signature.rules])}"
            prefix = f"{key}." if key else ""
            near = did_you_mean(name, [*signature.rules, *HYDRAS], prefix=prefix)
            yield Problem(rule, f"{name} in {files.where(dotted)}", near or takes)
    for name, keys in signature.inner.items():
        value = section.get(name)
        for inner in (
            [each for each in value if each not in keys] if isinstance(value, dict) else ()
        ):
            dotted = f"{key}.{name}"
            near = did_you_mean(f"{inner}", keys, prefix=f"{dotted}.")
            takes = f"take the line out; it takes {first_few([*keys])}"
            got = f"{inner} in {files.where(f'{dotted}.{inner}')}"
            yield Problem(f"there is no key {dotted}.{inner}", got, near or takes)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "_target_" in value


def _package(file: Path) -> list[str]:
    """Return where the first lines of a file say that its keys go to; empty where they don't."""
    found = re.match(r"\s*#\s*@package (\S+)", file.read_text(encoding="utf-8"))
    return found[1].split(".") if found else []


def _read(file: Path) -> yaml.Node | None:
    """Read the nodes of a YAML file, which know their lines."""
    return yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)


def _names(node: yaml.Node | None) -> list[str]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return [key.value for key, _ in pairs]


def _line_of(node: yaml.Node | None, names: list[str]) -> int | None:
    """Return the line that a key stands in, counted from 1."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) and names else ():
        if key.value == names[0]:
            return _line_of(value, names[1:]) if names[1:] else key.start_mark.line + 1
    return None


def _with_defaults(file: Path) -> Iterator[Path]:
    """Give a file of a group after those of the same group that its defaults list names."""
    yield file
    node = _read(file)
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "defaults" and isinstance(value, yaml.SequenceNode):
            # A mapping chooses a file of another group: Hydra lists that among the choices.
            for each in [each for each in value.value if isinstance(each, yaml.ScalarNode)]:
                other = file.parent / f"{each.value}.yaml"
                if other.is_file() and other != file:
                    yield from _with_defaults(other)


def syntax_problem(error: yaml.YAMLError, conf: Path) -> Problem:
    """Say where a file of conf/ is no YAML."""
    mark = getattr(error, "problem_mark", None)
    where = "a file of conf/"
    if mark is not None:
        file = Path(mark.name)
        name = Path(conf.name) / file.relative_to(conf) if file.is_relative_to(conf) else file
        where = f"{name}, line {mark.line + 1}, column {mark.column + 1}"
    words = [getattr(error, part, None) for part in ("context", "problem")]
    told = " ".join([word for word in words if word] or [str(error)])
    told = " ".join(told.split())
    fix = "correct that line, or the one above; it is key: value, indented with blanks"
    return Problem("a file of conf/ must be YAML", f"{where}: {told}", fix)
