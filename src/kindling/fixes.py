"""Say what to type against a problem, as the command in use understands it.

A fix names a setting by its key and value. train.py takes that as an override, `kindling predict`
perhaps as an option, a notebook as an argument of compose, and a client of the server not at all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kindling.quoting import as_override, shell_line


@dataclass(frozen=True)
class Setting:
    """A setting of a training that helps.

    Args:
        key: dotted, such as data.csv.separator; with + where Hydra is to add it, ~ to remove it.
        value: plain; `...` where only a person knows it.
        words: for what, or when: "if they are codes".
        is_added: a list or a mapping that goes in addition to what is set already.
        also: other settings that it takes, without words of their own.
    """

    key: str
    value: Any = field(default=..., hash=False)
    words: str = ""
    is_added: bool = False
    also: "tuple[Setting, ...]" = ()


@dataclass(frozen=True, init=False)
class Command:
    """A whole command of a shell that helps, whichever command is in use.

    Args:
        words: of it, not quoted.
        after: for what, or when.
    """

    words: tuple[str, ...]
    after: str

    def __init__(self, *words: object, after: str = "") -> None:
        object.__setattr__(self, "words", tuple(map(str, words)))
        object.__setattr__(self, "after", after)


Way = str | Setting | Command
# One way to mend a problem, or several of which any does: words, settings, commands.
Fix = Way | tuple[Way, ...]


@dataclass(frozen=True)
class Interface:
    """How a person, or a program, speaks to Kindling.

    Args:
        takes: overrides of Hydra, arguments of compose, options of a command, or plain words.
        options: key -> option with the words before its value, such as "--csv separator="; with
            "..." behind it, it is typed once for each of several values.
        given: looks up what is set already by its key, for settings that go in addition to it.
        knows: says whether the run at hand has a key: images, for instance, have no data.target.
        elsewhere: what to say of a setting that has no option: where it does belong.
        section: settings of this section without an option are taken as overrides: "data.".
    """

    takes: Literal["overrides", "arguments", "options", "words"]
    options: Mapping[str, str] = field(default_factory=dict)
    given: Callable[[str], Any] = lambda _key: None
    knows: Callable[[str], bool] = lambda _key: True
    elsewhere: str = "train again with {}"
    section: str = ""

    def typed(self, way: Setting | Command) -> list[str] | None:
        """Return the words to type, not quoted; None where this interface has none for it."""
        if isinstance(way, Command):
            return list(way.words)
        typed = [self._typed(setting) for setting in (way, *way.also)]
        return None if None in typed else [word for words in typed for word in words or ()]

    def _typed(self, way: Setting) -> list[str] | None:
        if way.key[0] not in "+~" and not self.knows(way.key):
            return None
        value = self._whole(way)
        if self.takes in ("overrides", "arguments"):
            return [way.key if way.key[0] == "~" else as_override(way.key, value)]
        option = self.options.get(way.key)
        if option is None and self.section and way.key.startswith(self.section):
            return [as_override(way.key, value)]
        return None if option is None else _as_option(option, value)

    def say(self, fix: Fix) -> str:
        """Write a fix as a sentence; settings that cannot be typed here only where nothing can."""
        ways = fix if isinstance(fix, tuple) else (fix,)
        said = [text for way in ways if (text := self._say(way))]
        if not said and self.takes == "options":
            said = [self._say_elsewhere(way) for way in ways if isinstance(way, Setting)]
        return ", or ".join(said) or "correct the data"

    def _say(self, way: Way) -> str:
        if isinstance(way, str):
            return way
        typed = None if self.takes == "words" else self.typed(way)
        if typed is None:
            return ""
        if isinstance(way, Command):
            return _with(f"type {shell_line(typed)}", way.after)
        if self.takes == "arguments":
            arguments = ", ".join(map(repr, typed))
            return _with(f"type kindling.compose(..., {arguments})", way.words)
        return _with(f"type {shell_line(typed)}", way.words)

    def _say_elsewhere(self, way: Setting) -> str:
        override = shell_line(OVERRIDES.typed(way) or ())
        return _with(self.elsewhere.format(override), way.words)

    def settle(self, fix: Fix) -> Fix:
        """Fill in what is set now, and leave out what is not known, for one who says it later."""
        ways = fix if isinstance(fix, tuple) else (fix,)
        known = [way for way in ways if isinstance(way, str) or self.typed(way) is not None]
        return tuple(self._settled(way) if isinstance(way, Setting) else way for way in known)

    def _settled(self, way: Setting) -> Setting:
        also = tuple(map(self._settled, way.also))
        return replace(way, value=self._whole(way), is_added=False, also=also)

    def _whole(self, way: Setting) -> Any:
        before = self.given(way.key.lstrip("+")) if way.is_added else None
        if not before or way.value is ...:
            return way.value
        if isinstance(before, Mapping):
            return {**before, **way.value}
        return list(dict.fromkeys([*before, *way.value]))


def _with(text: str, words: str) -> str:
    return f"{text} {words}" if words else text


def _as_option(option: str, value: Any) -> list[str]:
    """Put a value behind its option: --target Y, --csv separator=;, --kinds a=number b=date."""
    *words, last = option.split()
    if last == "...":  # once for each value
        values = value if isinstance(value, list | tuple) else [value]
        return [word for each in values for word in (*words, str(each))]
    if last[-1] == "=":
        listed = isinstance(value, list | tuple) and f"[{','.join(map(str, value))}]"
        return [*words, f"{last}{'...' if value is ... else listed or value}"]
    if isinstance(value, Mapping):
        return [*words, last, *(f"{key}={inner}" for key, inner in value.items())]
    if isinstance(value, list | tuple):
        return [*words, last, *map(str, value)]
    return [*words, last, "..." if value is ... else str(value)]


OVERRIDES = Interface("overrides")  # python train.py
ARGUMENTS = Interface("arguments")  # a notebook, or a script of one's own
# kindling.load(run, device=...) in a notebook: nothing else of a training.
MODEL = Interface("options", {"device": "device="})
WORDS = Interface("words")  # a client of the server
_in_use: ContextVar[Interface] = ContextVar("interface", default=ARGUMENTS)


def interface() -> Interface:
    """Return how the user speaks to Kindling here and now."""
    return _in_use.get()


@contextmanager
def speaking(spoken: Interface) -> Iterator[None]:
    """Let what is said inside be said for this interface."""
    token = _in_use.set(spoken)
    try:
        yield
    finally:
        _in_use.reset(token)


def settings_are(
    given: Callable[[str], Any], knows: Callable[[str], bool] = Interface.knows
) -> None:
    """Say what is set, and which keys there are, for all that `speaking` says from now on."""
    _in_use.set(replace(_in_use.get(), given=given, knows=knows))
