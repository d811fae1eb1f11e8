"""Leave many cases of one kind to the slow tests, so that the fast ones stay under two minutes."""

import pytest


def thin(cases, every, mark=pytest.mark.slow):
    """Return the cases for `parametrize`: one of `every` runs at once, the others are marked."""
    return [
        case
        if number % every == 0
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark)
        for number, case in enumerate(cases)
    ]
