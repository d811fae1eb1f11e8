"""Quote values as they are typed: in Hydra's overrides, and as words of a shell.

Start-up uses this before hydra is imported, and `kindling predict` without hydra at all.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BARE_VALUE = re.compile(r"[A-Za-z_./-][\w./-]*", re.ASCII)  # text to Hydra even without quotes
TEXT_KEY = re.compile(r"[A-Za-z_][\w-]*( [\w-]+)*", re.ASCII)  # of a mapping
ANY_KEY = re.compile(r"[\w./+$%*@?|-]+( [\w./+$%*@?|-]+)*", re.ASCII)  # or a number, or true
OTHER_VALUES = {"true", "false", "null", "nan", "inf"}  # no text, however they are written
BARE_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)  # of a shell, as Python's shlex has it


def as_override(key: str, value: Any) -> str:
    """Write KEY=VALUE for Hydra; of the value `...` a person knows what to put there.

    Unlike in a configuration, `${` in a text is text, for the names of columns may hold anything.
    """
    return f"{key}=..." if value is ... else f"{key}={as_typed(_escaped(value), is_short=True)}"


def as_typed(value: Any, *, is_short: bool = False) -> str:
    """Write a value in the grammar of Hydra's overrides.

    Args:
        value: text, numbers, booleans, None, lists and mappings of them.
        is_short: leave quotes out where the grammar needs none.
    """
    if isinstance(value, str | Path):
        text = str(value)
        is_bare = BARE_VALUE.fullmatch(text) and text.lower().lstrip("-") not in OTHER_VALUES
        return text if is_short and is_bare and re.search("[A-Za-z_]", text) else _quoted(text)
    if isinstance(value, list | tuple):
        return f"[{','.join(as_typed(inner, is_short=is_short) for inner in value)}]"
    if isinstance(value, Mapping):
        if not all(_is_key(str(key), must_be_text=is_short) for key in value):
            # The grammar has no quotes around keys; what takes columns takes such a list, too.
            return as_typed([f"{key}={inner}" for key, inner in value.items()], is_short=is_short)
        pairs = (f"{key}: {as_typed(inner, is_short=is_short)}" for key, inner in value.items())
        return f"{{{', '.join(pairs)}}}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)  # null, true and false, as in YAML
    return repr(value)


def _is_key(text: str, *, must_be_text: bool) -> bool:
    if must_be_text and text.lower() in OTHER_VALUES:
        return False
    return bool((TEXT_KEY if must_be_text else ANY_KEY).fullmatch(text))


def _quoted(text: str) -> str:
    """Put Hydra's quotes around a text: a backslash is one of its own, unless before a quote."""
    quote = '"' if "'" in text and '"' not in text else "'"
    # Those before a quote, the last one's too, are doubled; a quote inside gets one of its own.
    inner = re.sub(rf"(\\*)({quote}|$)", lambda m: m[1] * 2 + (m[2] and "\\" + m[2]), text)
    return f"{quote}{inner}{quote}"


def _escaped(value: Any) -> Any:
    """Let no text refer to another key of the configuration."""
    if isinstance(value, str):
        return value.replace("${", "\\${")
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    return value


def shell_line(words: Iterable[str]) -> str:
    """Join words into a line that a shell takes apart again."""
    return " ".join(map(shell_word, words))


def shell_word(word: str) -> str:
    """Quote one word for a shell, where it needs that; readable rather than uniform."""
    if BARE_WORD.fullmatch(word):
        return word
    if not word.isprintable():  # a terminal should not get it as it is; bash and zsh read this
        return "$'" + "".join(map(_ansi_c, word)) + "'"
    if "'" not in word:
        return f"'{word}'"
    if "!" not in word:  # which an interactive bash would look up in its history
        return '"' + re.sub(r'(["$`\\])', r"\\\1", word) + '"'
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _ansi_c(char: str) -> str:
    if char.isprintable():
        return f"\\{char}" if char in "'\\" else char
    number = ord(char)
    return (
        f"\\x{number:02x}"
        if number < 0x80
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )
