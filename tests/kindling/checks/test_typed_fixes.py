"""Whatever a fix says to type is typed, and the problem is gone: for every fault of a table."""

import pytest

from kindling.errors import DataError
from kindling.fixes import OVERRIDES, Setting
from tests.kindling.bad_tables import CASES
from tests.kindling.thinning import thin

pytestmark = pytest.mark.slow  # a table for each check, and once more for each fix


def problems_of(build, words):
    """Return what refuses a table, or what is noticed in it."""
    try:
        data, _, _ = build("data=table", *words)
    except DataError as error:
        return error.problems
    return data.findings


def settings_of(problem):
    """Return what the fix says to type, as far as no person has to choose a value."""
    ways = problem.fix if isinstance(problem.fix, tuple) else (problem.fix,)
    return [way for way in ways if isinstance(way, Setting) and way.value is not ...]


@pytest.mark.parametrize("name", thin(CASES, 3, pytest.mark.nightly))
def test_what_a_fix_says_to_type_helps(name, build, tmp_path):
    case = CASES[name]
    words = [f"data.path={case.make(tmp_path)}", "data.target=y", *case.overrides]
    for problem in problems_of(build, words):
        for way in settings_of(problem):
            after = problems_of(build, [*words, *OVERRIDES.typed(way)])
            same = [p for p in after if (p.code, p.column) == (problem.code, problem.column)]
            assert not same, way
            assert all(p.severity != "error" or p.code != "D104" for p in after), way
