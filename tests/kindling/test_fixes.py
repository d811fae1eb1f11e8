"""What can be typed survives Hydra's grammar and a shell, and is worded for the command in use."""

import subprocess
from dataclasses import replace

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from kindling.errors import ConfigError, DataError, Problem, for_a_model
from kindling.fixes import (
    ARGUMENTS,
    OVERRIDES,
    WORDS,
    Command,
    Interface,
    Setting,
    settings_are,
    speaking,
)
from kindling.quoting import as_override, as_typed, shell_line

# Names of columns, classes, files and signs as strangers' tables have them.
NAMES = (
    r"""
price|Price, EUR|CO(GT)|when (hour)|it's|say "x"|both ' and "|0|001|1102.00|-1|1e3|1_000|true|null
nan|-inf|yes|~|~/x| a|a |a  b|a=b|a:b|{x}|[x]|$5|$HOME|${x}|${oc.env:A}|`x`|a\|a\'|\|\t|!x|a!b'c
#1|*|?|a;b|a&b|Größe|年|'|"|-|.|a.b|/tmp/x y.csv|%|@|;|²
""".strip()
    .replace("\n", "|")
    .split("|")
)
NAMES += ["", "|", "\x1b[2J", "a\tb", "a\nb", "\u202ex"]
FLAGS = Interface("options", {"data.csv.separator": "--csv separator=", "data.kinds": "--kinds"})


def read_override(text):
    """Read a value as a run does: Hydra's grammar first, then what refers to other keys."""
    override = OverridesParser.create().parse_override(text)
    plain = OmegaConf.create({"value": override.value()})
    return OmegaConf.to_container(plain, resolve=True)["value"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [n, "b"], lambda n: {"b": n}])
def test_a_text_survives_the_grammar_of_overrides(name, wrap):
    assert read_override(as_override("data.key", wrap(name))) == wrap(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_survives_as_a_key_or_as_a_list(name):
    read = read_override(as_override("data.kinds", {name: "category"}))
    assert read in ({name: "category"}, [f"{name}=category"])


@pytest.mark.parametrize("value", [0, 1.5, True, None, [1, 2], [], {}, {"a": 1, "b": None}])
def test_a_value_that_is_no_text_keeps_its_type(value):
    assert read_override(as_override("key", value)) == value
    assert read_override(f"key={as_typed(value)}") == value


def test_a_shell_takes_a_line_apart_into_the_same_words():
    words = [as_override("data.target", name) for name in NAMES] + [n for n in NAMES if n]
    script = f"printf '%s\\0' {shell_line(words)}"
    told = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert told.stdout.decode().split("\0")[:-1] == words


def test_nothing_that_is_shown_can_steer_a_terminal():
    assert all(shell_line([as_override("data.target", name)]).isprintable() for name in NAMES)


SEPARATOR = ("correct them", Setting("data.csv.separator", ";"))
TARGET = Setting("data.target", "Price, EUR", "if that is meant")


@pytest.mark.parametrize(
    ("spoken", "fix", "said"),
    [
        (OVERRIDES, SEPARATOR, """correct them, or type "data.csv.separator=';'\""""),
        (OVERRIDES, TARGET, """type "data.target='Price, EUR'" if that is meant"""),
        (OVERRIDES, Setting("data.task"), "type data.task=..."),
        (OVERRIDES, Setting("~callbacks.preflight"), "type '~callbacks.preflight'"),
        (OVERRIDES, Command("chmod", "u+r", "a b"), "type chmod u+r 'a b'"),
        (ARGUMENTS, SEPARATOR[1], """type kindling.compose(..., "data.csv.separator=';'")"""),
        (FLAGS, SEPARATOR, "correct them, or type --csv 'separator=;'"),
        (FLAGS, Setting("data.kinds", {"a b": "date"}), "type --kinds 'a b=date'"),
        (FLAGS, ("correct it", TARGET), "correct it"),
        (FLAGS, TARGET, """train again with "data.target='Price, EUR'" if that is meant"""),
        (WORDS, SEPARATOR, "correct them"),
        (WORDS, TARGET, "correct the data"),
    ],
)
def test_a_fix_is_worded_for_the_command_in_use(spoken, fix, said):
    with speaking(spoken):
        assert Problem("a rule", "that", fix).do == said
        assert str(ConfigError(Problem("a rule", "that", fix))) == f"a rule; got that; {said}"


def test_a_model_in_a_notebook_is_not_told_of_compose():
    with pytest.raises(DataError) as caught, for_a_model():
        raise DataError(Problem("a rule", "that", ("correct it", *SEPARATOR[1:])))
    with speaking(ARGUMENTS):
        assert caught.value.problems[0].do == "correct it"


def test_a_list_goes_in_addition_to_what_is_set():
    fix = Setting("data.ignore", ["b"], is_added=True)
    with speaking(OVERRIDES):
        settings_are({"data.ignore": ["a"]}.get)
        assert Problem("", "", fix).do == "type 'data.ignore=[a,b]'"
        assert Problem("", "", replace(fix, is_added=False)).do == "type 'data.ignore=[b]'"
