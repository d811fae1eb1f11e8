"""The settings of a run as plain data: RUN/settings.json, which `resume=` reads, and nothing else.

A run folder may be somebody else's. So a recorded setting is a key and a plain value; only keys
that choose neither code nor a place to write to are taken, and no text of it is ever resolved.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from kindling.bounded_files import read_text
from kindling.config.signatures import read_signature
from kindling.errors import ConfigError, Problem
from kindling.formatting import json_text, printable
from kindling.json_codec import InvalidFile, check_format
from kindling.quoting import as_typed, shell_word
from kindling.runs import SETTINGS_FILE

Operation = Literal["set", "add", "force", "remove"]
SIGNS: dict[Operation, str] = {"set": "", "add": "+", "force": "++", "remove": "~"}
OF_HYDRA: dict[OverrideType, Operation] = {
    OverrideType.CHANGE: "set",
    OverrideType.ADD: "add",
    OverrideType.FORCE_ADD: "force",
    OverrideType.DEL: "remove",
}
FORMAT, MAX_DEPTH = 1, 8
# Of this run alone: where it lies, and what is done with it.
NOT_RECORDED = ("resume", "run_dir", "overrides", "hydra")
NAME = re.compile(r"[A-Za-z][\w-]*")  # no _target_, no _args_
WORD = re.compile(r"[\w+-]*")  # no dot and no slash: it names no class, no module and no file
# Root keys whose text is free; of data it is that of what the toolkit's own sources take.
FREE_TEXT = (
    *("name", "device", "threads", "compile", "monitor", "mode"),
    *("init_from", "weights", "freeze"),  # a resumed run reads neither of the two paths
)
SOURCES = ("kindling.tables.source.TableSource", "kindling.images.image_source.ImageSource")
PLACES = ("cache",)  # a folder that is written to
WITHOUT_TEXT = ("callbacks", "logger")  # sections whose text would be a place or a name of code


@dataclass(frozen=True)
class RecordedSetting:
    """One override as plain data.

    Args:
        operation: set a key that is there, add one, either of both, or take one out.
        key: dotted; a group of conf/, such as data, is a key too.
        value: a plain value; of a key that is taken out None.
    """

    operation: Operation
    key: str
    value: Any = None

    def typed(self) -> str:
        """Write it as it would be typed, for Hydra's grammar."""
        text = f"{SIGNS[self.operation]}{self.key}"
        if self.operation == "remove":
            return text
        # A mapping's numbered columns are keys of text only where nothing is left short.
        return f"{text}={as_typed(self.value, is_short=not isinstance(self.value, dict))}"


def parsed_value(text: str) -> Any:
    """Return the value that Hydra reads in an override; None where it cannot, or reads several."""
    override = _parse(text)
    return None if override is None or override.is_sweep_override() else override.value()


def record(cfg: DictConfig) -> str:
    """Write the overrides that a run was started with as the JSON of SETTINGS_FILE.

    What an interpolation meant is recorded, not its text. What may not be replayed is listed
    apart, as it was typed.
    """
    settings, typed_again = [], []
    for text in cfg.overrides:
        override = _parse(text)
        if override is None or override.key_or_group.split(".")[0] in NOT_RECORDED:
            continue
        setting = RecordedSetting(
            OF_HYDRA[override.type], override.key_or_group, _meant(override, cfg)
        )
        if override.package is None and is_plain(setting):
            settings.append(asdict(setting))
        else:
            typed_again.append(text)
    return json_text({"format": FORMAT, "settings": settings, "typed_again": typed_again})


def read_settings(run: Path) -> tuple[list[RecordedSetting], list[str]]:
    """Read the settings of a run; also return what has to be typed again, as it would be typed.

    Raises:
        ConfigError: the folder has no SETTINGS_FILE, or one that no run has written.
    """
    file = run / SETTINGS_FILE
    if not file.is_file():
        got = f"no {SETTINGS_FILE} in {run}"
        fix = (
            "type the folder of a run, such as runs/NAME/TIME; one of an older version starts anew"
        )
        raise ConfigError(Problem("resume must be the folder of a run", got, fix))
    try:
        content = json.loads(read_text(file))
        if type(content["format"]) is not int:
            raise ValueError("a format that is no number")
        check_format(content, FORMAT)
        settings = [_setting(each) for each in content["settings"]]
        again = [each if isinstance(each, str) else "?" for each in content["typed_again"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        rule = f"{file} must be what Kindling wrote"
        told = f"{error}" if isinstance(error, InvalidFile) else f"{type(error).__name__}: {error}"
        got = printable(told[:200])
        fix = getattr(error, "fix", "") or "bring the file back, or start anew"
        raise ConfigError(Problem(rule, got, fix)) from error
    plain = [setting for setting in settings if is_plain(setting)]
    return plain, [*again, *(setting.typed() for setting in settings if not is_plain(setting))]


def _setting(content: Any) -> RecordedSetting:
    setting = RecordedSetting(**content)
    is_sound = setting.operation in get_args(Operation) and isinstance(setting.key, str)
    if not is_sound:
        raise ValueError("a setting is an operation, a key and a value")
    return setting


def is_plain(setting: RecordedSetting) -> bool:
    """Say whether a setting may be taken from a run folder: it is data, whatever it says."""
    names = [part for name in setting.key.split(".") for part in name.split("/")]
    if names[0] in NOT_RECORDED or not all(map(NAME.fullmatch, names)):
        return False
    if setting.operation == "remove":
        return True  # nothing of it is run or written
    section, _, rest = setting.key.partition(".")
    if section in WITHOUT_TEXT and rest and not rest.endswith((".monitor", ".mode")):
        return _is_number(setting.value)
    return _is_data(setting.value, is_free=_is_free(section, rest.partition(".")[0]))


def _is_free(section: str, name: str) -> bool:
    """Say whether a key may hold any text, such as the name of a file to read or of a column."""
    if not name:  # at the root, or the choice of a group: a file of the user's own conf/
        return section in FREE_TEXT
    found = [read_signature(source) for source in SOURCES] if section == "data" else []
    known = {key for signature in found if signature is not None for key in signature.rules}
    return name in known - set(PLACES)


def _is_data(value: Any, *, is_free: bool, depth: int = 0) -> bool:
    if isinstance(value, str):
        return "${" not in value and (is_free or WORD.fullmatch(value) is not None)
    if not isinstance(value, list | dict) or depth > MAX_DEPTH:
        return _is_number(value)
    # The names of a mapping are columns of the user's; Hydra's own begin with an underscore.
    names = [str(name) for name in value] if isinstance(value, dict) else []
    inner = value.values() if isinstance(value, dict) else value
    return not any(name.startswith("_") or "${" in name for name in names) and all(
        _is_data(each, is_free=is_free, depth=depth + 1) for each in inner
    )


def _is_number(value: Any) -> bool:
    is_finite = isinstance(value, int | float) and math.isfinite(value)
    return value is None or is_finite  # true and false are numbers too


def _meant(override: Override, cfg: DictConfig) -> Any:
    """Return the value of an override as plain data, its interpolations as they were resolved."""
    if override.type is OverrideType.DEL:
        return None
    value = override.value()
    if "${" not in (override.input_line or ""):
        return value
    found = OmegaConf.select(cfg, override.key_or_group)
    return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


def _parse(text: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException:
        return None


def refuse_unplain(run: Path, again: Sequence[str], typed: Sequence[str]) -> None:
    """Raise a ConfigError that lists what a run was started with and is not typed again now."""
    keys = {key_of(text) for text in typed}
    problems = [
        Problem(
            f"what may choose code to run, or a place to write to, is not taken from {run}",
            printable(text),
            f"type it again, if you trust it: {shell_word(text)}",
        )
        for text in again
        if key_of(text) not in keys
    ]
    if problems:
        raise ConfigError(*problems)


def key_of(text: str) -> str:
    """Return the key of an override."""
    return text.partition("=")[0].lstrip("+~")
