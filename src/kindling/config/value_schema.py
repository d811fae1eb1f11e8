"""The JSON Schema of a value of conf/: by the rule that checks it, or the type of its default."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kindling.config import values
from kindling.config.ranges import (
    AnyOf,
    Constraint,
    Keys,
    OneOf,
    Pair,
    PerColumn,
    Processes,
    Range,
    Rule,
    Several,
)

Schema = dict[str, Any]
LATER = {"type": "string", "pattern": r"\$\{|^\?\?\?$"}  # of another key, or still to be given
OBJECT = {"$ref": "#/definitions/object"}
# Rules that are functions, not constraints.
OF_FUNCTION: Mapping[Rule, Schema] = {
    values.device: {"type": "string", "pattern": f"^({values.DEVICE})$"},
    values.precision: {"enum": list(values.PRECISIONS)},
    values.patterns: {"type": "array", "items": {"type": "string"}},
}


def keys_schema(properties: Schema, *, is_open: bool = False) -> Schema:
    """Make the schema of a section with these keys, and others where it is open."""
    named = {**properties, "defaults": {"type": "array"}}
    return {"type": "object", "properties": named, "additionalProperties": is_open}


def value_schema(rule: Rule | None, defaults: Iterable[Any]) -> Schema:
    """Make the schema of a key: by its rule, or else by the type of its defaults."""
    schema = of_rule(rule) if rule is not None else of_types([*map(of_type, defaults)])
    return schema and {"anyOf": [schema, LATER]}


def of_types(types: list[Schema]) -> Schema:
    """Join the schemas of several defaults: one that may be anything makes the key so."""
    distinct = [each for k, each in enumerate(types) if each not in types[:k]]
    if len(distinct) == 1:
        return distinct[0]
    return {"anyOf": distinct} if distinct and all(distinct) else {}


def of_type(default: Any) -> Schema:
    """Make the schema of values like a default; empty where that says nothing."""
    if default is None or (isinstance(default, str) and re.search(LATER["pattern"], default)):
        return {}
    if isinstance(default, dict):
        return OBJECT if "_target_" in default else {"type": "object"}
    if isinstance(default, bool):
        return {"type": "boolean"}
    if isinstance(default, int | float):
        return {"type": "integer" if isinstance(default, int) else "number"}
    # A name may look like a number.
    return {"type": "array" if isinstance(default, list) else ["string", "number", "boolean"]}


def of_rule(rule: Rule) -> Schema:
    """Make the schema of a rule; empty for one that only code can ask."""
    if not isinstance(rule, AnyOf):
        return OF_FUNCTION.get(rule, {})
    ways = [of_constraint(each) for each in rule.constraints]
    if not all(ways):
        return {}
    ways += [{"type": "null"}] * rule.null
    return ways[0] if len(ways) == 1 else {"anyOf": ways}


def of_constraint(constraint: Constraint) -> Schema:
    """Make the schema of a constraint; empty for one of somebody else's."""
    match constraint:
        case Range():
            return _of_range(constraint)
        case OneOf():
            return {"enum": list(constraint.choices)}
        case Pair(low, high, ends, whole):
            each = _of_range(Range(low, high, ends, whole))
            return {"type": "array", "items": each, "minItems": 2, "maxItems": 2}
        case Several(low, high):
            each = _of_range(Range(low, high, whole=True))
            return {"type": "array", "items": each, "minItems": 1}
        case Processes():  # how many at most depends on the machine
            return {"type": "integer", "minimum": 0}
        case PerColumn():
            pair = {"type": "string", "pattern": "="}
            return {"anyOf": [{"type": "object"}, {"type": "array", "items": pair}]}
        case Keys():
            rules = constraint.rules.items()
            return keys_schema({name: value_schema(rule, ()) for name, rule in rules})
    return {}


def _of_range(given: Range) -> Schema:
    schema: Schema = {"type": "integer" if given.whole else "number"}
    schema["exclusiveMinimum" if given.ends[0] == "(" else "minimum"] = given.low
    if given.high < float("inf"):
        schema["exclusiveMaximum" if given.ends[1] == ")" else "maximum"] = given.high
    return schema
