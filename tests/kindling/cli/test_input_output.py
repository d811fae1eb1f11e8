import json

import pytest

from kindling.cli.input_output import print_json, require_package
from kindling.errors import ConfigError


def test_numbers_that_json_does_not_have_become_null(capsys):
    print_json({"a": [float("nan"), 1.5], "b": (float("inf"), "ä")})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": [None, 1.5], "b": [None, "ä"]}


def test_a_missing_package_is_named_with_the_extra_that_brings_it():
    require_package("json", "serve")
    with pytest.raises(ConfigError, match=r"nowhere_to_be_found.*'\.\[serve\]'"):
        require_package("nowhere_to_be_found", "serve")
