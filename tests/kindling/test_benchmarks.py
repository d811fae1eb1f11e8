"""The benchmarks read sets of any table."""

import pytest

from kindling.config.compose import compose_config
from tests.conftest import CONF, ROOT


@pytest.fixture
def of_table(monkeypatch):
    """What turns the folder of a set into overrides."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from accuracy import of_table

    return of_table


def test_names_of_columns_keep_their_spaces(of_table, tmp_path):
    meta = {"target": "IMDB Rating", "ignore": ["Title", "Worldwide Gross"], "time": "Release Date"}
    cfg = compose_config(CONF, list(of_table(tmp_path, meta)))
    assert (cfg.data.target, cfg.data.time) == ("IMDB Rating", "Release Date")
    assert cfg.data.ignore == ["Title", "Worldwide Gross"]
