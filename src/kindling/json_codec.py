"""Read strict JSON of unknown origin into frozen dataclasses that it must fit exactly."""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


class InvalidFile(ValueError):
    """What a file of a bundle holds does not fit; `bundle` adds the file's name.

    Args:
        got: what is wrong with it.
        fix: what to type, where that is not what helps against most damage.
    """

    def __init__(self, got: str, fix: str = "") -> None:
        super().__init__(got)
        self.fix = fix


def check_format(content: Any, known: int) -> None:
    """Refuse what a file says to be of a format that is not read here; without one it is not told.

    Args:
        content: of the file.
        known: the number of the format that is read.
    """
    found = content.get("format") if isinstance(content, dict) else None
    if type(found) is int and found != known:
        fix = "upgrade Kindling" if found > known else "train again: the format has changed"
        raise InvalidFile(f"format {found}; this Kindling reads format {known}", fix)


def to_bytes(content: Any) -> bytes:
    """Write plain values as indented JSON."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).encode()


def parse(content: bytes) -> Any:
    """Parse strict JSON: UTF-8, no key twice, finite numbers only, no absurd nesting."""
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_no_key_twice,
            parse_float=_finite,
            parse_constant=_refuse,
        )
    except RecursionError as error:
        raise InvalidFile("JSON that is nested too deep") from error
    except InvalidFile:
        raise
    except ValueError as error:  # also what json and the UTF-8 decoder raise
        raise InvalidFile(f"no JSON that can be read: {error}") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise InvalidFile("a key that is given twice")
    return content


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(text: str) -> Any:
    raise InvalidFile(f"the number {text[:20]}")


def decode(annotation: Any, value: Any, where: str) -> Any:
    """Return what a JSON value is as the type that an annotation names, or raise InvalidFile.

    Knows str, int, float, bool, Literal, tuples, `X | None`, str -> X, and dataclasses of those.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return value
    if is_dataclass(annotation) and isinstance(annotation, type):
        return _dataclass(annotation, value, where)
    if origin is Literal:
        return _expect(value in inner and isinstance(value, str), value, where, f"one of {inner}")
    if origin in (Union, types.UnionType):
        (some,) = (option for option in inner if option is not type(None))
        return None if value is None else decode(some, value, where)
    if origin is tuple:
        return _tuple(inner, value, where)
    if origin in (dict, Mapping):
        _expect(isinstance(value, dict), value, where, "an object")
        return {key: decode(inner[1], part, f"{where}.{key}") for key, part in value.items()}
    if annotation is float and type(value) is int:
        return _expect(abs(value) < 2**1000, value, where, "a number") and float(value)
    # `type is`, not isinstance: True is no number here.
    return _expect(type(value) is annotation, value, where, annotation.__name__)


def _dataclass(wanted: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where, "an object")
    hints, known = get_type_hints(wanted), fields(wanted)
    names = {field.name for field in known}
    needed = {f.name for f in known if f.default is MISSING and f.default_factory is MISSING}
    _expect(set(value) <= names, sorted(set(value) - names), where, "known keys only")
    _expect(needed <= set(value), sorted(value), where, f"the keys {', '.join(sorted(needed))}")
    parts = {key: decode(hints[key], part, f"{where}.{key}") for key, part in value.items()}
    return wanted(**parts)


def _tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list), value, where, "a list")
    if inner[-1] is Ellipsis:
        inner = (inner[0],) * len(value)
    _expect(len(value) == len(inner), value, where, f"{len(inner)} values")
    parts = zip(inner, value, strict=True)
    return tuple(decode(part, item, f"{where}[{i}]") for i, (part, item) in enumerate(parts))


def _expect(is_so: bool, value: Any, where: str, what: str) -> Any:
    if not is_so:
        raise InvalidFile(f"{where} = {str(value)[:40]!r}, where {what} is needed")
    return value
