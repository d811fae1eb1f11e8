"""What the fix of a wrong override says to type is typed instead, and the problem is gone."""

from pathlib import Path

import pytest

from kindling.config.overrides import check_overrides
from kindling.errors import ConfigError
from kindling.fixes import OVERRIDES, Setting

CONF = Path(__file__).parents[3] / "conf"
TABLE = ["data=table", "data.path=t.csv", "data.target=y"]


def problems_of(*words):
    try:
        check_overrides([*TABLE, *words], CONF, is_sweep=False)
    except ConfigError as error:
        return error.problems
    return ()


WORDS = (
    *("data.kinds={CO(GT): category}", "data.on_device=yes"),
    *("data.target=Price, EUR", "data.target=it's", "data.ignore=[a b, c(d)]", "data.ignore=a,b"),
    *(
        "data.path=~/x y.csv",
        "data.target=Größe (cm)",
        "+model.dropout=0.5",
        "callbacks.checkpoint=null",
    ),
    *("data.ignore=3", "data.csv.quote='", "+trainer.fast_dev_run=true", "data.fold=9", "seed=0,1"),
)


@pytest.mark.slow
@pytest.mark.parametrize("word", WORDS)
def test_what_is_typed_instead_is_right(word):
    found = problems_of(word)
    assert found
    for problem in found:
        ways = problem.fix if isinstance(problem.fix, tuple) else (problem.fix,)
        for way in ways:
            if isinstance(way, Setting) and way.value is not ... and way.key[0] != "~":
                assert not problems_of(*OVERRIDES.typed(way)), way
