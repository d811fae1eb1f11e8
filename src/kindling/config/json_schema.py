"""Write the JSON Schemas of conf/, by which an editor completes and checks its YAML files.

    python -m kindling.config.json_schema

They are made of what also checks a run: the parameters of the classes that conf/ names, the ranges
declared beside them, the types of the defaults, and the comments of the files. A file names its own
in a comment: `# yaml-language-server: $schema=.schema.json`. Hydra doesn't see them.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from kindling.config.notebook import find_conf
from kindling.config.required import CALLS, Call
from kindling.config.signatures import section_signature
from kindling.config.value_schema import OBJECT, Schema, keys_schema, of_types, value_schema
from kindling.config.values import MOVED, ROOT, section_rules, sections
from kindling.config.yaml_keys import HYDRAS, OF_ALL, ONE_CLASS

FILE, ALL = ".schema.json", "train"  # in conf/ and each group; the first holds all definitions
DRAFT = "http://json-schema.org/draft-07/schema#"
HYDRAS_OWN: Schema = {
    "_partial_": {"type": "boolean", "description": "code fills in the rest when it builds this"},
    "_convert_": {"enum": ["none", "partial", "object", "all"]},
    "_recursive_": {"type": "boolean"},
    "_args_": {"type": "array"},
    "_target_": {"type": "string", "description": "the class or function that takes these keys"},
}


class Conf:
    """The files of conf/ as plain values, with those that their defaults lists begin with."""

    def __init__(self, folder: Path) -> None:
        self.texts = {
            file: file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.yaml"))
        }
        self.root = _mapping(self.texts[folder / f"{ALL}.yaml"])
        self.groups: dict[str, dict[str, Path]] = {}
        for file in sorted(self.texts):
            group = file.parent.relative_to(folder).as_posix()
            if group != "." and not group.startswith(("hydra", "local")):
                self.groups.setdefault(group, {})[file.stem] = file
        self.sections = {name for name in self.groups if name not in OF_ALL}

    def whole(self, group: str, name: str) -> dict[str, Any]:
        """Return a file's keys and those of the files of its group that it begins with."""
        plain = _mapping(self.texts[self.groups[group][name]])
        for base in plain.pop("defaults", ()):
            if isinstance(base, str) and base in self.groups[group]:
                plain = self.whole(group, base) | plain
        return plain

    def told(self, group: str, name: str) -> dict[str, str]:
        """Return what a file, and those that it begins with, say beside their keys."""
        text = self.texts[self.groups[group][name]]
        words = comments(text)
        for base in _mapping(text).get("defaults", ()):
            if isinstance(base, str) and base in self.groups[group]:
                words = self.told(group, base) | words
        return words


def _mapping(text: str) -> dict[str, Any]:
    return yaml.safe_load(text) or {}


def comments(text: str) -> dict[str, str]:
    """Return the comment that stands behind each key of a YAML file."""
    lines = re.findall(r"^\s*(\w+):.*?(?<=\s)# (.*)$", text, re.MULTILINE)
    return dict(lines)


def make_schemas(folder: Path) -> dict[str, Schema]:
    """Make the schema of each group of conf/, and that of train.yaml and experiments."""
    conf = Conf(folder)
    found = dict(_definitions(conf))
    inside = {f"in_{name}": _section(conf, name, found) for name in sorted(conf.sections)}
    definitions = {
        "object": {"allOf": [_if_target(key) for key in found], "type": "object"},
        **{key: schema for key, (_, schema) in found.items()},
        **inside,
    }
    whole = {"$schema": DRAFT, "definitions": definitions, **_root(conf)}
    groups = {name: {"$schema": DRAFT, **_group(conf, name)} for name in sorted(conf.sections)}
    return {ALL: whole, **groups}


def _definitions(conf: Conf) -> Iterator[tuple[str, tuple[str, Schema]]]:
    """Give the schema of each class that conf/ names, by class and source, and its group."""
    known: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for group, files in conf.groups.items():
        for name in files:
            for key, section in sections(conf.whole(group, name)):
                place = f"{group}.{key}" if key else group
                known.setdefault(_key(section), []).append((place, name, section))
    for key, found in sorted(known.items()):
        place, name, _ = found[0]
        group = place.partition(".")[0]
        told = conf.told(group, name)
        yield key, (group, _class([section for *_, section in found], place, told))


def _key(section: Mapping[str, Any]) -> str:
    source = section.get("source")
    return f"{section['_target_']}({source})" if source else str(section["_target_"])


def _class(alike: list[Mapping[str, Any]], place: str, told: Mapping[str, str]) -> Schema:
    """Make the schema of the sections of one class, some of which stand at this place."""
    section, call = alike[0], CALLS.get(place, Call())
    signature, rules = section_signature(section), section_rules(section)
    names = {*section} - {*HYDRAS}
    if signature is not None:
        filled = {*signature.positional[: call.leading], *call.names}  # by code
        names |= {*signature.rules} - filled
    defaults = {name: [each[name] for each in alike if name in each] for name in names}
    keys = {
        name: _described(value_schema(rules.get(name), defaults[name]), name, told)
        for name in sorted(names)
    }
    if section["_target_"].endswith("make_trainer"):
        for key, fix in MOVED.items():
            what = {"type": "null", "description": f"{fix.key} does the work of {key}"}
            keys[key.removeprefix("trainer.")] = what
    is_open = signature is None or signature.is_open
    return keys_schema({**keys, **HYDRAS_OWN}, is_open=is_open)


def _described(schema: Schema, name: str, told: Mapping[str, str]) -> Schema:
    return {"description": told[name], **schema} if name in told else schema


def _reference(key: str, file: str = "") -> Schema:
    return {"$ref": f"{file}#/definitions/{key}"}


def _if_target(key: str) -> Schema:
    """Let a section that names this class have its keys."""
    target, _, source = key.rstrip(")").partition("(")
    named = {"_target_": {"const": target}} | ({"source": {"const": source}} if source else {})
    return {"if": {"properties": named, "required": [*named]}, "then": _reference(key)}


def _group(conf: Conf, group: str) -> Schema:
    """Make the schema of a group's files: by their class, or by the file that they begin with."""
    begins = [
        (name, _key(plain))
        for name in conf.groups[group]
        for plain in [conf.whole(group, name)]
        if "_target_" in plain
    ]
    whole = f"../{FILE}"
    otherwise = _reference(f"in_{group}", whole)
    for name, key in begins:
        begun = {
            "properties": {"defaults": {"contains": {"const": name}}},
            "required": ["defaults"],
        }
        otherwise = {"if": begun, "then": _reference(key, whole), "else": otherwise}
    is_class = {"required": ["_target_"]}
    return {"if": is_class, "then": _reference("object", whole), "else": otherwise}


def _section(conf: Conf, group: str, found: Mapping[str, tuple[str, Schema]]) -> Schema:
    """Make the schema of a group's section where another file says which class it is of."""
    if group not in ONE_CLASS:
        return _named(conf, group)
    of_group = [schema for its, schema in found.values() if its == group]
    names = sorted({name for schema in of_group for name in schema["properties"]})
    each = {
        name: of_types([s["properties"][name] for s in of_group if name in s["properties"]])
        for name in names
    }
    keys = keys_schema(each, is_open=any(schema["additionalProperties"] for schema in of_group))
    return {"if": {"required": ["_target_"]}, "then": OBJECT, "else": keys}


def _named(conf: Conf, group: str) -> Schema:
    """Make the schema of a section of objects by name, such as callbacks."""
    members: Schema = {}
    for name in conf.groups[group]:
        whole = conf.whole(group, name)
        found = {name: whole} if "_target_" in whole else whole
        for key, section in found.items():
            own = {"required": ["_target_"]}
            members[key] = {"if": own, "then": OBJECT, "else": _reference(_key(section))}
    other = {"required": ["_target_"], **OBJECT}
    named = {"type": "object", "properties": {**members, "defaults": {"type": "array"}}}
    return {
        "if": {"required": ["_target_"]},
        "then": OBJECT,
        "else": {**named, "additionalProperties": {"allOf": [{"required": ["_target_"]}, other]}},
    }


def _root(conf: Conf) -> Schema:
    """Make the schema of train.yaml, and of what may set any key of it: experiments and so on."""
    text = next(text for file, text in conf.texts.items() if file.stem == ALL)
    told = comments(text)
    keys = {
        name: _described(value_schema(ROOT.get(name), [default]), name, told)
        for name, default in conf.root.items()
        if name not in ("defaults", "hydra")
    }
    groups = {name: _reference(f"in_{name}") for name in sorted(conf.sections)}
    choices: Schema = {}
    for name, files in conf.groups.items():
        one: Schema = {"anyOf": [{"enum": [*files, None]}, {"type": ["string", "array", "null"]}]}
        choices |= {name: one, f"override /{name}": one}
    group = {"type": "object", "properties": choices}
    defaults = {"type": "array", "items": {"anyOf": [group, {"type": "string"}]}}
    own = {"hydra": {"type": "object"}, "defaults": defaults}
    return {"type": "object", "properties": keys | groups | own, "additionalProperties": False}


def texts_of(folder: Path) -> dict[Path, str]:
    """Return the text of each schema by its file."""
    schemas = make_schemas(folder)
    return {
        (folder if name == ALL else folder / name)
        / FILE: f"{json.dumps(schema, indent=1, sort_keys=True)}\n"
        for name, schema in schemas.items()
    }


def main() -> None:
    """Write the schemas of the conf/ that lies beside train.py."""
    texts = texts_of(find_conf(None))
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{next(iter(texts))}, and one in each group\n")


if __name__ == "__main__":
    main()
